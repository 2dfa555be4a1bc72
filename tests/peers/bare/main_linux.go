// Command bare is the yardstick: the least a program on Linux can spend on the
// benchmark routes, and far less than a server may get away with.
//
// A broadcast is one loop over raw descriptors that calls write(2) with the same
// bytes, framed once. Nothing stands around that call: descriptors are blocking,
// so there is no queue, no EPOLLOUT and no second attempt; one thread does
// everything, so there is no lock, no hand-off and no wake-up of another thread;
// the system call goes past the Go scheduler (RawSyscall) and the collector is
// off, so the runtime adds nothing. What is left per delivery is the kernel: the
// walk down the TCP stack, on loopback also the receiver's half of it, and the
// wake-up of the reading process. Another way of sending (io_uring, one write for
// several messages) can be cheaper; no program that calls write(2) once per
// delivery can.
//
// It is not a server: a reader that stops stalls everyone, fragments and
// compressed routes close the connection, nothing checks a limit.
package main

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3261", "address to serve on; port 0 picks a free one")
	announce := flag.Bool("announce", true, "tell a room about every new user; off, a big room can be filled without members² pushes")
	flag.Parse()

	// Only connects and joins allocate: about a kilobyte each, kept.
	debug.SetGCPercent(-1)

	err := run(*listen, *announce)
	fmt.Fprintln(os.Stderr, "bare:", err)
	os.Exit(1)
}

// run serves until the process is killed or the listener fails.
func run(listen string, announce bool) error {
	addr, err := netip.ParseAddrPort(listen)
	if err != nil {
		return fmt.Errorf("parse --listen: %w", err)
	}
	s, err := newServer(addr, announce)
	if err != nil {
		return err
	}
	if err := holdThread(); err != nil {
		return err
	}
	fmt.Printf("bare: ws://%s/nano\n", s.addr)
	return s.loop()
}

// holdThread keeps the loop on one thread and that thread free of the runtime's
// preemption signals: they would break into the blocking system calls every
// 10 ms, for a collector that never runs.
func holdThread() error {
	runtime.LockOSThread()
	urgent := unix.Sigset_t{}
	urgent.Val[0] = 1 << (unix.SIGURG - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &urgent, nil); err != nil {
		return fmt.Errorf("block preemption signals: %w", err)
	}
	return nil
}
