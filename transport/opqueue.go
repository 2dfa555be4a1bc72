package transport

import (
	"sync"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/protocol"
)

// opKind says what a loop is asked to do, and which fields of the op count.
type opKind uint8

const (
	opAdopt     opKind = iota // conn: a new connection of this loop
	opDial                    // conn: begin to connect
	opReady                   // conn: its portable socket has input, or an error
	opEnd                     // conn: Conn.Close was called, or its queue overflowed
	opGone                    // conn, err: a write found the peer gone
	opTimer                   // conn: its timer is due sooner than the wheel knows
	opJoin                    // shard, conn
	opLeave                   // shard, conn
	opSend                    // shard, conn, frame
	opReply                   // shard, conn, value
	opMulticast               // shard, conns, frame, fan
	opBroadcast               // shard, conn (the exception), frame, fan
	opMerge                   // shard, value
	opDisband                 // shard
	opStop                    // reason: close all connections, end when they have
	opCut                     // reason: drop all connections now
)

// op is one request to a loop. It is a value that nobody changes once posted.
type op struct {
	kind   opKind
	reason protocol.Reason
	conn   *Conn
	shard  *shard
	fan    *fanout
	conns  []*Conn
	frame  protocol.Frame
	value  any
	err    error
}

// opQueue is the one way into a loop: many goroutines post, the loop takes. Its
// order is the order of everything that audiences do. It has no bound of its
// own: joins and closes must not be lost, broadcasts are bounded by the shard.
type opQueue struct {
	mu     sync.Mutex
	ops    []op
	closed bool // the loop has ended

	// asleep is true while the loop parks, or is about to: whoever turns it
	// false wakes the loop. A batch of posts so costs one wake-up.
	asleep atomic.Bool
}

// add appends o and reports whether the loop must be woken. ok is false when
// the loop has ended.
func (q *opQueue) add(o op) (wake, ok bool) {
	if !q.put(o) {
		return false, false
	}
	return q.rouse(), true
}

// put appends o for a loop that is known to come for it.
func (q *opQueue) put(o op) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.ops = append(q.ops, o)
	return true
}

// rouse reports whether the loop sleeps and it is the caller who must wake it.
func (q *opQueue) rouse() bool { return q.asleep.Load() && q.asleep.CompareAndSwap(true, false) }

// take returns what was posted and leaves spare, emptied, to be filled next.
func (q *opQueue) take(spare []op) []op {
	q.mu.Lock()
	ops := q.ops
	if len(ops) > 0 {
		q.ops = spare[:0]
	}
	q.mu.Unlock()
	return ops
}

// sleep announces that the loop is going to park; false means that it must not,
// because something was posted.
func (q *opQueue) sleep() bool {
	q.asleep.Store(true)
	q.mu.Lock()
	empty := len(q.ops) == 0
	q.mu.Unlock()
	if !empty {
		q.asleep.Store(false)
	}
	return empty
}

// close refuses further ops and returns those that nobody will take.
func (q *opQueue) close() []op {
	q.mu.Lock()
	defer q.mu.Unlock()
	ops := q.ops
	q.ops, q.closed = nil, true
	return ops
}
