package transport

import (
	"io"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fdSocket is a raw non-blocking descriptor in the epoll set of a loop. Its
// calls are raw ones: they cannot block, so the scheduler need not be told of
// them, which saves a fifth of an echo's CPU (3.6 instead of 4.4 µs). recvfrom
// and sendto are read and write without the file layer, and without SIGPIPE.
type fdSocket struct {
	ep   *epoll
	fd   int32
	slot int32
}

func (s *fdSocket) attach(c *Conn) error {
	s.ep, s.slot = c.loop.poll.(*epoll), c.slot
	return s.ep.control(unix.EPOLL_CTL_ADD, s.fd, s.slot, c.phase != phaseDial, c.phase == phaseDial)
}

func (s *fdSocket) read(b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		default:
			return int(n), nil
		}
	}
}

func (s *fdSocket) write(b []byte) (int, error) { return rawWrite(s.fd, b) }

// descriptor returns what rawWrite can write to without asking the socket.
func descriptor(s socket) int32 {
	if fs, ok := s.(*fdSocket); ok {
		return fs.fd
	}
	return noDescriptor
}

// rawWrite is socket.write for a descriptor.
func rawWrite(fd int32, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, errno
		case int(n) < len(b):
			return int(n), errAgain
		default:
			return int(n), nil
		}
	}
}

// flushBatch is how many entries one call hands to the kernel.
const flushBatch = 32

func (s *fdSocket) flush(entries []outEntry) (int, error) {
	var vec [flushBatch]unix.Iovec
	want := 0
	n := min(len(entries), flushBatch)
	for i := range entries[:n] {
		b := entries[i].b
		vec[i].Base = unsafe.SliceData(b)
		vec[i].SetLen(len(b))
		want += len(b)
	}
	msg := unix.Msghdr{Iov: &vec[0]}
	msg.SetIovlen(n)
	for {
		sent, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(s.fd),
			uintptr(unsafe.Pointer(&msg)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, errno
		case int(sent) < want:
			return int(sent), errAgain
		default:
			return int(sent), nil
		}
	}
}

func (s *fdSocket) watch(in, out bool) {
	_ = s.ep.control(unix.EPOLL_CTL_MOD, s.fd, s.slot, in, out) // the descriptor is in the set as long as it is open
}

func (s *fdSocket) shutdown() { _ = unix.Shutdown(int(s.fd), unix.SHUT_WR) }

func (s *fdSocket) close(reset bool) {
	if reset {
		_ = unix.SetsockoptLinger(int(s.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	unix.Close(int(s.fd))
	s.fd = -1
}

// detach takes the descriptor out of the epoll set and away from the socket.
func (s *fdSocket) detach() int {
	_ = unix.EpollCtl(s.ep.fd, unix.EPOLL_CTL_DEL, int(s.fd), nil)
	fd := s.fd
	s.fd = -1
	return int(fd)
}
