package transport

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/gobwas/ws"

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

// hold is what audiences send behind a reply that is with the receiver.
type hold struct {
	entries []heldEntry
	bytes   int
}

// heldEntry is a frame, or the mark of a further reply.
type heldEntry struct {
	parcel
	reply bool
}

// parcel is what an audience gives a connection: one or several messages.
type parcel struct {
	wire     []byte
	replace  uint64
	messages int32
	shared   bool // nobody writes to wire any more
	lossy    bool // see Merge.Lossy
}

// Write sends buf[protocol.Headroom:], one or several whole packages. The
// headroom is scratch space for the WebSocket header; the whole of buf is the
// caller's again on return. What the socket does not take at once is copied and
// sent later; more than OutLimit unsent bytes close with ReasonSlow.
func (c *Conn) Write(buf []byte) {
	if len(buf) <= protocol.Headroom {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	start := protocol.Headroom
	switch {
	case c.kind == kindStream:
	case c.loop.client:
		start = sealMasked(buf, ws.OpBinary)
	default:
		start = putWSHeader(buf[:protocol.Headroom], len(buf)-protocol.Headroom)
	}
	c.send(buf[start:], false, 0)
	c.loop.stats.messagesOut.Add(1)
}

// WriteFrame sends the packages of f, or its text on a text endpoint (nothing
// when there is none). The bytes are shared and never written to.
func (c *Conn) WriteFrame(f protocol.Frame) {
	if c.kind == kindText {
		c.WriteText(f.Text)
		return
	}
	c.Write(append(make([]byte, protocol.Headroom), f.Payload()...))
}

// WriteText sends b as one text message, on a text endpoint; elsewhere it does
// nothing. b is the caller's again on return.
func (c *Conn) WriteText(b []byte) {
	if c.kind != kindText || len(b) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.send(appendWSMessage(nil, ws.OpText, b, c.loop.client), true, 0)
		c.loop.stats.messagesOut.Add(1)
	}
}

// raw sends bytes that need no frame. On the loop.
func (c *Conn) raw(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.send(b, false, 0)
	}
}

// sendClose queues a WebSocket close frame. Under mu.
func (c *Conn) sendClose() {
	code := c.reason.WS()
	if c.wsCode != 0 {
		code = c.wsCode
	}
	body := closeBody(code, c.reason.Text())
	c.push(appendWSMessage(nil, ws.OpClose, body, c.loop.client), true, 0)
}

// send writes b or queues it, within the limit. Shared bytes are not copied.
// Under mu.
func (c *Conn) send(b []byte, shared bool, replace uint64) {
	if c.out == nil || !c.full(len(b)) {
		c.push(b, shared, replace)
	}
}

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

// push writes b now if nothing waits, else or for the rest later. Under mu.
func (c *Conn) push(b []byte, shared bool, replace uint64) {
	n := 0
	if c.out == nil {
		var err error
		n, err = c.sock.write(b)
		c.loop.stats.writes.Add(1)
		c.loop.stats.bytesOut.Add(uint64(n))
		if err == nil {
			return
		}
		if !errors.Is(err, errAgain) {
			c.loop.post(op{kind: opGone, conn: c, err: err})
			return
		}
	}
	c.enqueue(b[n:], n > 0, shared, replace)
}

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

// messages is how many messages of audiences are held; h may be nil.
func (h *hold) messages() (n uint64) {
	if h != nil {
		for i := range h.entries {
			n += uint64(h.entries[i].messages)
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

// arm asks for word when the socket takes output again, or no longer. Under mu.
func (c *Conn) arm(on bool) {
	if c.armed != on {
		c.armed = on
		c.watch()
	}
}

// writable sends what waits. On the loop, or a portable socket's writer.
func (c *Conn) writable() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.out != nil && !c.closed {
		n, err := c.sock.flush(c.out.entries)
		c.loop.stats.writes.Add(1)
		c.sent(n)
		if err != nil && !errors.Is(err, errAgain) {
			c.loop.post(op{kind: opGone, conn: c, err: err})
			return
		}
		if err != nil && c.out != nil {
			return
		}
	}
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

// fromAudience sends p, or holds it while a reply is with the receiver. It
// reports whether the connection took it, and counts the messages when it did
// not. On the loop.
func (c *Conn) fromAudience(p *parcel) bool {
	t := &c.loop.tally
	c.mu.Lock()
	var ok bool
	switch {
	case c.ended:
		t.droppedClosed += uint64(p.messages)
	case c.out == nil && c.hold == nil:
		ok = c.pushParcel(p, t)
	case c.full(len(p.wire)):
		t.droppedSlow += uint64(p.messages)
	case c.hold == nil:
		ok = c.pushParcel(p, t)
	default:
		c.hold.add(p)
		ok = true
	}
	c.mu.Unlock()
	return ok
}

func (h *hold) add(p *parcel) {
	held := *p
	if !p.shared {
		held.wire, held.shared = bytes.Clone(p.wire), true
	}
	h.entries = append(h.entries, heldEntry{parcel: held})
	h.bytes += len(held.wire)
}

// pushParcel is push for what an audience sends, counted in t. It reports whether
// the socket or the queue took p. Under mu.
func (c *Conn) pushParcel(p *parcel, t *tally) bool {
	n := 0
	if c.out == nil {
		var err error
		if c.fd != noDescriptor {
			n, err = rawWrite(c.fd, p.wire)
		} else {
			n, err = c.sock.write(p.wire)
		}
		t.writes++
		t.bytesOut += uint64(n)
		if err == nil {
			return true
		}
		if !errors.Is(err, errAgain) {
			t.droppedClosed += uint64(p.messages)
			c.loop.post(op{kind: opGone, conn: c, err: err})
			return false
		}
	}
	e := c.enqueue(p.wire[n:], n > 0, p.shared, p.replace)
	e.messages, e.lossy = p.messages, p.lossy
	return true
}

// holdBack begins the hold of one reply. It reports whether there is somebody to
// hand the reply to.
func (c *Conn) holdBack() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	if c.hold == nil {
		c.hold = &hold{}
	} else {
		c.hold.entries = append(c.hold.entries, heldEntry{reply: true})
	}
	return true
}

// Resume ends the hold of one Receiver.Reply: what audiences sent after that
// value, up to the next one, is released.
func (c *Conn) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hold
	if h == nil {
		return
	}
	c.hold = nil
	var t tally
	defer func() { c.loop.stats.add(&t) }()
	for i, e := range h.entries {
		if e.reply {
			h.entries = h.entries[i+1:]
			c.hold = h
			return
		}
		h.bytes -= len(e.wire)
		switch {
		case c.ended:
			t.droppedClosed += uint64(e.messages)
		case c.out != nil && c.full(len(e.wire)):
			t.droppedSlow += uint64(e.messages)
		default:
			c.pushParcel(&e.parcel, &t)
		}
	}
}
