package rooms

import (
	"container/heap"
	"time"
)

// Timer is one pending call of a room, made by Ctx.After or Ctx.Every. It
// belongs to the room: use it only inside the room's own methods.
type Timer struct {
	due   time.Time
	every time.Duration
	seq   uint64 // ties are called in the order they were made
	index int    // place in the heap, -1 when not pending
	f     func(c *Ctx)
	owner *timers
}

// Stop ends the timer. Stopping twice, or after the last call, does nothing.
func (t *Timer) Stop() {
	t.every = 0
	if t.index >= 0 {
		heap.Remove(&t.owner.heap, t.index)
	}
}

// timers holds a room's pending calls. It decides from the time it is told.
type timers struct {
	heap timerHeap
	seq  uint64
}

func (ts *timers) add(now time.Time, d, every time.Duration, f func(c *Ctx)) *Timer {
	ts.seq++
	t := &Timer{due: now.Add(max(d, 0)), every: every, seq: ts.seq, f: f, owner: ts}
	heap.Push(&ts.heap, t)
	return t
}

// next returns when the earliest timer is due; ok is false when there is none.
func (ts *timers) next() (due time.Time, ok bool) {
	if len(ts.heap) == 0 {
		return time.Time{}, false
	}
	return ts.heap[0].due, true
}

// pop takes the earliest timer that is due. A repeating one is put back at the
// next multiple of its interval after now, so that it neither drifts nor makes
// up for what was missed.
func (ts *timers) pop(now time.Time) (f func(c *Ctx), ok bool) {
	if len(ts.heap) == 0 || ts.heap[0].due.After(now) {
		return nil, false
	}
	t := ts.heap[0]
	if t.every <= 0 {
		heap.Pop(&ts.heap)
		return t.f, true
	}
	t.due = t.due.Add(t.every + now.Sub(t.due).Truncate(t.every))
	heap.Fix(&ts.heap, 0)
	return t.f, true
}

type timerHeap []*Timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].seq < h[j].seq
	}
	return h[i].due.Before(h[j].due)
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
