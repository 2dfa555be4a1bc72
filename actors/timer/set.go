package timer

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// Set holds the pending calls of one actor, which alone uses it and its timers.
// C is what the calls are handed: the context of the actor's message. Instants
// are passed in; the set reads no clock. Calls due at the same instant are made
// in the order in which they were asked for. The zero value is an empty set.
type Set[C any] struct {
	heap queue[C]
	seq  uint64
}

// After calls f once, d after now; at once when d is not positive.
func (s *Set[C]) After(now time.Time, d time.Duration, f func(C)) *Timer[C] {
	return s.add(&Timer[C]{due: now.Add(max(d, 0)), left: 1, f: f})
}

// Every calls f every d, first d after now. A call that comes late does not shift
// those after it; what was missed altogether is skipped, not made up for. It
// panics unless d is positive.
func (s *Set[C]) Every(now time.Time, d time.Duration, f func(C)) *Timer[C] {
	mustRepeat(d)
	return s.add(&Timer[C]{due: now.Add(d), every: d, f: f})
}

// Times is Every that ends after n calls; skipped ones do not count. With n below
// 1 there is no call.
func (s *Set[C]) Times(now time.Time, d time.Duration, n int, f func(C)) *Timer[C] {
	mustRepeat(d)
	t := &Timer[C]{due: now.Add(d), every: d, left: n, f: f, set: s, index: -1}
	if n < 1 {
		return t
	}
	return s.add(t)
}

// When asks cond every d and calls f each time that it says yes; f may stop it.
func (s *Set[C]) When(now time.Time, d time.Duration, cond func(C) bool, f func(C)) *Timer[C] {
	return s.Every(now, d, func(c C) {
		if cond(c) {
			f(c)
		}
	})
}

// Cron is Follow for an expression that need not be kept.
func (s *Set[C]) Cron(now time.Time, expr string, f func(C)) (*Timer[C], error) {
	c, err := ParseCron(expr)
	if err != nil {
		return nil, err
	}
	return s.Follow(now, c, f), nil
}

// Follow calls f at the instants of a cron expression, in the time zone of now
// unless the expression names one. One that matches no instant in the next five
// years makes a timer without calls.
func (s *Set[C]) Follow(now time.Time, c Cron, f func(C)) *Timer[C] {
	t := &Timer[C]{due: c.schedule.Next(now), cron: c.schedule, f: f, set: s, index: -1}
	if t.due.IsZero() {
		return t
	}
	return s.add(t)
}

// Cron is a cron expression that has been read. The zero value is not usable.
type Cron struct{ schedule cron.Schedule }

// ParseCron reads a cron expression: five fields (minute, hour, day of month,
// month, day of week), six with seconds in front, or a descriptor such as @hourly
// or @every 90s. CRON_TZ=Area/City in front names a time zone.
func ParseCron(expr string) (Cron, error) {
	s, err := expressions.Parse(expr)
	if err != nil {
		return Cron{}, fmt.Errorf("cron expression %q: %w", expr, err)
	}
	return Cron{s}, nil
}

var expressions = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// mustRepeat stops a timer that would be due for ever at the same instant.
func mustRepeat(d time.Duration) {
	if d <= 0 {
		panic("timer: a repeating timer needs a positive interval")
	}
}

func (s *Set[C]) add(t *Timer[C]) *Timer[C] {
	s.seq++
	t.seq, t.set = s.seq, s
	heap.Push(&s.heap, t)
	return t
}

// Len returns the number of timers with a call to come.
func (s *Set[C]) Len() int { return len(s.heap) }

// Next returns when the earliest call is due; ok is false when there is none.
func (s *Set[C]) Next() (due time.Time, ok bool) {
	if len(s.heap) == 0 {
		return time.Time{}, false
	}
	return s.heap[0].due, true
}

// Pop takes the earliest call that is due at now, to be made by the caller. The
// timer is on its next round by then, so f may stop it.
func (s *Set[C]) Pop(now time.Time) (f func(C), ok bool) {
	if len(s.heap) == 0 || s.heap[0].due.After(now) {
		return nil, false
	}
	t := s.heap[0]
	if t.advance(now) {
		heap.Fix(&s.heap, 0)
	} else {
		heap.Pop(&s.heap)
	}
	return t.f, true
}

// Clear stops all timers.
func (s *Set[C]) Clear() {
	for i, t := range s.heap {
		t.index = -1
		s.heap[i] = nil
	}
	s.heap = s.heap[:0]
}
