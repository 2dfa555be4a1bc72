package actors

// fifo is a queue of nodes with one owner. The zero value is empty.
type fifo[T any] struct{ first, last *node[T] }

func (q *fifo[T]) push(n *node[T]) {
	n.next = nil
	if q.last == nil {
		q.first = n
	} else {
		q.last.next = n
	}
	q.last = n
}

func (q *fifo[T]) pop() *node[T] {
	n := q.first
	if n == nil {
		return nil
	}
	if q.first = n.next; q.first == nil {
		q.last = nil
	}
	n.next = nil
	return n
}

func (q *fifo[T]) empty() bool { return q.first == nil }
