package timer

import (
	"container/heap"
	"time"

	"github.com/robfig/cron/v3"
)

// Timer is one pending call, or a series of them. It belongs to the actor of its
// Set: use it only there.
type Timer[C any] struct {
	set   *Set[C]
	due   time.Time
	seq   uint64 // ties are called in the order they were made
	index int    // place in the heap, -1 when no call is to come

	every time.Duration // 0: once, or cron
	left  int           // calls to come, 0: without end
	cron  cron.Schedule
	f     func(C)
}

// Stop ends the timer. Stopping twice, or after the last call, does nothing.
func (t *Timer[C]) Stop() {
	if t.index >= 0 {
		heap.Remove(&t.set.heap, t.index)
	}
}

// Active says whether a call is still to come.
func (t *Timer[C]) Active() bool { return t.index >= 0 }

// advance moves t past now and reports whether there is another call.
func (t *Timer[C]) advance(now time.Time) bool {
	if t.left > 0 {
		if t.left--; t.left == 0 {
			return false
		}
	}
	if t.cron != nil {
		t.due = t.cron.Next(now)
		return !t.due.IsZero()
	}
	t.due = t.due.Add(t.every + now.Sub(t.due).Truncate(t.every))
	return true
}

// queue is the heap of a set, the earliest first.
type queue[C any] []*Timer[C]

func (q queue[C]) Len() int { return len(q) }
func (q queue[C]) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].seq < q[j].seq
	}
	return q[i].due.Before(q[j].due)
}
func (q queue[C]) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *queue[C]) Push(x any) {
	t := x.(*Timer[C])
	t.index = len(*q)
	*q = append(*q, t)
}
func (q *queue[C]) Pop() any {
	old := *q
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	t.index = -1
	return t
}
