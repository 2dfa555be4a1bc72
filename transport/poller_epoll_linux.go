package transport

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pollBatch is how many events one poll takes at most.
const pollBatch = 256

// epoll is the poller over raw descriptors.
//
// A loop never blocks in epoll_wait: that would hand its thread over to the
// scheduler at every wake-up. The epoll descriptor is itself registered with
// Go's network poller, so that parking parks the goroutine. With 200
// connections that echo through a second goroutine, 5,000 times a second, that
// measured 11 µs of CPU and 0.13 ms p99 per echo, against 17 µs and 0.18 ms for
// poll, yield, then block (and a p99 of 4 ms at 500 a second, when a goroutine
// the loop had just made ready waited for the blocked thread's processor).
//
// The read deadline of that registration serves for timers and for wake: moving
// it into the past wakes the goroutine without a system call.
type epoll struct {
	fd   int
	file *os.File // owns fd
	raw  syscall.RawConn

	// Owned by the loop.
	events [pollBatch]unix.EpollEvent
	n      int                // events that park has fetched and poll has not told
	looks  int                // of park, how often
	check  func(uintptr) bool // p.fetch as a value, made once
	armed  time.Time
	stale  bool // wake may have moved the deadline
}

// newPoller returns the poller that suits the system.
func newPoller(portable bool) (poller, error) {
	if portable {
		return newChanPoller(), nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	// Non-blocking is what makes os.NewFile register it.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &epoll{fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p.check = func(uintptr) bool {
		p.looks++
		return p.fetch()
	}
	return p, nil
}

// fetch asks the kernel for events, without waiting. The raw call cannot block,
// so the scheduler need not be told of it.
func (p *epoll) fetch() bool {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd),
		uintptr(unsafe.Pointer(&p.events[0])), pollBatch, 0, 0, 0)
	if errno != 0 {
		n = 0 // EINTR; anything else would be a bug of ours, and shows as silence
	}
	p.n = int(n)
	return p.n > 0
}

func (p *epoll) poll(l *loop) {
	if p.n == 0 && !p.fetch() {
		return
	}
	n := p.n
	p.n = 0
	for i := range p.events[:n] {
		ev := &p.events[i]
		l.ready(ev.Fd, readiness{
			in:  ev.Events&unix.EPOLLIN != 0,
			out: ev.Events&unix.EPOLLOUT != 0,
			bad: ev.Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0,
		})
	}
}

func (p *epoll) arm(until time.Time) {
	if until.Equal(p.armed) && !p.stale {
		return
	}
	p.armed, p.stale = until, false
	_ = p.file.SetReadDeadline(until) // fails only when closed, and then park returns at once
}

func (p *epoll) park() (waited bool) {
	p.looks = 0
	err := p.raw.Read(p.check)
	if err != nil {
		p.stale = true // the deadline has passed, or wake says that it has
	}
	return p.looks > 1 || p.looks == 1 && err != nil
}

func (p *epoll) wake() { _ = p.file.SetReadDeadline(longAgo) }

func (p *epoll) close() { p.file.Close() }

// control changes what a descriptor waits for. slot comes back with its events.
func (p *epoll) control(how int, fd, slot int32, in, out bool) error {
	ev := unix.EpollEvent{Fd: slot}
	if in {
		ev.Events |= unix.EPOLLIN
	}
	if out {
		ev.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(p.fd, how, int(fd), &ev)
}
