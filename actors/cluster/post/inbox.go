package post

// inbox is the queue of the loop. Put never blocks.
type inbox struct {
	queue chan []any // holds the queue; whoever takes it owns it until it is put back
	wake  chan struct{}
}

func newInbox() inbox {
	b := inbox{queue: make(chan []any, 1), wake: make(chan struct{}, 1)}
	b.queue <- nil
	return b
}

// put appends a message, unless limit (when positive) messages wait already.
func (b inbox) put(m any, limit int) bool {
	q := <-b.queue
	full := limit > 0 && len(q) >= limit
	if !full {
		q = append(q, m)
	}
	b.queue <- q
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return !full
}

// take empties the queue.
func (b inbox) take() []any {
	q := <-b.queue
	b.queue <- nil
	return q
}
