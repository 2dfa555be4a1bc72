package transport

import (
	"slices"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/protocol"
)

// shard is an audience's part on one loop. What members are told passes through
// a queue of broadcasts, which walks deliver; a walk takes all that waits when it
// begins, so that what comes in while it writes is merged into the next: under
// load the batches grow instead of the queues.
type shard struct {
	loop *loop

	// Any goroutine.
	pending atomic.Int64 // bytes that the loop has not finished with
	size    atomic.Int32 // members
	// expected says that the loop will look at its ops without being woken: a walk
	// is under way, or a window is open and its end is in the heap. begun counts
	// the broadcasts and bytes that walks have taken; with what the audience has
	// posted it tells how much waits.
	expected   atomic.Bool
	begun      atomic.Int64
	begunBytes atomic.Int64

	// Owned by whoever calls the audience: what has been posted so far.
	posted, postedBytes int64

	// Owned by the loop.
	members []member
	seq     uint64      // of the newest broadcast
	queue   []broadcast // not begun
	waiting int         // bytes of packages in queue
	latest  int         // replaceable broadcasts in queue
	window  window
	walk    walk
	next    *shard // in the loop's ring of walks, nil when not in it
	due     int64  // when its window ends, while in the heap
	place   int    // in the heap, from 1; 0: not in it
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

func (c *Conn) seatIn(s *shard) int {
	return slices.IndexFunc(c.seats, func(t seat) bool { return t.shard == s })
}

// member returns c's record, nil when c is not a member. It is good until the
// next join or leave.
func (s *shard) member(c *Conn) *member {
	i := c.seatIn(s)
	if i < 0 {
		return nil
	}
	return &s.members[c.seats[i].index]
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
		s.give(c, &o.frame)
		s.pending.Add(-cost(&o.frame))
	case opReply:
		s.catchUp(c)
		if c.phase == phaseOpen && c.holdBack() {
			c.recv.Reply(o.value)
		}
	case opMulticast:
		s.multicast(o)
	case opBroadcast:
		s.enqueue(broadcast{frame: o.frame, except: c, fan: o.fan})
	case opMerge:
		s.window.set(s.loop.now, o.value.(Merge))
		s.settleWindow()
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
		for _, list := range [][]broadcast{t.shard.walk.list, t.shard.queue} {
			for i := range list {
				if b := &list[i]; b.owed(m) && b.fits(c.kind) {
					b.dropped++
					c.loop.tally.messagesOut++
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
	s.walk.at = min(s.walk.at, last)
	s.size.Add(-1)
}

// give writes one sealed frame to c.
func (s *shard) give(c *Conn, f *protocol.Frame) given {
	l := s.loop
	if c.phase != phaseOpen {
		l.tally.messagesOut++
		l.tally.droppedClosed++
		return dropped
	}
	wire := wireOf(f, c.kind)
	if wire == nil {
		l.tally.skipped++
		return skipped
	}
	l.tally.messagesOut++
	if !c.fromAudience(&parcel{wire: wire, replace: f.Replace, messages: 1, shared: true, lossy: s.window.Lossy}) {
		return dropped
	}
	return sent
}

// given is what became of a frame for one connection.
type given uint8

const (
	skipped given = iota // not meant for it
	sent
	dropped
)

func (s *shard) multicast(o *op) {
	var counts [3]int
	for _, c := range o.conns {
		s.catchUp(c)
		verdict := dropped
		if c.seatIn(s) >= 0 {
			verdict = s.give(c, &o.frame)
		} else {
			s.loop.tally.messagesOut++
			s.loop.tally.droppedClosed++
		}
		counts[verdict]++
	}
	s.pending.Add(-cost(&o.frame))
	o.fan.settle(counts[sent], counts[dropped])
}

// disband finishes what was said and lets everybody go.
func (s *shard) disband() {
	for len(s.members) > 0 {
		c := s.members[len(s.members)-1].conn
		s.catchUp(c)
		s.leave(c)
	}
	s.endWalk()
	s.settle(s.queue)
	s.queue, s.waiting, s.latest = nil, 0, 0
	s.loop.fan.due.remove(s)
}

// settle reports broadcasts that are done.
func (s *shard) settle(list []broadcast) {
	for i := range list {
		b := &list[i]
		s.pending.Add(-cost(&b.frame))
		b.fan.settle(b.sent, b.dropped)
	}
}

// abandon reports what will not be done because the loop has ended.
func (s *shard) abandon() {
	s.settle(s.walk.list)
	s.settle(s.queue)
	s.walk.list, s.queue = nil, nil
}
