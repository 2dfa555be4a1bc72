package actors

import (
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// hear takes in one message of the shard.
func (s *clerkState) hear(now time.Time, m *userHeard) {
	if m.word == wire.TalkRoll {
		s.rollCall(now, m)
		return
	}
	t := s.talk
	if t == nil || m.e.Talk != t.Number || m.from.ID != t.Peer.ID {
		return // of an activation that has been given up: whatever it decided, it did not
	}
	switch m.word {
	case wire.TalkGone:
		s.lose(now)
		return
	case wire.TalkPaused:
		if !s.paused {
			s.paused, s.probeAt = true, now.Add(pausedProbe)
		}
		return
	}
	if s.search.Heard(); s.paused {
		s.goOn()
	}
	t.Epoch = max(t.Epoch, m.e.Epoch)
	batch, lost := t.Hear(now, m.e, m.word)
	if lost > 0 || batch != nil && !s.carryOut(now, batch) {
		s.stats.lostDown.Add(max(int64(lost), 1))
		s.lose(now) // what the two ends know is not the same any more: tell it all anew
	}
}

// rollCall answers an activation of the shard that does not know this node: with a
// conversation, if there is anything to say.
func (s *clerkState) rollCall(now time.Time, m *userHeard) {
	if t := s.talk; t != nil {
		switch {
		case m.e.Epoch < t.Epoch:
			return // an older activation
		case m.from.ID == t.Peer.ID && m.e.Epoch == t.Epoch:
			t.Greet() // it may have forgotten this conversation, and will say so
			return
		}
		s.lose(now)
	}
	if len(s.seats)+len(s.asked) == 0 {
		_ = s.line(m.from, m.over(wire.OpFromUserGate)) // when lost, it asks again
		return
	}
	s.found(now, directory.Place{Node: m.from.ID, Addr: m.from.Addr, Epoch: m.e.Epoch})
}

// carryOut does what a batch of the shard says; false: it cannot be read.
func (s *clerkState) carryOut(now time.Time, batch []byte) bool {
	o := &talk.Reader{Rest: batch}
	for code, ok := o.Next(); ok; code, ok = o.Next() {
		switch code {
		case tellsBound, tellsRefused, tellsEvict:
			s.decided(now, code, o)
		case tellsPush:
			s.push(o)
		case tellsPushed, tellsKicked, tellsQueried:
			s.answered(code, o)
		case tellsMoved:
			s.lose(now)
			return true
		default:
			o.Fail()
		}
	}
	return o.Err == nil
}

// decided takes in what the user says of one login.
func (s *clerkState) decided(now time.Time, code byte, o *talk.Reader) {
	uid, session, token := readLogin(o)
	key := seatKey{uid, session}
	switch code {
	case tellsBound:
		if since := readMoment(o); o.Err == nil {
			s.bound(key, token, since)
		}
	case tellsRefused:
		no := &protocol.Error{Code: protocol.Code(o.Uint()), Msg: o.String()}
		if o.Err == nil {
			if m := s.login(key, token); m != nil {
				m.Session.send(&UserBound{UID: uid, Token: token, Err: no})
			}
		}
	case tellsEvict:
		why, text := protocol.Reason(o.Uint()), o.String()
		if o.Err == nil {
			s.evict(now, key, &userEvict{uid: uid, token: token, why: why, text: text})
		}
	}
}

// bound confirms a login to its session. One that nobody waits for any more has
// been told so to the shard, with a goodbye that is on its way.
func (s *clerkState) bound(key seatKey, token uint32, since moment) {
	m, seat := s.login(key, token), s.seats[key]
	switch {
	case seat != nil:
		seat.token = max(seat.token, token)
	case m != nil:
		s.seats[key] = &clerkSeat{ref: m.Session, token: token, since: since}
	}
	if m != nil {
		m.Session.send(&UserBound{UID: key.uid, Token: token})
	}
}

// answered gives whoever asked the answer.
func (s *clerkState) answered(code byte, o *talk.Reader) {
	number, n := o.Uint(), int(o.Uint())
	dropped, ids := 0, []uint64(nil)
	switch code {
	case tellsPushed:
		dropped = int(o.Uint())
	case tellsQueried:
		for range min(o.Uint(), uint64(len(o.Rest))) {
			ids = append(ids, o.Uint())
		}
	}
	if o.Err != nil {
		return
	}
	a := s.settled(number)
	if a == nil {
		return
	}
	switch m := a.msg.(type) {
	case *UserPush:
		m.fate.add(n, dropped)
	case *UserKick:
		m.Done(n)
	case *UserQuery:
		live := make([]*Ref, len(ids))
		for i, id := range ids {
			live[i] = s.session(id, a.uid)
		}
		m.Done(live, n == 1, nil)
	}
}

// evict has a session go, and sees to it that it does: one that does not get round
// to it within handover has its uid taken and its connection cut.
func (s *clerkState) evict(now time.Time, key seatKey, m *userEvict) {
	seat := s.seats[key]
	if seat == nil { // it has gone by itself, and the word of it crossed this one
		s.sayGone(key, m.token)
		return
	}
	seat.leaving = true
	seat.ref.send(m)
	s.timers.After(now, handover, func(time.Time) {
		if s.seats[key] == seat {
			s.app.stats.Forced.Add(1)
			seat.ref.force(m.why)
			s.goneBy(key, seat.token)
		}
	})
}

// push hands a push to its session, unless that has it already.
func (s *clerkState) push(o *talk.Reader) {
	part, session, uid := o.Uint(), o.Uint(), o.String()
	from, f := heardPush{o.String(), o.Uint()}, o.Frame()
	if o.Err != nil {
		return
	}
	done := &partDone{talk: s.talk.Number, part: part}
	seat := s.seats[seatKey{uid, session}]
	switch {
	case seat == nil:
		done.dropped = 1
		s.partDone(done)
		return
	case !seat.hears(from):
		done.sent = 1
		s.partDone(done)
		return
	}
	route, body := pushed(f)
	seat.ref.send(&framePush{f, route, Raw(body), newFate(func(sent, dropped int) {
		s.report(&partDone{talk: done.talk, part: part, sent: sent, dropped: dropped})
	})})
}

// session returns the reference to a session of a user, of whichever node.
func (s *clerkState) session(id uint64, uid string) *Ref {
	if r, here := s.app.Session(id); here {
		return r
	}
	return s.app.Distant(id, uid, nil)
}

// heardNodes bounds how many nodes that push a session remembers.
const heardNodes = 16

// hears notes a push, and reports false for one that the session has got before.
func (c *clerkSeat) hears(p heardPush) bool {
	for i, h := range c.heard {
		if h.node == p.node {
			c.heard[i].number = max(h.number, p.number)
			return p.number > h.number
		}
	}
	if len(c.heard) == heardNodes {
		c.heard = slices.Delete(c.heard, 0, 1)
	}
	c.heard = append(c.heard, p)
	return true
}

// pushed reads what a written push says; it aliases f.
func pushed(f protocol.Frame) (route string, body []byte) {
	p, _, err := protocol.CutPacket(f.Payload(), protocol.MaxPacketBody)
	if err != nil {
		return "", nil
	}
	m, err := protocol.ParseMessage(p.Body, nil)
	if err != nil {
		return "", nil
	}
	return m.Route, m.Body
}
