// Package inbox is the queue of a loop that owns its state: from any goroutine to
// one reader, without ever blocking a sender.
package inbox

// Inbox is such a queue. It is a value of two channels: copies are the same inbox,
// and the zero value is none; New makes one.
type Inbox struct {
	queue chan []any // holds the queue; whoever takes it owns it until it is put back
	wake  chan struct{}
}

// New returns an empty inbox.
func New() Inbox {
	b := Inbox{queue: make(chan []any, 1), wake: make(chan struct{}, 1)}
	b.queue <- nil
	return b
}

// Put appends a message, unless limit (when positive) messages wait already: then
// it reports false. Safe from any goroutine.
func (b Inbox) Put(m any, limit int) bool {
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

// Wake has a value when something may have come since the last one was read.
func (b Inbox) Wake() <-chan struct{} { return b.wake }

// Take empties the queue, oldest first. The slice is the caller's.
func (b Inbox) Take() []any {
	q := <-b.queue
	b.queue <- nil
	return q
}
