package measure

import "time"

// Clock tells nanoseconds since the Unix epoch that never run backwards. The
// zero value is not usable; NewClock reads the wall clock once. A Clock is a
// value and may be used from any goroutine. Clocks of processes on one machine
// agree as well as its wall clock did when they were made.
type Clock struct {
	start time.Time
	base  int64
}

// NewClock anchors a clock at the present moment.
func NewClock() Clock {
	now := time.Now()
	return Clock{start: now, base: now.UnixNano()}
}

// Now returns the nanoseconds since the Unix epoch.
func (c Clock) Now() int64 { return c.base + int64(time.Since(c.start)) }

// Of converts a time.Time of this process.
func (c Clock) Of(t time.Time) int64 { return c.base + int64(t.Sub(c.start)) }

// Time converts back, for timers.
func (c Clock) Time(ns int64) time.Time { return c.start.Add(time.Duration(ns - c.base)) }
