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
	merge  Merge
	closed bool
}

func newAudience(e *engine) *Audience {
	return &Audience{engine: e, shards: make([]*shard, len(e.loops))}
}

// shard returns the audience's part on c's loop.
func (a *Audience) shard(c *Conn) *shard {
	s := a.shards[c.loop.id]
	if s == nil {
		s = &shard{loop: c.loop, window: window{Merge: a.merge}}
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

// SetMerge changes how broadcasts are gathered, from the next one on.
func (a *Audience) SetMerge(m Merge) {
	a.merge = m
	for i, s := range a.shards {
		if s != nil && !a.closed {
			a.engine.loops[i].post(op{kind: opMerge, shard: s, value: m})
		}
	}
}

// Join makes c a member: it gets every broadcast called from now on, and none
// called before, however many of those are still being written.
func (a *Audience) Join(c *Conn) { a.post(c, op{kind: opJoin}) }

// Leave ends c's membership. Broadcasts called before still reach it.
func (a *Audience) Leave(c *Conn) { a.post(c, op{kind: opLeave}) }

// Send writes f to c alone, member or not. Like a broadcast it is dropped and
// counted when the audience has Config.WalkLimit pending on c's loop.
func (a *Audience) Send(c *Conn, f protocol.Frame) {
	if a.closed || c == nil {
		return
	}
	seal(&f)
	if s := a.shard(c); a.charge(s, &f) {
		a.post(c, op{kind: opSend, frame: f})
	} else {
		c.loop.stats.lost(1)
	}
}

// charge counts f as pending on the loop of s, unless that would be too much.
func (a *Audience) charge(s *shard, f *protocol.Frame) bool {
	n, limit := cost(f), int64(s.loop.walkLimit)
	if s.pending.Add(n) > limit && limit > 0 {
		s.pending.Add(-n)
		return false
	}
	return true
}

// Reply hands v to c's receiver, after everything that was sent to c before,
// and holds back what audiences send to c afterwards until Conn.Resume.
func (a *Audience) Reply(c *Conn, v any) { a.post(c, op{kind: opReply, value: v}) }

// Multicast writes f to the given members. cs belongs to the audience from now
// on. done, if not nil, is called once on some loop, as with Broadcast; a
// connection that is not a member counts as dropped.
func (a *Audience) Multicast(cs []*Conn, f protocol.Frame, done func(sent, dropped int)) {
	fan := newFanout(done)
	seal(&f)
	for _, l := range a.engine.loops {
		var here []*Conn
		for _, c := range cs {
			if c.loop == l {
				here = append(here, c)
			}
		}
		if len(here) == 0 || a.closed {
			continue
		}
		s := a.shard(here[0])
		if !a.charge(s, &f) {
			l.stats.lost(len(here))
			fan.add(0, len(here))
			continue
		}
		fan.begin()
		if !l.post(op{kind: opMulticast, shard: s, conns: here, frame: f, fan: fan}) {
			fan.settle(0, 0)
		}
	}
	fan.settle(0, 0)
}

// Broadcast writes f to every member but except (nil: to all). done, if not
// nil, is called once on some loop and must not block: sent members have f in
// their socket or queue, dropped ones had ended, held too much, or live on a
// loop where the audience has Config.WalkLimit pending. Text members for which f
// has no text are in neither count.
func (a *Audience) Broadcast(f protocol.Frame, except *Conn, done func(sent, dropped int)) {
	fan := newFanout(done)
	seal(&f)
	for i, s := range a.shards {
		if s == nil || a.closed {
			continue
		}
		l := a.engine.loops[i]
		l.stats.broadcasts.Add(1)
		if !a.charge(s, &f) {
			lost := int(s.size.Load())
			if except != nil && except.loop == l {
				lost--
			}
			l.stats.lost(max(0, lost))
			fan.add(0, max(0, lost))
			continue
		}
		fan.begin()
		if !a.announce(s, op{kind: opBroadcast, shard: s, conn: except, frame: f, fan: fan}) {
			fan.settle(0, 0)
		}
	}
	fan.settle(0, 0)
}

// announce posts a broadcast. A loop that will come for it by itself is left to
// sleep, unless enough waits to end the window early: one wake-up a flush.
func (a *Audience) announce(s *shard, o op) bool {
	size := int64(len(o.frame.Packages))
	s.posted++
	s.postedBytes += size
	count, waiting := s.posted-s.begun.Load(), s.postedBytes-s.begunBytes.Load()
	full := a.merge.Count > 0 && count == int64(a.merge.Count) ||
		a.merge.Bytes > 0 && waiting >= int64(a.merge.Bytes) && waiting-size < int64(a.merge.Bytes)
	if !s.loop.queue.put(o) {
		return false
	}
	if (full || !s.expected.Load()) && s.loop.queue.rouse() {
		s.loop.poll.wake()
	}
	return true
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

// fanout counts what became of one broadcast over all loops; nil counts nothing.
type fanout struct {
	done          func(sent, dropped int)
	parts         atomic.Int32
	sent, dropped atomic.Int64
}

// newFanout begins with the caller's own part, so that it cannot be done before
// all loops have theirs. Without done there is nothing to count.
func newFanout(done func(sent, dropped int)) *fanout {
	if done == nil {
		return nil
	}
	f := &fanout{done: done}
	f.parts.Store(1)
	return f
}

// begin adds a part.
func (f *fanout) begin() {
	if f != nil {
		f.parts.Add(1)
	}
}

func (f *fanout) add(sent, dropped int) {
	if f != nil {
		f.sent.Add(int64(sent))
		f.dropped.Add(int64(dropped))
	}
}

// settle ends one part.
func (f *fanout) settle(sent, dropped int) {
	if f == nil {
		return
	}
	f.add(sent, dropped)
	if f.parts.Add(-1) == 0 {
		f.done(int(f.sent.Load()), int(f.dropped.Load()))
	}
}
