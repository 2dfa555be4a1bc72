package transport

import (
	"errors"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// messageFactor is how many packages of the largest size one WebSocket message
// may hold: packages are cut as they arrive, so a large message costs no memory.
const messageFactor = 16

// input takes what one read brought; b lies at loop.used of the loop's chunk.
func (c *Conn) input(b []byte) {
	switch c.phase {
	case phaseSniff:
		c.sniffed(b)
	case phaseHead:
		c.head(b)
	case phaseOpen:
		c.open(b, c.loop.chunk)
	default: // ending: thrown away
	}
}

// sniffed looks at the first bytes of a client.
func (c *Conn) sniffed(b []byte) {
	switch k, ok := sniff(b); {
	case !ok:
	case k == kindPomelo:
		c.kind = kindStream
		if c.begin() {
			c.open(b, c.loop.chunk)
		}
	case k == kindHTTP:
		c.phase, c.in = phaseHead, &partial{}
		c.head(b)
	default:
		c.fail(protocol.ReasonProtocol, errUnknownProtocol)
	}
}

var errUnknownProtocol = errors.New("transport: neither a package nor HTTP")

// begin hands the connection to its receiver.
func (c *Conn) begin() bool {
	c.phase = phaseOpen
	c.setDeadline(0)
	if c.loop.client {
		c.recv.(ClientReceiver).Opened(c.loop.time)
		return c.phase == phaseOpen
	}
	if c.recv = c.loop.open(c); c.recv == nil {
		c.fail(protocol.ReasonOverload, nil)
		return false
	}
	return c.phase == phaseOpen
}

// head gathers an HTTP head: the request of a client, or a server's answer to ours.
func (c *Conn) head(b []byte) {
	in := c.in
	in.head = append(in.head, b...)
	n := headEnd(in.head, in.seen)
	in.seen = len(in.head)
	switch {
	case n == 0 && len(in.head) > c.loop.maxHead:
		c.fail(protocol.ReasonTooBig, errLongHead)
	case n == 0:
	case c.loop.client:
		c.answered(n)
	default:
		c.requested(n)
	}
}

var errLongHead = errors.New("transport: HTTP head is too long")

// requested deals with a client's whole head of n bytes.
func (c *Conn) requested(n int) {
	all := c.in.head
	if n > c.loop.maxHead {
		c.fail(protocol.ReasonTooBig, errLongHead)
		return
	}
	res, err := parseUpgrade(all[:n], &c.loop.upgrade)
	if res.handOff {
		c.loop.stats.handedOff.Add(1)
		c.loop.handOff(c, all)
		return
	}
	c.raw(res.response)
	if err != nil {
		c.fail(protocol.ReasonHandshakeRefused, err)
		return
	}
	c.loop.stats.upgraded.Add(1)
	c.asked = &asked{path: res.path, query: res.query, header: res.header}
	c.upgraded(res.text)
	c.in = nil
	if c.begin() && len(all) > n {
		c.open(all[n:], nil)
	}
}

// upgraded turns the connection into a WebSocket.
func (c *Conn) upgraded(text bool) {
	limit := c.loop.maxBody
	if c.kind = kindSocket; text {
		c.kind = kindText
	} else if limit > 0 {
		limit = messageFactor * (limit + protocol.HeadLen)
	}
	c.ws = newWSReader(!c.loop.client, text, limit)
}

// open takes payload. chunk is what b aliases; nil says that b is nobody's.
func (c *Conn) open(b []byte, chunk *protocol.Chunk) {
	l := c.loop
	shared := l.shared
	l.shared, l.from = false, chunk
	if c.kind == kindStream {
		c.packages(b)
	} else if err := c.ws.feed(b, c); err != nil {
		c.refused(err)
	}
	if l.shared && chunk == l.chunk && chunk != nil {
		l.used += len(b)
	}
	l.shared, l.from = shared, nil
	c.recv.Batch()
	if c.phase == phaseOpen {
		c.pauseIfFull()
	}
}

// payload implements wsSink.
func (c *Conn) payload(b []byte, final, text bool) error {
	if c.phase != phaseOpen {
		return errEnded
	}
	if !text {
		c.packages(b)
		return nil
	}
	if c.in != nil || !final {
		if c.in == nil {
			c.in = &partial{}
		}
		c.in.text = append(c.in.text, b...)
		if !final {
			return nil
		}
		b = c.in.text
		c.in = nil
		c.deliver(protocol.Packet{Type: protocol.Data, Body: b}, nil)
		return nil
	}
	c.deliver(protocol.Packet{Type: protocol.Data, Body: b}, c.loop.lend())
	return nil
}

// errEnded stops a wsReader whose connection has ended meanwhile.
var errEnded = errors.New("transport: connection has ended")

// control implements wsSink.
func (c *Conn) control(o ws.OpCode, body []byte) error {
	switch o {
	case ws.OpPing:
		c.raw(appendWSMessage(nil, ws.OpPong, body, c.loop.client))
	case ws.OpClose:
		c.fail(protocol.ReasonClientGone, nil)
	}
	return nil
}

// refused ends a connection whose peer broke the rules of WebSocket.
func (c *Conn) refused(err error) {
	var broke *closeError
	switch {
	case errors.As(err, &broke):
		c.mu.Lock()
		c.wsCode = broke.code
		c.mu.Unlock()
		c.fail(broke.reason, err)
	case !errors.Is(err, errEnded):
		c.fail(protocol.ReasonProtocol, err)
	}
}

// packages cuts what is whole and keeps the rest.
func (c *Conn) packages(b []byte) {
	l := c.loop
	cutter := &l.cutter
	if c.in != nil {
		cutter = &c.in.cutter
	}
	for c.phase == phaseOpen {
		p, rest, err := cutter.Cut(b, l.maxBody)
		switch {
		case err == nil && cutter.Spanned():
			c.deliver(p, nil)
		case err == nil:
			c.deliver(p, l.lend())
		case errors.Is(err, protocol.ErrShort):
			c.keep(cutter)
			return
		default:
			c.unreadable(cutter, err)
			return
		}
		b = rest
	}
	l.cutter = protocol.Cutter{}
}

// keep holds on to an unfinished package until the next read.
func (c *Conn) keep(cutter *protocol.Cutter) {
	switch {
	case cutter.Buffered() == 0:
		c.in = nil
	case c.in == nil:
		c.in = &partial{cutter: *cutter}
		c.loop.cutter = protocol.Cutter{}
	}
}

func (c *Conn) unreadable(cutter *protocol.Cutter, err error) {
	*cutter = protocol.Cutter{}
	reason := protocol.ReasonProtocol
	var broke *protocol.DecodeError
	if errors.As(err, &broke) && broke.Reason != protocol.ReasonNone {
		reason = broke.Reason
	}
	c.fail(reason, err)
}

// deliver hands one package to the receiver.
func (c *Conn) deliver(p protocol.Packet, chunk *protocol.Chunk) {
	c.loop.tally.packetsIn++
	c.charge(len(p.Body))
	c.recv.Packet(p, chunk)
}

// lend takes a reference to the chunk that the current input lies in; nil when it
// lies in none and belongs to the receiver.
func (l *loop) lend() *protocol.Chunk {
	if l.from != nil {
		l.from.Retain()
		l.shared = true
	}
	return l.from
}
