package protocol

// Headroom is the scratch space at the front of an outbound buffer, in bytes:
// the longest WebSocket header (14) fits in, so that a frame is framed without
// being copied.
const Headroom = 16

// Frame is an outbound unit shared by many receivers. Whoever builds it gives it
// away with the first hand-over: nobody may change it, or its bytes, after that.
// The transport alone writes into the headroom.
type Frame struct {
	// Packages holds Headroom scratch bytes, then one or several whole
	// packages, built once for all receivers.
	Packages []byte

	// Text holds the same message for JSON text endpoints; nil: there is none,
	// and their members do not get it.
	Text []byte

	// Replace is 0 for a frame that must arrive. Two frames with the same other
	// value say the same thing at different times ("latest position wins"):
	// while the older one waits in a queue, it may be dropped for the newer.
	Replace uint64
}

// Payload returns the packages of f without the headroom. It aliases Packages
// and is empty when f has none.
func (f Frame) Payload() []byte {
	if len(f.Packages) <= Headroom {
		return nil
	}
	return f.Packages[Headroom:]
}

// AppendHeadroom appends Headroom zero bytes to dst: what a buffer for
// Frame.Packages or for a connection's Write begins with.
func AppendHeadroom(dst []byte) []byte {
	return append(dst, make([]byte, Headroom)...)
}
