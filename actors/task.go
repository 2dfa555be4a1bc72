package actors

import (
	"sync/atomic"
	"time"
)

// Task is a call to come, or a series of them, of a session or a Scheduler. It is
// usable from any goroutine.
type Task struct {
	owner interface{ drop(t *Task) }

	// Any goroutine.
	stopped atomic.Bool

	// Owned by the owner's goroutine.
	timer interface{ Stop() }
}

// Stop ends the task: no call begins any more, except one that begins on another
// goroutine at this moment. Stopping twice, or after the last call, does nothing.
func (t *Task) Stop() {
	if !t.stopped.Swap(true) {
		t.owner.drop(t)
	}
}

// end takes the task out of its owner's set.
func (t *Task) end() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

// unlessStopped is f while t goes on: a stop from outside is a message, which may
// come behind the one of a call, or be refused.
func unlessStopped[C any](t *Task, f func(C)) func(C) {
	return func(c C) {
		if t.stopped.Load() {
			t.end()
			return
		}
		f(c)
	}
}

// mustRepeat panics where the mistake was made.
func mustRepeat(d time.Duration) {
	if d <= 0 {
		panic("actors: a repeating task needs a positive interval")
	}
}
