package rooms

import (
	"time"

	"github.com/shaddock-game/shaddock/actors"
	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// hear takes in one message of the room.
func (a *annexState) hear(now time.Time, m *heard) {
	if m.word == wire.TalkRoll {
		a.rollCall(now, m)
		return
	}
	t := a.talk
	if t == nil || m.e.Talk != t.Number || m.from.ID != t.Peer.ID {
		if m.word != wire.TalkGone && m.word != wire.TalkPaused {
			_ = a.line(m.from, goneAnswer(m, wire.OpFromGate)) // a conversation that is over here
		}
		return
	}
	switch m.word {
	case wire.TalkGone:
		a.lose(now, unknown)
		return
	case wire.TalkPaused:
		a.pause(now)
		return
	}
	a.search.Heard()
	a.paused = false
	t.Epoch = max(t.Epoch, m.e.Epoch)
	batch, lost := t.Hear(now, m.e, m.word)
	if batch != nil {
		a.carryOut(now, batch)
	}
	if lost > 0 {
		a.lost(int(lost))
	}
	a.settle()
}

// pause has new calls answered at once, so that nobody waits for an outage to end.
func (a *annexState) pause(now time.Time) {
	if a.paused {
		return
	}
	a.paused, a.knockAt = true, now.Add(pausedProbe)
	a.stats.pauses.Add(1)
}

// doubt has the room asked for a while whether it still knows this gate. One that took
// its node for lost has let its members go, and has nothing to say to it any more.
func (a *annexState) doubt(now time.Time) { a.knockAt, a.doubtful = now, now.Add(doubtFor) }

// knock asks a room that could not answer whether it can again, since its word of
// that may be lost, and one that is doubtful. It returns when to ask the next time.
func (a *annexState) knock(now time.Time) time.Time {
	if !a.paused && !now.Before(a.doubtful) {
		return time.Time{}
	}
	if !now.Before(a.knockAt) {
		a.knockAt = now.Add(pausedProbe)
		a.talk.Greet()
	}
	return a.knockAt
}

// rollCall answers a new activation of the room: with a conversation, if anybody
// here is in the room.
func (a *annexState) rollCall(now time.Time, m *heard) {
	if a.talk != nil && m.e.Epoch <= a.talk.Epoch {
		return // it is being talked to, or is an older one
	}
	for _, s := range a.seats {
		if s.in {
			at := places.Place{Node: m.from.ID, Addr: m.from.Addr, Epoch: m.e.Epoch}
			a.lose(now, died)
			a.seen(at)
			a.found(now, at)
			return
		}
	}
	_ = a.line(m.from, nobodyHere(m)) // when lost, the room waits a moment longer
}

// nobodyHere answers a roll call.
func nobodyHere(m *heard) *wire.Envelope { return goneAnswer(m, wire.OpFromGate) }

// resync tells the sessions here that they may have missed something. It takes the
// path of what the room says, so that it stands where the gap is; on a text endpoint
// it takes the session's own, which knows how to write it.
func (a *annexState) resync() {
	if a.told { // both ends know of the same loss
		return
	}
	a.told = true
	a.stats.resyncs.Add(1)
	v := &missedSome{a.key.Kind, a.key.ID}
	f, err := actors.NewFrame(protocol.JSON, ResyncRoute, v)
	if err != nil {
		a.stats.unwritable.Add(1)
		return
	}
	ms := make([]*Member, 0, len(a.seats))
	for _, s := range a.seats {
		switch {
		case !s.in:
		case s.member.ref.Wire().IsText():
			s.member.ref.Push(ResyncRoute, v)
		default:
			ms = append(ms, &s.member)
		}
	}
	a.out.multicast(ms, f)
}

// lost takes in that batches of the room cannot be sent again. The room is asked
// to bring the members up to date, and to echo a number: answers that have not come
// by then are lost as well.
func (a *annexState) lost(n int) {
	a.stats.lostDown.Add(int64(n))
	a.resync()
	a.echo++
	acked := a.talk.Out.Acked()
	for _, q := range a.asked {
		if q.token != 0 && !q.done && q.place <= acked {
			q.echo = a.echo
		}
	}
	a.talk.Batch = talk.PutUint(append(a.talk.Batch, upEcho), a.echo)
	a.returns()
}

// echoed gives up the answers that should have come before an echo.
func (a *annexState) echoed(n uint64) {
	for _, q := range a.asked {
		if q.done || q.echo == 0 || q.echo > n {
			continue
		}
		q.done = true
		if s := a.seats[q.session]; q.join && s != nil && !s.in && s.joining == 1 {
			a.out.leave(&s.member)
			s.listening = false
			a.unseat(q.session)
		}
		a.answer(q.session, actors.Answer{Token: actors.NewToken(q.token), Err: errUnanswered}, q.join)
	}
}

// unseat has the room let go of a session that does not know that it was let in.
func (a *annexState) unseat(id uint64) {
	a.ask(&asked{session: id, ended: true, op: talk.PutUint(talk.PutUint([]byte{upEnded}, id), uint64(protocol.ReasonClientGone))})
}

// ResyncRoute is pushed to the members of a room, with its kind and name, when
// pushes to them were lost between nodes and cannot be sent again.
const ResyncRoute = "sys.resync"

// missedSome is that push: JSON, whatever the kind's serializer.
type missedSome struct {
	Kind string `json:"kind"`
	Room string `json:"room"`
}

// carryOut does what a batch of the room says.
func (a *annexState) carryOut(now time.Time, batch []byte) {
	o := ops{talk.Reader{Rest: batch}}
	for code, ok := o.Next(); ok; code, ok = o.Next() {
		a.told = a.told && (code == downResync || code == downMerge || code == downEcho)
		switch code {
		case downBroadcast:
			a.broadcast(&o)
		case downMulticast:
			a.multicast(&o)
		case downMerge:
			if m := o.merge(); o.Err == nil {
				a.out.setMerge(m)
			}
		case downMoved:
			a.lose(now, moved)
			return
		case downResync:
			a.resync()
		case downEcho:
			a.echoed(o.Uint())
		default:
			id := o.Uint()
			s := a.seats[id]
			a.toOne(code, id, s, &o)
		}
	}
	if o.Err != nil {
		a.stats.unreadable.Add(1)
	}
}

// toOne does what is for one session; s is nil when it is not here any more.
func (a *annexState) toOne(code byte, id uint64, s *seat, o *ops) {
	switch code {
	case downJoin:
		if s != nil {
			s.listening = true
			a.out.join(&s.member)
		}
	case downLeave:
		if s != nil {
			s.listening = false
			a.out.leave(&s.member)
			a.free(id, s)
		}
	case downSend:
		if f := o.Frame(); s != nil && o.Err == nil {
			a.out.send(&s.member, f)
		}
	case downAnswer:
		a.answered(id, s, o)
	case downPush:
		if route, body := o.String(), o.Bytes(); s != nil && o.Err == nil {
			s.member.ref.Push(route, actors.Raw(body))
		}
	case downRest:
		if rest := o.Bytes(); s != nil && o.Err == nil {
			s.member.ref.CarryOut(rest)
		}
	case downKick:
		if why, text := protocol.Reason(o.Uint()), o.String(); s != nil && o.Err == nil {
			s.member.ref.Kick(why, text)
		}
	default:
		o.Fail()
	}
}

// answered hands a session the room's answer.
func (a *annexState) answered(id uint64, s *seat, o *ops) {
	token, flags, code, text, body := uint32(o.Uint()), o.Uint(), protocol.Code(o.Uint()), o.String(), o.Bytes()
	if o.Err != nil {
		return
	}
	join := a.done(id, token)
	if s == nil || s.in && token == 0 && flags&^answerValue == answerJoined {
		return // gone, or what the session knows: the room has it back
	}
	ans := actors.Answer{Token: actors.NewToken(token)}
	if flags&answerFailed != 0 {
		ans.Err = &protocol.Error{Code: code, Msg: text}
	}
	if flags&answerValue != 0 {
		ans.Value = actors.Raw(body)
	}
	switch {
	case flags&answerJoined == 0:
	case s.listening:
		s.in = true
		ans.Joined = &a.self
	default: // what came with its first answer was lost
		ans = actors.Answer{Token: ans.Token, Err: errUnanswered, Left: &a.self}
		a.unseat(id)
	}
	if flags&answerLeft != 0 {
		s.in = false
		ans.Left = &a.self
	}
	if join {
		s.joining--
	}
	a.out.answer(&s.member, ans)
	a.free(id, s)
}

// done settles what was asked with a token, and says whether it was a join.
func (a *annexState) done(id uint64, token uint32) (join bool) {
	if token == 0 {
		return false
	}
	for _, q := range a.asked {
		if q.token == token && q.session == id && !q.done {
			q.done = true
			return q.join
		}
	}
	return false
}

func (a *annexState) broadcast(o *ops) {
	var except *Member
	if s := a.seats[o.Uint()]; s != nil {
		except = &s.member
	}
	messages := int(o.Uint())
	if f := o.Frame(); o.Err == nil {
		a.stats.fanouts.Add(1)
		a.out.broadcast(f, messages, except)
	}
}

func (a *annexState) multicast(o *ops) {
	n := o.Uint()
	if n > uint64(len(o.Rest)) {
		o.Fail()
		return
	}
	ms := make([]*Member, 0, n)
	for range n {
		if s := a.seats[o.Uint()]; s != nil {
			ms = append(ms, &s.member)
		}
	}
	if f := o.Frame(); o.Err == nil {
		a.out.multicast(ms, f)
	}
}
