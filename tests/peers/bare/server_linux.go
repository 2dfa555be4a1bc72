package main

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	backlog   = 4096
	readChunk = 64 << 10

	// A receiver that blocks write(2) for longer loses its connection; without a
	// bound one dead bot would hang the run instead of failing it.
	sendTimeoutSeconds = 5
)

// server is the whole process: one goroutine owns all of it.
type server struct {
	addr     netip.AddrPort
	announce bool

	epoll    int
	listener int
	conns    map[int]*conn
	rooms    map[string]*room
	lastID   int64

	in     []byte // scratch of every read
	out    frame  // scratch of every write
	doomed []int  // descriptors whose write failed; closed after the event
}

// newServer listens on addr.
func newServer(addr netip.AddrPort, announce bool) (*server, error) {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	defer l.Close() // the duplicate below stays
	f, err := l.File()
	if err != nil {
		return nil, fmt.Errorf("take the listener's descriptor: %w", err)
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("keep the listener's descriptor: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("unblock the listener: %w", err)
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return nil, fmt.Errorf("set the backlog: %w", err)
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	s := &server{
		addr:     l.Addr().(*net.TCPAddr).AddrPort(),
		announce: announce,
		epoll:    epoll,
		listener: fd,
		conns:    make(map[int]*conn),
		rooms:    make(map[string]*room),
		in:       make([]byte, readChunk),
	}
	return s, s.watch(fd)
}

func (s *server) watch(fd int) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	if err := unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch descriptor %d: %w", fd, err)
	}
	return nil
}

// loop handles events for ever.
func (s *server) loop() error {
	events := make([]unix.EpollEvent, 256)
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(s.epoll),
			uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), ^uintptr(0), 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return fmt.Errorf("epoll_wait: %w", errno)
		}
		for _, ev := range events[:n] {
			if int(ev.Fd) == s.listener {
				if err := s.accept(); err != nil {
					return err
				}
			} else if c := s.conns[int(ev.Fd)]; c != nil {
				s.readable(c)
			}
			for _, fd := range s.doomed {
				if c := s.conns[fd]; c != nil {
					s.close(c)
				}
			}
			s.doomed = s.doomed[:0]
		}
	}
}

// accept takes every waiting connection.
func (s *server) accept() error {
	for {
		fd, _, err := unix.Accept4(s.listener, unix.SOCK_CLOEXEC)
		switch err {
		case nil:
		case unix.EAGAIN:
			return nil
		case unix.EINTR, unix.ECONNABORTED:
			continue
		default:
			return fmt.Errorf("accept: %w", err)
		}
		// Both fail only for a descriptor that is no TCP socket.
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: sendTimeoutSeconds})
		if err := s.watch(fd); err != nil {
			return err
		}
		s.lastID++
		s.conns[fd] = &conn{fd: fd, id: s.lastID}
	}
}

// readable reads once: epoll is level-triggered and tells again.
func (s *server) readable(c *conn) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(c.fd),
		uintptr(unsafe.Pointer(&s.in[0])), readChunk, unix.MSG_DONTWAIT, 0, 0)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0 || n == 0:
		s.close(c)
		return
	}
	b := s.in[:n]
	if len(c.tail) > 0 {
		b = append(c.tail, b...)
	}
	rest, err := s.feed(c, b)
	if err != nil {
		s.close(c)
		return
	}
	c.tail = append(c.tail[:0:0], rest...)
}

// write is the measured call: it blocks until the kernel has taken all of b.
func (s *server) write(fd int, b []byte) {
	for len(b) > 0 {
		n, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			s.doomed = append(s.doomed, fd)
			return
		default:
			b = b[n:]
		}
	}
}

func (s *server) close(c *conn) {
	if c.room != nil {
		s.leave(c)
	}
	delete(s.conns, c.fd)
	unix.Close(c.fd)
}
