//go:build !linux

package transport

// fdSocket does not exist here: every socket is a portable one.
type fdSocket struct{}

func descriptor(socket) int32 { return noDescriptor }

// rawWrite is never called: no socket has a descriptor here.
func rawWrite(int32, []byte) (int, error) { return 0, errAgain }
