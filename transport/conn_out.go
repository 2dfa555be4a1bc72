package transport

import (
	"errors"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

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
