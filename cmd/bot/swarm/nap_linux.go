package swarm

import "golang.org/x/sys/unix"

// nap sleeps for ns nanoseconds, or less when a signal comes. Timers of the
// runtime wake up to a millisecond late, which is more than a local server needs
// to answer, and the planned moment is what latencies count from.
func nap(ns int64) {
	t := unix.NsecToTimespec(ns)
	_ = unix.Nanosleep(&t, nil) // interrupted: the caller looks at the clock
}
