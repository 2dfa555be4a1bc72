package transport

import (
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkBroadcastBesideWrite delivers one message to every member over TCP on
// loopback, once by a walk and once by a loop of bare calls, in turn, and
// compares the CPU time of the thread. The peers are read in between.
func BenchmarkBroadcastBesideWrite(b *testing.B) {
	for _, members := range []int{1000, 5000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) { besideWrite(b, members) })
	}
}

func besideWrite(b *testing.B, members int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h := newHand(b, settings{})
	var fds, peers []int
	defer func() {
		for i := range fds {
			unix.Close(fds[i])
			unix.Close(peers[i])
		}
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for range members {
		ours, theirs := tcpPair(b, l)
		fds, peers = append(fds, ours), append(peers, theirs)
		c, _ := h.open(kindSocket)
		c.sock = &fdSocket{fd: int32(ours)}
		c.fd = int32(ours)
		h.audience.Join(c)
	}
	for h.runOps() > 0 {
	}
	f := saying("a message of a usual length, as they are said in rooms")
	seal(&f)
	wire := sealed(&f)
	var walked, bare time.Duration
	rounds := 0
	buf := make([]byte, 64<<10)
	drain := func() {
		for _, fd := range peers {
			_, _, _ = unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
		}
	}
	const each = 4 // messages, before the peers are read
	for b.Loop() {
		begin := threadTime()
		for range each {
			for _, fd := range fds {
				_, _ = rawWrite(int32(fd), wire)
			}
		}
		bare += threadTime() - begin
		drain()
		begin = threadTime()
		for range each {
			h.audience.Broadcast(f, nil, nil)
			for h.turn(turnWrites) > 0 {
			}
		}
		walked += threadTime() - begin
		drain()
		rounds++
	}
	n := float64(rounds * each * members)
	b.ReportMetric(float64(walked)/n, "ns/delivery")
	b.ReportMetric(float64(bare)/n, "ns/write")
	b.ReportMetric(float64(walked)/float64(bare), "ratio")
}

// threadTime is the CPU time of this thread.
func threadTime() time.Duration {
	var u unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &u)
	return time.Duration(u.Nano())
}

// tcpPair is a connection over loopback, as two descriptors of ours.
func tcpPair(b *testing.B, l net.Listener) (ours, theirs int) {
	b.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	return takeFD(b, s), takeFD(b, c)
}

func takeFD(b *testing.B, c net.Conn) int {
	b.Helper()
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	defer c.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		b.Fatal(err)
	}
	return fd
}
