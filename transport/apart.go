package transport

import (
	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// catchUp gives c at once what it would get from walks, so that what is for c
// alone keeps its place without waiting for them.
func (s *shard) catchUp(c *Conn) {
	m := s.member(c)
	if m == nil || m.got == s.seq {
		return
	}
	s.deliver(m, s.walk.list)
	s.deliver(m, s.queue)
	m.got = s.seq
}

// deliver gives m what it has not got of list, in as few writes as a walk of
// its own would take: who joins a room that fills must not cost more than who
// sits in it.
func (s *shard) deliver(m *member, list []broadcast) {
	for len(list) > 0 {
		n, p := s.gather(m, list)
		ok := p.messages == 0 || m.conn.fromAudience(&p)
		s.account(m, list[:n], ok)
		list = list[n:]
	}
}

// gather makes one write of the first n broadcasts of list, of those among them
// that m is to get. A single one is shared with other members; several are
// copied, good until the next call.
func (s *shard) gather(m *member, list []broadcast) (n int, p parcel) {
	kind := m.conn.kind
	buf := append(s.loop.fan.scratch[:0], make([]byte, protocol.Headroom)...)
	var first *broadcast
	for ; n < len(list); n++ {
		b := &list[n]
		if !b.owed(m) || !b.fits(kind) || b.stale {
			continue
		}
		more := b.frame.Payload()
		if first != nil && (len(buf)-protocol.Headroom+len(more) > messageBytes || s.alone(b) || s.alone(first)) {
			break
		}
		if first == nil {
			first = b
		}
		p.messages++
		if kind == kindText {
			buf = appendWSMessage(buf, ws.OpText, b.frame.Text, false)
		} else {
			buf = append(buf, more...)
		}
	}
	s.loop.fan.scratch = buf
	p.lossy = s.window.Lossy
	switch {
	case p.messages == 0:
	case p.messages == 1:
		p.wire, p.replace, p.shared = wireOf(&first.frame, kind), first.frame.Replace, true
	case kind == kindSocket:
		p.wire = buf[putWSHeader(buf[:protocol.Headroom], len(buf)-protocol.Headroom):]
	default:
		p.wire = buf[protocol.Headroom:]
	}
	return n, p
}

// account counts what became of broadcasts for m.
func (s *shard) account(m *member, list []broadcast, ok bool) {
	t := &s.loop.tally
	for i := range list {
		b := &list[i]
		switch {
		case !b.owed(m):
			continue
		case !b.fits(m.conn.kind):
			t.skipped++
			continue
		case b.stale:
			b.dropped++
			t.droppedStale++
		case ok:
			b.sent++
		default:
			b.dropped++
		}
		t.messagesOut++
	}
}
