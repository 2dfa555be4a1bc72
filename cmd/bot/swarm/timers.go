package swarm

import (
	"container/heap"
	"sync"
)

// timers wakes sessions: a session has one timer, for whatever it waits for
// next. Safe from any goroutine; the lock of a session may be held, and none is
// taken.
type timers struct {
	mu      sync.Mutex
	heap    timerHeap
	earlier chan struct{} // the first of all has become another; one is enough
}

func newTimers() *timers { return &timers{earlier: make(chan struct{}, 1)} }

// set wakes s at the given moment, unless it is woken before that anyway: it
// then looks what it waits for and sets its timer again. A session that waits
// for answers sets a later time with each, which costs a comparison.
func (t *timers) set(s *session, at int64) {
	t.mu.Lock()
	first := false
	switch {
	case s.timer == 0:
		s.wakeAt = at
		heap.Push(&t.heap, s)
		first = t.heap[0] == s
	case at < s.wakeAt:
		s.wakeAt = at
		heap.Fix(&t.heap, int(s.timer)-1)
		first = t.heap[0] == s
	}
	t.mu.Unlock()
	if first {
		select {
		case t.earlier <- struct{}{}:
		default:
		}
	}
}

// next returns a session that is due, or else when the first one will be; 0:
// there is none.
func (t *timers) next(now int64) (due *session, at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.heap) == 0 {
		return nil, 0
	}
	if s := t.heap[0]; s.wakeAt <= now {
		heap.Pop(&t.heap)
		return s, 0
	}
	return nil, t.heap[0].wakeAt
}

// timerHeap is ordered by wakeAt. A session's timer is its place plus one.
type timerHeap []*session

// Len implements heap.Interface.
func (h timerHeap) Len() int { return len(h) }

// Less implements heap.Interface.
func (h timerHeap) Less(i, j int) bool { return h[i].wakeAt < h[j].wakeAt }

// Swap implements heap.Interface.
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].timer, h[j].timer = int32(i+1), int32(j+1)
}

// Push implements heap.Interface.
func (h *timerHeap) Push(x any) {
	s := x.(*session)
	*h = append(*h, s)
	s.timer = int32(len(*h))
}

// Pop implements heap.Interface.
func (h *timerHeap) Pop() any {
	old := *h
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	s.timer = 0
	return s
}
