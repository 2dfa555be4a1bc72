package transport

import (
	"sync/atomic"

	"github.com/shaddock-game/shaddock/protocol"
)

// Audience is the fan-out port of one room on this gate: its members, grouped
// by the loops they live on. All methods are called by one goroutine at a time
// and never block; each costs at most one wake-up per loop.
//
// What one audience sends to one connection arrives in the order of the calls.
// A connection that ends leaves by itself; leaving twice or joining twice is
// harmless. The zero value is not usable; see Server.NewAudience.
type Audience struct {
	engine *engine
	shards []*shard // by loop; nil where nobody has joined yet
	closed bool
}

func newAudience(e *engine) *Audience {
	return &Audience{engine: e, shards: make([]*shard, len(e.loops))}
}

// shard returns the audience's part on c's loop.
func (a *Audience) shard(c *Conn) *shard {
	s := a.shards[c.loop.id]
	if s == nil {
		s = &shard{loop: c.loop}
		a.shards[c.loop.id] = s
	}
	return s
}

func (a *Audience) post(c *Conn, o op) {
	if a.closed || c == nil {
		return
	}
	o.conn, o.shard = c, a.shard(c)
	c.loop.post(o)
}

// Join makes c a member: it gets every broadcast called from now on, and none
// called before, however many of those are still being written.
func (a *Audience) Join(c *Conn) { a.post(c, op{kind: opJoin}) }

// Leave ends c's membership. Broadcasts called before still reach it.
func (a *Audience) Leave(c *Conn) { a.post(c, op{kind: opLeave}) }

// Send writes f to c alone, member or not.
func (a *Audience) Send(c *Conn, f protocol.Frame) {
	seal(f)
	a.post(c, op{kind: opSend, frame: f})
}

// Reply hands v to c's receiver, after everything that was sent to c before,
// and holds back what audiences send to c afterwards until Conn.Resume.
func (a *Audience) Reply(c *Conn, v any) { a.post(c, op{kind: opReply, value: v}) }

// Multicast writes f to the given members. cs belongs to the audience from now
// on. done, if not nil, is called once on some loop, as with Broadcast; a
// connection that is not a member counts as dropped.
func (a *Audience) Multicast(cs []*Conn, f protocol.Frame, done func(sent, dropped int)) {
	fan := newFanout(done)
	seal(f)
	for _, l := range a.engine.loops {
		var here []*Conn
		for _, c := range cs {
			if c.loop == l {
				here = append(here, c)
			}
		}
		if len(here) > 0 && !a.closed {
			a.give(l, op{kind: opMulticast, shard: a.shard(here[0]), conns: here, frame: f, fan: fan})
		}
	}
	fan.settle(0, 0)
}

// Broadcast writes f to every member but except (nil: to all). done, if not
// nil, is called once on some loop and must not block: sent members have f in
// their socket or queue, dropped ones had ended. Text members for which f has
// no text are in neither count.
func (a *Audience) Broadcast(f protocol.Frame, except *Conn, done func(sent, dropped int)) {
	fan := newFanout(done)
	seal(f)
	for i, s := range a.shards {
		if s == nil || a.closed {
			continue
		}
		l := a.engine.loops[i]
		l.stats.broadcasts.Add(1)
		if limit := int64(l.walkLimit); limit > 0 && s.pending.Add(int64(len(f.Packages))) > limit {
			s.pending.Add(-int64(len(f.Packages)))
			lost := s.size.Load()
			l.stats.droppedFull.Add(uint64(lost))
			fan.add(0, int(lost))
			continue
		}
		a.give(l, op{kind: opBroadcast, shard: s, conn: except, frame: f, fan: fan})
	}
	fan.settle(0, 0)
}

func (a *Audience) give(l *loop, o op) {
	o.fan.parts.Add(1)
	if !l.post(o) {
		o.fan.settle(0, 0)
	}
}

// Close makes everyone leave, after what was sent before. An audience that is
// closed does nothing.
func (a *Audience) Close() {
	if a.closed {
		return
	}
	a.closed = true
	for i, s := range a.shards {
		if s != nil {
			a.engine.loops[i].post(op{kind: opDisband, shard: s})
		}
	}
}

// seal writes the WebSocket header of a message into the headroom of f, once for
// all members.
func seal(f protocol.Frame) {
	if n := len(f.Payload()); n > 0 {
		putWSHeader(f.Packages[:protocol.Headroom], n)
	}
}

// sealed returns the sealed WebSocket frame of f.
func sealed(f protocol.Frame) []byte {
	n := len(f.Payload())
	if n == 0 {
		return nil
	}
	head := 2
	switch {
	case n > 0xffff:
		head = 10
	case n > 125:
		head = 4
	}
	return f.Packages[protocol.Headroom-head:]
}

// fanout counts what became of one broadcast over all loops; nil counts nothing.
type fanout struct {
	done          func(sent, dropped int)
	parts         atomic.Int32
	sent, dropped atomic.Int64
}

// newFanout begins with the caller's own part, so that it cannot be done before
// all loops have theirs.
func newFanout(done func(sent, dropped int)) *fanout {
	f := &fanout{done: done}
	f.parts.Store(1)
	return f
}

func (f *fanout) add(sent, dropped int) {
	f.sent.Add(int64(sent))
	f.dropped.Add(int64(dropped))
}

// settle ends one part.
func (f *fanout) settle(sent, dropped int) {
	f.add(sent, dropped)
	if f.parts.Add(-1) == 0 && f.done != nil {
		f.done(int(f.sent.Load()), int(f.dropped.Load()))
	}
}
