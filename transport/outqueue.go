package transport

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/protocol"
)

// outEntry is a piece of output that waits. Once a byte of it is sent it must be
// sent to the end.
type outEntry struct {
	b        []byte
	replace  uint64
	messages int32 // from an audience, counted when they are dropped
	begun    bool
	lossy    bool // may be dropped to make room
}

// outQueue is the output that a socket would not take. Queues are pooled: most
// connections never have one.
type outQueue struct {
	entries []outEntry
	bytes   int
}

var outQueues = sync.Pool{New: func() any { return new(outQueue) }}

// full reports whether n more bytes are too many, after making room by dropping
// what newer values have replaced; then the connection ends. Under mu.
func (c *Conn) full(n int) bool {
	limit := c.loop.outLimit
	if limit <= 0 || c.queued()+n <= limit {
		return false
	}
	if c.dropReplaceable(); c.queued()+n <= limit {
		return false
	}
	if c.dropOldest(c.queued() + n - limit) {
		return false
	}
	if c.end(protocol.ReasonSlow) {
		c.loop.post(op{kind: opEnd, conn: c, err: errSlow})
	}
	return true
}

var errSlow = errors.New("transport: more unsent bytes than a connection may hold")

// enqueue lets b wait; begun says that it is the rest of something. Under mu.
func (c *Conn) enqueue(b []byte, begun, shared bool, replace uint64) *outEntry {
	if c.out == nil {
		c.out = outQueues.Get().(*outQueue)
	}
	if !shared {
		b = append([]byte(nil), b...)
	}
	c.unqueue(replace)
	c.out.entries = append(c.out.entries, outEntry{b: b, replace: replace, begun: begun})
	c.out.bytes += len(b)
	c.arm(true)
	return &c.out.entries[len(c.out.entries)-1]
}

// unqueue drops what waits with the same key. Under mu.
func (c *Conn) unqueue(replace uint64) {
	if replace == 0 {
		return
	}
	c.filter(&c.loop.stats.droppedStale, func(e *outEntry) bool { return e.replace != replace || e.begun })
}

func (c *Conn) dropReplaceable() {
	if c.out != nil {
		c.filter(&c.loop.stats.droppedStale, func(e *outEntry) bool { return e.replace == 0 || e.begun })
	}
}

// dropOldest makes room for n bytes by dropping lossy entries, the oldest first.
// It reports whether that was enough. Under mu.
func (c *Conn) dropOldest(n int) bool {
	if c.out == nil {
		return false
	}
	c.filter(&c.loop.stats.droppedSlow, func(e *outEntry) bool {
		if n <= 0 || !e.lossy || e.begun {
			return true
		}
		n -= len(e.b)
		return false
	})
	return n <= 0
}

// messages is how many messages of audiences wait; q may be nil.
func (q *outQueue) messages() (n uint64) {
	if q != nil {
		for i := range q.entries {
			n += uint64(q.entries[i].messages)
		}
	}
	return n
}

// filter keeps the entries for which keep holds and counts the others. Under mu.
func (c *Conn) filter(dropped *atomic.Uint64, keep func(*outEntry) bool) {
	q := c.out
	kept := q.entries[:0]
	for i := range q.entries {
		if e := &q.entries[i]; keep(e) {
			kept = append(kept, *e)
		} else {
			q.bytes -= len(e.b)
			dropped.Add(uint64(max(1, e.messages)))
		}
	}
	clear(q.entries[len(kept):])
	q.entries = kept
}

// sent takes n bytes off the queue. Under mu.
func (c *Conn) sent(n int) {
	c.loop.stats.bytesOut.Add(uint64(n))
	q := c.out
	q.bytes -= n
	i := 0
	for ; i < len(q.entries) && n >= len(q.entries[i].b); i++ {
		n -= len(q.entries[i].b)
	}
	if i == len(q.entries) {
		c.release()
		c.arm(false)
		c.shutIfFlushed()
		return
	}
	if n > 0 {
		q.entries[i].b, q.entries[i].begun = q.entries[i].b[n:], true
	}
	rest := copy(q.entries, q.entries[i:])
	clear(q.entries[rest:])
	q.entries = q.entries[:rest]
}

// release gives the queue back. Under mu.
func (c *Conn) release() {
	if c.out != nil {
		clear(c.out.entries)
		c.out.entries, c.out.bytes = c.out.entries[:0], 0
		if cap(c.out.entries) <= 64 {
			outQueues.Put(c.out)
		}
		c.out = nil
	}
	c.hold = nil
}

// queued is what waits, held frames included. Under mu.
func (c *Conn) queued() (n int) {
	if c.out != nil {
		n = c.out.bytes
	}
	if c.hold != nil {
		n += c.hold.bytes
	}
	return n
}

// Queued is the number of bytes written and not yet taken by the socket.
func (c *Conn) Queued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queued()
}
