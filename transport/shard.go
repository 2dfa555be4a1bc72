package transport

import (
	"slices"
	"sync/atomic"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// mergeBytes is how long a merged WebSocket message may get: JavaScript clients
// break on much longer ones.
const mergeBytes = 48 << 10

// shard is an audience's part on one loop. What members are told passes through
// a queue of broadcasts, which walks deliver; a walk takes all that waits when it
// begins, so that what comes in while it writes is merged into the next: under
// load the batches grow instead of the queues.
type shard struct {
	loop *loop

	// Any goroutine.
	pending atomic.Int64 // bytes of broadcasts that no walk has finished
	size    atomic.Int32 // members

	// Owned by the loop.
	members []member
	seq     uint64      // of the newest broadcast
	queue   []broadcast // not begun
	walk    []broadcast // being delivered, merged into bytes
	bytes   merged
	at      int // the walk has still to visit members[:at]
	active  bool
}

// member is a connection in a shard, with the newest broadcast it has got or must
// not get. Walks go through the array from its end, and the last member fills a
// gap: nobody is passed over, and who is met twice has got it already.
type member struct {
	conn *Conn
	got  uint64
}

// seat is a connection's place in a shard.
type seat struct {
	shard *shard
	index int32
}

type broadcast struct {
	seq           uint64
	frame         protocol.Frame
	except        *Conn
	fan           *fanout
	sent, dropped int
}

// merged is what a walk writes: the same bytes to all members of a kind.
type merged struct {
	packages []byte // whole packages, for raw TCP
	socket   []byte // the same as one WebSocket message
	replace  uint64
}

func (c *Conn) seatIn(s *shard) int {
	return slices.IndexFunc(c.seats, func(t seat) bool { return t.shard == s })
}

// do carries out one op on this shard.
func (s *shard) do(o *op) {
	c := o.conn
	switch o.kind {
	case opJoin:
		s.join(c)
	case opLeave:
		s.catchUp(c)
		s.leave(c)
	case opSend:
		s.catchUp(c)
		s.give(c, o.frame)
	case opReply:
		s.catchUp(c)
		if c.phase == phaseOpen && c.holdBack() {
			c.recv.Reply(o.value)
		}
	case opMulticast:
		s.multicast(o)
	case opBroadcast:
		s.seq++
		s.queue = append(s.queue, broadcast{seq: s.seq, frame: o.frame, except: c, fan: o.fan})
		s.activate()
	case opDisband:
		s.disband()
	}
}

func (s *shard) join(c *Conn) {
	if c.phase != phaseOpen || c.seatIn(s) >= 0 {
		return
	}
	c.seats = append(c.seats, seat{s, int32(len(s.members))})
	s.members = append(s.members, member{c, s.seq})
	s.size.Add(1)
}

func (s *shard) leave(c *Conn) {
	i := c.seatIn(s)
	if i < 0 {
		return
	}
	s.remove(int(c.seats[i].index))
	if c.seats = slices.Delete(c.seats, i, i+1); len(c.seats) == 0 {
		c.seats = nil
	}
}

// leaveAll takes an ended connection out of every audience. What it had yet to
// get is dropped.
func (c *Conn) leaveAll() {
	for _, t := range c.seats {
		m := &t.shard.members[t.index]
		for _, b := range [][]broadcast{t.shard.walk, t.shard.queue} {
			for i := range b {
				if b[i].seq > m.got && b[i].except != c {
					b[i].dropped++
					c.loop.tally.droppedClosed++
				}
			}
		}
		t.shard.remove(int(t.index))
	}
	c.seats = nil
}

func (s *shard) remove(i int) {
	last := len(s.members) - 1
	if i != last {
		moved := s.members[last]
		s.members[i] = moved
		moved.conn.seats[moved.conn.seatIn(s)].index = int32(i)
	}
	s.members[last] = member{}
	s.members = s.members[:last]
	s.at = min(s.at, last)
	s.size.Add(-1)
}

// catchUp gives c at once what it would get from walks, so that what is for c
// alone keeps its place without waiting for them.
func (s *shard) catchUp(c *Conn) {
	i := c.seatIn(s)
	if i < 0 {
		return
	}
	m := &s.members[c.seats[i].index]
	if m.got == s.seq {
		return
	}
	s.deliver(m, s.walk)
	s.deliver(m, s.queue)
	m.got = s.seq
}

// deliver gives m the broadcasts it has not got, one by one.
func (s *shard) deliver(m *member, list []broadcast) {
	for i := range list {
		b := &list[i]
		if b.seq <= m.got || b.except == m.conn {
			continue
		}
		s.give(m.conn, b.frame).count(&b.sent, &b.dropped)
	}
}

// given is what became of a frame for one connection: 1 sent, -1 dropped, 0 not
// meant for it.
type given int8

func (g given) count(sent, dropped *int) {
	switch g {
	case 1:
		*sent++
	case -1:
		*dropped++
	}
}

// give writes one sealed frame to c.
func (s *shard) give(c *Conn, f protocol.Frame) given {
	l := s.loop
	l.tally.messagesOut++
	wire := sealed(f)
	switch {
	case c.phase != phaseOpen:
		wire = nil
	case c.kind == kindStream:
		wire = f.Payload()
	case c.kind == kindText:
		if len(f.Text) == 0 {
			l.tally.skipped++
			return 0
		}
		wire = appendWSMessage(nil, ws.OpText, f.Text, false)
	}
	if wire == nil {
		l.tally.droppedClosed++
		return -1
	}
	if !c.fromAudience(wire, f.Replace, 1) {
		return -1
	}
	return 1
}

func (s *shard) multicast(o *op) {
	sent, dropped := 0, 0
	for _, c := range o.conns {
		s.catchUp(c)
		verdict := given(-1)
		if c.seatIn(s) >= 0 {
			verdict = s.give(c, o.frame)
		}
		verdict.count(&sent, &dropped)
	}
	o.fan.settle(sent, dropped)
}

// disband finishes what was said and lets everybody go.
func (s *shard) disband() {
	for len(s.members) > 0 {
		c := s.members[len(s.members)-1].conn
		s.catchUp(c)
		s.leave(c)
	}
	s.finishWalk()
	s.settle(s.queue)
	s.queue = nil
}

// settle reports broadcasts that are done.
func (s *shard) settle(list []broadcast) {
	for i := range list {
		b := &list[i]
		s.pending.Add(-int64(len(b.frame.Packages)))
		b.fan.settle(b.sent, b.dropped)
	}
}

// abandon reports what will not be done because the loop has ended.
func (s *shard) abandon() {
	s.settle(s.walk)
	s.settle(s.queue)
	s.walk, s.queue = nil, nil
}
