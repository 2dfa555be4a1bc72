package transport

import (
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

const (
	// readSize is the most one read brings: a connection that sends without
	// pause gets as much per turn as every other.
	readSize = 16 << 10
	// readMin is the space worth reading into; with less a new chunk is begun.
	readMin = 4 << 10
	// turnWrites is how many writes the walks of one turn may make before
	// sockets are read again: about a millisecond's worth.
	turnWrites = 128
)

// loop is one goroutine that owns connections: their input, their timers, and
// its shard of every audience. Other goroutines reach it through post.
type loop struct {
	// Set at birth, read-only afterwards.
	*engine
	id   int
	poll poller

	// Safe from any goroutine.
	queue opQueue
	load  atomic.Int64 // connections, those on their way included
	stats counters

	// Owned by run.
	conns    []*Conn // by slot; nil where free
	free     []int32 // slots to use again
	freed    []int32 // slots to use again from the next turn on
	live     int     // connections in conns
	stopping bool
	wheel    wheel
	now      int64 // engine clock of this turn
	time     time.Time
	spare    []op // the other buffer of queue
	ops      []op // taken from queue
	opsDone  int  // of ops
	chunk    *protocol.Chunk
	used     int             // bytes of chunk that messages alias
	cutter   protocol.Cutter // for connections that have no unfinished package
	from     *protocol.Chunk // what the input being cut aliases, nil when nothing shared
	shared   bool            // a message of this input aliases from
	fan      fanState
	tally    tally // counted in this turn, not yet in stats
}

func newLoop(e *engine, id int, p poller) *loop {
	return &loop{engine: e, id: id, poll: p}
}

// post asks the loop for o, from any goroutine. false means that the loop has
// ended and o will not be done.
func (l *loop) post(o op) bool {
	wake, ok := l.queue.add(o)
	if wake {
		l.poll.wake()
	}
	return ok
}

// yieldEvery is how long a loop that always finds work keeps its processor to
// itself, in nanoseconds. Yielding wakes another thread to look for work, which at
// a low load cost more than all else: 28 instead of 16 µs for an echo.
const yieldEvery = 200_000

// run is the loop's goroutine. Each turn takes what is ready, then what was
// posted, then writes; unless walks go on, it ends in parking, which looks once
// more for what is ready.
func (l *loop) run() {
	yielded, waited := int64(0), true
	for !l.finished() {
		if l.clockIn(); waited {
			yielded = l.now
		}
		l.poll.poll(l)
		l.runOps()
		l.walk(turnWrites)
		l.wheel.advance(l.now, l.due)
		l.clockOut()
		waited = l.idle() && l.park()
		if !waited && l.now-yielded > yieldEvery {
			runtime.Gosched()
			waited = true
		}
	}
	l.end()
}

func (l *loop) clockIn() {
	l.time = time.Now()
	l.now = l.clock(l.time)
}

// clockOut makes the turn's results visible.
func (l *loop) clockOut() {
	l.stats.add(&l.tally)
	l.tally = tally{}
	l.free = append(l.free, l.freed...)
	l.freed = l.freed[:0]
}

// idle reports whether nothing is left that only the next turn would do.
func (l *loop) idle() bool {
	return l.fan.last == nil && l.opsDone == len(l.ops) && !l.finished()
}

// park reports whether the goroutine has waited.
func (l *loop) park() (waited bool) {
	l.poll.arm(l.nextTimer())
	if l.queue.sleep() {
		waited = l.poll.park()
		l.queue.asleep.Store(false)
	}
	return waited
}

func (l *loop) nextTimer() time.Time {
	at, ok := l.wheel.next()
	if due, any := l.fan.due.next(); any && (!ok || due < at) {
		at, ok = due, true
	}
	if !ok {
		return time.Time{}
	}
	return l.born.Add(time.Duration(at))
}

// finished reports whether everybody has gone after opStop.
func (l *loop) finished() bool { return l.stopping && l.live == 0 }

// end settles what nobody will do any more.
func (l *loop) end() {
	for _, o := range l.ops[l.opsDone:] {
		l.refuse(o)
	}
	for _, o := range l.queue.close() {
		l.refuse(o)
	}
	l.fan.abandon()
	l.clockOut()
	if l.chunk != nil {
		l.chunk.Release()
	}
	l.poll.close()
}

// refuse ends an op that came after the loop had.
func (l *loop) refuse(o op) {
	switch o.kind {
	case opMulticast, opBroadcast:
		o.fan.settle(0, 0)
	case opAdopt, opDial:
		o.conn.stillborn()
	}
}

const (
	// opsKept is how many ops the queue's buffers keep room for after a burst.
	opsKept = 1024
	// turnOps is how many ops a turn does before sockets are read and walks go on.
	turnOps = 256
)

// runOps does what was posted, in order, and returns how much that was. What
// is more than a turn's worth waits for the next one.
func (l *loop) runOps() int {
	if len(l.ops) == 0 {
		l.ops = l.queue.take(l.spare)
	}
	batch := l.ops[l.opsDone:min(l.opsDone+turnOps, len(l.ops))]
	if len(batch) == 0 {
		l.ops = nil // it is still the queue's
		return 0
	}
	for i := range batch {
		l.do(&batch[i])
	}
	clear(batch) // frames and connections must not live on in the buffer
	if l.opsDone += len(batch); l.opsDone == len(l.ops) {
		if l.spare = l.ops[:0]; cap(l.ops) > opsKept {
			l.spare = nil
		}
		l.ops, l.opsDone = nil, 0
	}
	return len(batch)
}

func (l *loop) do(o *op) {
	c := o.conn
	switch o.kind {
	case opAdopt:
		l.adopt(c)
	case opDial:
		l.dial(c, o.value)
	case opReady:
		l.readable(c)
	case opEnd:
		c.ending(o.err)
	case opGone:
		c.abort(protocol.ReasonClientGone, o.err)
	case opTimer:
		l.schedule(c)
	case opStop:
		l.stop(o.reason)
	case opCut:
		l.cut(o.reason)
	default:
		o.shard.do(o)
	}
}

// adopt makes c one of this loop's connections.
func (l *loop) adopt(c *Conn) {
	l.enter(c)
	if err := c.sock.attach(c); err != nil {
		c.abort(protocol.ReasonInternal, err)
		return
	}
	c.setDeadline(l.handshake)
	if l.stopping {
		c.Close(protocol.ReasonShutdown)
	}
}

// enter gives c a slot.
func (l *loop) enter(c *Conn) {
	if n := len(l.free); n > 0 {
		c.slot = l.free[n-1]
		l.free = l.free[:n-1]
		l.conns[c.slot] = c
	} else {
		c.slot = int32(len(l.conns))
		l.conns = append(l.conns, c)
	}
	l.live++
	l.stats.open.Add(1)
}

// forget ends c's time on this loop. Its slot rests until the next turn, so that
// an event of this turn cannot reach a connection it was not meant for.
func (l *loop) forget(c *Conn) {
	l.wheel.remove(c)
	l.conns[c.slot] = nil
	l.freed = append(l.freed, c.slot)
	l.live--
	l.load.Add(-1)
	l.stats.open.Add(-1)
}

// readiness is what a poller found a descriptor to be.
type readiness struct{ in, out, bad bool }

// ready is called by the poller for the connection in a slot.
func (l *loop) ready(slot int32, r readiness) {
	c := l.conns[slot]
	if c == nil {
		return // gone earlier in this turn
	}
	if c.phase == phaseDial {
		l.dialled(c)
		return
	}
	if r.out {
		c.writable()
	}
	switch paused := c.paused.Load(); {
	case r.bad && paused: // what it has sent may be more than the budget: not read
		c.abort(protocol.ReasonClientGone, errReset)
	case r.bad || r.in && !paused:
		l.readable(c)
	}
}

var errReset = errors.New("transport: peer has gone")

// readable reads once. Readiness is level-triggered: what is left is reported
// again in the next turn.
func (l *loop) readable(c *Conn) {
	if c.phase == phaseGone {
		return
	}
	room := l.room()
	n, err := c.sock.read(room)
	l.tally.reads++
	switch {
	case n > 0:
		l.tally.bytesIn += uint64(n)
		c.input(room[:n])
	case errors.Is(err, errAgain):
	default:
		c.lost(err)
	}
}

// room returns space of the current chunk to read into: from its start where all
// that was read into it has been handled, so that the same few cache lines serve.
func (l *loop) room() []byte {
	if l.chunk != nil && l.used > 0 && l.chunk.Sole() {
		l.used = 0
	}
	if l.chunk != nil && protocol.ChunkSize-l.used < readMin {
		l.chunk.Release()
		l.chunk = nil
	}
	if l.chunk == nil {
		l.chunk, l.used = protocol.NewChunk(), 0
	}
	return l.chunk.Bytes()[l.used:min(l.used+readSize, protocol.ChunkSize)]
}

// stop closes every connection, and the loop when they are gone.
func (l *loop) stop(r protocol.Reason) {
	l.stopping = true
	for _, c := range l.conns {
		if c != nil {
			c.Close(r)
		}
	}
}

// cut drops every connection without waiting for what it still has to take.
func (l *loop) cut(r protocol.Reason) {
	l.stopping = true
	for _, c := range l.conns {
		if c != nil {
			c.abort(r, nil)
		}
	}
}
