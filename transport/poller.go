package transport

import "time"

// poller is what a loop sleeps on. All methods but wake are the loop's.
type poller interface {
	// poll tells l what is ready, without waiting.
	poll(l *loop)
	// arm sets the time at which park returns at the latest; zero is never.
	// What wake did before arm may be forgotten.
	arm(until time.Time)
	// park waits until something is ready, wake has been called since arm, or
	// the time has come. It may return early. It reports whether it has waited, so
	// that other goroutines had the processor.
	park() (waited bool)
	// wake ends park, from any goroutine.
	wake()
	// close releases the descriptors.
	close()
}
