package transport

import (
	"bytes"
	"errors"
)

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

// messages is how many messages of audiences are held; h may be nil.
func (h *hold) messages() (n uint64) {
	if h != nil {
		for i := range h.entries {
			n += uint64(h.entries[i].messages)
		}
	}
	return n
}

func (h *hold) add(p *parcel) {
	held := *p
	if !p.shared {
		held.wire, held.shared = bytes.Clone(p.wire), true
	}
	h.entries = append(h.entries, heldEntry{parcel: held})
	h.bytes += len(held.wire)
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
