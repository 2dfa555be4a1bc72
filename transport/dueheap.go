package transport

import "container/heap"

// dueHeap holds the shards whose window is open, the one that ends first on top.
// The wheel is of no use here: its tick is as long as a short window.
type dueHeap []*shard

// expire takes the shards off whose window has ended by now, and tells them.
func (h *dueHeap) expire(now int64) {
	for len(*h) > 0 && (*h)[0].due <= now {
		heap.Pop(h).(*shard).windowEnded(now)
	}
}

// set makes s due at the given time.
func (h *dueHeap) set(s *shard, at int64) {
	if s.place == 0 {
		s.due = at
		heap.Push(h, s)
	} else if s.due != at {
		s.due = at
		heap.Fix(h, s.place-1)
	}
}

// remove forgets s, which need not be there.
func (h *dueHeap) remove(s *shard) {
	if s.place > 0 {
		heap.Remove(h, s.place-1)
	}
}

// next is when the first window ends.
func (h dueHeap) next() (at int64, ok bool) {
	if len(h) == 0 {
		return 0, false
	}
	return h[0].due, true
}

// Len implements heap.Interface, as the others do.
func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}
func (h *dueHeap) Push(x any) {
	s := x.(*shard)
	*h = append(*h, s)
	s.place = len(*h)
}
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	s.place = 0
	return s
}
