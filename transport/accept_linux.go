package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// accepting starts to accept from l. A net.Listener gives no raw access, a file of
// the same socket does; closing the file ends the goroutine.
func (s *Server) accepting(l net.Listener) (io.Closer, error) {
	if s.cfg.Portable {
		s.accept.Go(func() { s.acceptPortable(l) })
		return l, nil
	}
	defer l.Close() // the file keeps the socket
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, fmt.Errorf("transport: listener: %w", err)
	}
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("transport: listener: %w", err)
	}
	s.accept.Go(func() { s.acceptAll(raw) })
	return f, nil
}

// acceptAll takes connections as raw non-blocking descriptors.
func (s *Server) acceptAll(raw syscall.RawConn) {
	for {
		var fd int
		var sa unix.Sockaddr
		var failed error
		err := raw.Read(func(lfd uintptr) bool {
			for {
				fd, sa, failed = unix.Accept4(int(lfd), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
				if !errors.Is(failed, unix.EINTR) && !errors.Is(failed, unix.ECONNABORTED) {
					return !errors.Is(failed, unix.EAGAIN)
				}
			}
		})
		switch {
		case err != nil: // closed
			return
		case failed != nil: // no descriptor or no memory left
			s.shortage(failed)
		default:
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // slower without, not wrong
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentInKernel)
			s.adopt(&fdSocket{fd: int32(fd)}, addrPort(sa))
		}
	}
}

// unsentInKernel is how many bytes a socket takes beyond what it has sent. Left to
// itself it takes up to 4 MiB: a client that stopped reading would go unnoticed for
// as long as that lasts, and the memory it costs would be in nobody's budget.
const unsentInKernel = 128 << 10

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// takeNetConn makes a net.Conn of a socket whose connection has ended for us;
// read is what has been read from it.
func takeNetConn(s socket, read []byte) (net.Conn, error) {
	if fs, ok := s.(*fdSocket); ok {
		return fdConn(fs.detach(), read)
	}
	return s.(*netSocket).take(read), nil
}
