package carrier

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"google.golang.org/grpc/credentials"
)

// direct has the connections that credentials protect read and written without
// telling Go's scheduler of each call.
//
// A call that may block tells it, and that wakes the runtime's monitor thread, which
// then looks around every 20 µs for as long as this process is busy: on a gate whose
// loops write to 1,000 players that was an eighth of all CPU time, for one message
// from another node. These sockets never block, so there is nothing to tell.
type direct struct {
	credentials.TransportCredentials
}

// ClientHandshake implements credentials.TransportCredentials.
func (d direct) ClientHandshake(ctx context.Context, authority string, c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return d.TransportCredentials.ClientHandshake(ctx, authority, directly(c))
}

// ServerHandshake implements credentials.TransportCredentials.
func (d direct) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return d.TransportCredentials.ServerHandshake(directly(c))
}

// Clone implements credentials.TransportCredentials.
func (d direct) Clone() credentials.TransportCredentials {
	return direct{d.TransportCredentials.Clone()}
}

// directConn is a connection whose reads and writes are plain system calls. What
// waits is a goroutine in Go's poller, as with any connection.
type directConn struct {
	net.Conn
	raw syscall.RawConn
}

// directly returns c itself when it is no socket.
func directly(c net.Conn) net.Conn {
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			return &directConn{c, raw}
		}
	}
	return c
}

// Read implements net.Conn.
func (c *directConn) Read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	var errno syscall.Errno
	err = c.raw.Read(func(fd uintptr) bool {
		n, errno = call(syscall.SYS_READ, fd, b)
		return errno != syscall.EAGAIN
	})
	switch {
	case err != nil:
		return 0, err
	case errno != 0:
		return 0, c.failed("read", errno)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements net.Conn.
func (c *directConn) Write(b []byte) (n int, err error) {
	var errno syscall.Errno
	err = c.raw.Write(func(fd uintptr) bool {
		for n < len(b) {
			var some int
			if some, errno = call(syscall.SYS_WRITE, fd, b[n:]); errno != 0 {
				return errno != syscall.EAGAIN
			}
			n += some
		}
		return true
	})
	if err == nil && errno != 0 {
		err = c.failed("write", errno)
	}
	return n, err
}

func (c *directConn) failed(op string, errno syscall.Errno) error {
	return &net.OpError{
		Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(),
		Err: os.NewSyscallError(op, errno),
	}
}

// call is read(2) or write(2) on a socket that does not block. A socket whose peer
// has gone answers EPIPE; the signal that comes with it does nothing in a Go program,
// except for descriptors 1 and 2.
func call(trap, fd uintptr, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return int(n), 0
	}
}
