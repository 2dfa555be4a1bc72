package transport

import (
	"fmt"
	"net"
	"os"
)

// fdConn turns the raw socket fd, with prefix read from it, into a net.Conn for
// net/http. fd is closed in any case, on an error too, so that its owner must
// have taken it out of its epoll set: epoll goes on to report a socket as long
// as a duplicate of its descriptor is open, and net.FileConn makes one.
func fdConn(fd int, prefix []byte) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "handoff")
	if f == nil {
		return nil, fmt.Errorf("hand off: bad descriptor %d", fd)
	}
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("hand off: %w", err)
	}
	return newPrefixConn(c, prefix), nil
}
