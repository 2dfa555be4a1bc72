package protocol

import "fmt"

// PacketType is the first byte of a package.
type PacketType uint8

// Every type is a rule about who may send it and what its body holds.
const (
	Handshake    PacketType = 1 // client: HandshakeRequest as JSON, may be empty; server: HandshakeResponse as JSON
	HandshakeAck PacketType = 2 // client only: no body; data may flow from here on
	Heartbeat    PacketType = 3 // both: no body
	Data         PacketType = 4 // both: one Message
	Kick         PacketType = 5 // server only: {"reason":"…","code":n}, then the connection closes
)

var packetTypeNames = [...]string{
	Handshake:    "handshake",
	HandshakeAck: "handshake_ack",
	Heartbeat:    "heartbeat",
	Data:         "data",
	Kick:         "kick",
}

// Valid reports whether t is one of the five types; every other is a protocol error.
func (t PacketType) Valid() bool { return Handshake <= t && t <= Kick }

// String returns the name in snake_case, fit for a metric label.
func (t PacketType) String() string {
	if t.Valid() {
		return packetTypeNames[t]
	}
	return fmt.Sprintf("packet_type_%d", uint8(t))
}

const (
	// HeadLen is the length of a package head: the type and three bytes of length.
	HeadLen = 4

	// MaxPacketBody is the longest body the head can announce, in bytes.
	// JavaScript clients of the field fail above about 120,000 bytes already.
	MaxPacketBody = 1<<24 - 1

	// DefaultMaxBody is what a server accepts from a client unless configured, in bytes.
	DefaultMaxBody = 64 << 10
)

// Packet is one package of the stream, without its head.
type Packet struct {
	Type PacketType
	Body []byte // aliases the bytes it was cut from, see CutPacket and Cutter.Cut
}

// AppendPacket appends one whole package to dst and returns the longer slice.
// It does not keep body. It panics when body is longer than MaxPacketBody or typ
// is not Valid: both are bugs of the caller, not of the other side.
func AppendPacket(dst []byte, typ PacketType, body []byte) []byte {
	checkOutbound(typ, len(body))
	n := len(body)
	dst = append(dst, byte(typ), byte(n>>16), byte(n>>8), byte(n))
	return append(dst, body...)
}

// BeginPacket appends the head of a package whose body the caller appends next,
// in place; EndPacket with the same mark then writes the length. Packages do
// not nest. It panics when typ is not Valid.
func BeginPacket(dst []byte, typ PacketType) (out []byte, mark int) {
	checkOutbound(typ, 0)
	return append(dst, byte(typ), 0, 0, 0), len(dst)
}

// EndPacket completes the package begun at mark with all that was appended
// since, and returns b. It panics when that is longer than MaxPacketBody.
func EndPacket(b []byte, mark int) []byte {
	n := len(b) - mark - HeadLen
	checkOutbound(PacketType(b[mark]), n)
	b[mark+1], b[mark+2], b[mark+3] = byte(n>>16), byte(n>>8), byte(n)
	return b
}

func checkOutbound(typ PacketType, n int) {
	if !typ.Valid() || n > MaxPacketBody {
		panic(fmt.Sprintf("protocol: cannot send a package of type %d with a body of %d bytes", typ, n))
	}
}

// CutPacket cuts the first package off b. limit is the longest body accepted, in
// bytes. The error is ErrShort when b holds only the beginning of a package: ask
// again with more bytes; or a *DecodeError when no further byte can make it
// valid: close the connection. With an error rest is b, unread.
//
// p.Body aliases b and has no spare capacity, so that appending to it never
// writes over the package behind it.
func CutPacket(b []byte, limit int) (p Packet, rest []byte, err error) {
	if len(b) < HeadLen {
		// The type is checked as soon as it is there: a stranger who speaks
		// another protocol is found out by its first byte.
		if len(b) > 0 && !PacketType(b[0]).Valid() {
			return Packet{}, b, badPacketType(b[0])
		}
		return Packet{}, b, ErrShort
	}
	n, err := parseHead([HeadLen]byte(b), limit)
	if err != nil {
		return Packet{}, b, err
	}
	end := HeadLen + n
	if len(b) < end {
		return Packet{}, b, ErrShort
	}
	return Packet{Type: PacketType(b[0]), Body: b[HeadLen:end:end]}, b[end:], nil
}

// parseHead returns the length of the body behind head, once the type and the
// length are known to be acceptable.
func parseHead(head [HeadLen]byte, limit int) (int, error) {
	if !PacketType(head[0]).Valid() {
		return 0, badPacketType(head[0])
	}
	n := int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	if n > limit {
		return 0, &DecodeError{Layer: "package", Rule: "body within the limit", Got: int64(n), Reason: ReasonTooBig}
	}
	return n, nil
}

func badPacketType(b byte) error {
	return &DecodeError{Layer: "package", Rule: "type is one of 1..5", Got: int64(b), Reason: ReasonProtocol}
}
