package actors

import "sync/atomic"

// node is one message in an inbox. It belongs to whoever holds it: the sender
// until the push, the reader after the take.
type node[T any] struct {
	next *node[T]
	v    T
}

// inbox is a queue of many senders and one reader, without a lock and, empty,
// without a buffer: an idle actor costs two words. Pushes are ordered by the
// swing of head; the reader takes all that is there and turns it round.
//
// The zero value is ready.
type inbox[T any] struct {
	head    atomic.Pointer[node[T]] // newest first
	running atomic.Bool             // a reader is at work, or about to be
}

// push adds n. When it returns true, the caller must start the reader.
func (q *inbox[T]) push(n *node[T]) (start bool) {
	for {
		old := q.head.Load()
		n.next = old
		if q.head.CompareAndSwap(old, n) {
			break
		}
	}
	return !q.running.Load() && q.running.CompareAndSwap(false, true)
}

// take returns all messages, oldest first, or nil.
func (q *inbox[T]) take() (oldest *node[T]) {
	for n := q.head.Swap(nil); n != nil; {
		next := n.next
		n.next, oldest = oldest, n
		n = next
	}
	return oldest
}

// rest ends the reader's work, unless something has come in the meantime: then
// it returns false, and the reader must go on.
func (q *inbox[T]) rest() bool {
	q.running.Store(false)
	return q.head.Load() == nil || !q.running.CompareAndSwap(false, true)
}
