package rooms

import (
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/cluster/flow"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// heard is a message of a gate, on its way to the room.
type heard struct {
	from link.Peer
	word uint32
	e    *wire.Envelope
}

// What a room keeps for a gate that does not acknowledge it. A gate that falls
// further behind has its sessions told to begin anew.
var farLimits = flow.Limits{Messages: 4096, Bytes: 4 << 20}

// What all rooms of a node keep for gates is bounded as well: when it is more than
// keptBudget, no room keeps more than tightBytes for one gate. Gates that keep up owe
// far less than that, so that only those who are behind pay.
var (
	keptBudget int64 = 256 << 20
	tightBytes       = 64 << 10
)

// hear takes in one message of a gate.
func (f *far) hear(st *state, now time.Time, m *heard) {
	g, old := f.gates[m.from.ID], (*gate)(nil)
	switch {
	case g != nil && m.e.Talk < g.Number:
		return // of a conversation that is over
	case g != nil && m.e.Talk == g.Number:
	case m.word == wire.TalkSay && m.e.Seq == 1 && m.e.Epoch == f.epoch && m.e.Talk > f.over[m.from.ID] && f.there(m.from.ID):
		old = g
		g = &gate{Talk: &talk.Talk{
			Line: f.line, Tally: &f.stats.repairs, Peer: m.from, Kind: f.key.Kind, ID: f.key.ID, Number: m.e.Talk,
			Side: wire.OpFromRoom, Epoch: f.epoch, Mute: f.mute,
			Out: flow.Out{Limits: farLimits},
		}}
		f.gates[m.from.ID] = g
		f.present(m.from.ID)
		if f.merge != (Merge{}) {
			g.Batch = putMerge(append(g.Batch, downMerge), f.merge)
		}
	default:
		if m.word != wire.TalkGone {
			f.unknown(m)
		}
		return
	}
	if m.word == wire.TalkGone {
		f.lose(st, now, m.from.ID)
		return
	}
	batch, lost := g.Hear(now, m.e, m.word)
	f.count(g)
	f.stats.lostUp.Add(int64(lost))
	if batch != nil && !f.carryOut(st, now, g, batch) {
		f.lose(st, now, m.from.ID)
		f.unknown(m)
	}
	if old != nil {
		f.drop(st, now, old)
		if old.Out.Waiting() > 0 { // nobody knows whether it arrived
			g.Batch = append(g.Batch, downResync)
		}
	}
}

// unknown tells a gate that there is no such conversation, so that it begins one.
func (f *far) unknown(m *heard) {
	if !f.mute {
		_ = f.line(m.from, goneAnswer(m, wire.OpFromRoom)) // when lost, the next probe is answered so again
	}
}

func goneAnswer(m *heard, side uint32) *wire.Envelope {
	return &wire.Envelope{Op: side + wire.TalkGone, Kind: m.e.Kind, Id: m.e.Id, Epoch: m.e.Epoch, Talk: m.e.Talk}
}

// lose ends the conversation with a gate; its members leave.
func (f *far) lose(st *state, now time.Time, id string) {
	if g, ok := f.gates[id]; ok {
		delete(f.gates, id)
		f.over[id] = g.Number
		f.drop(st, now, g)
	}
}

// drop lets the members go that are behind a gate or an earlier conversation.
func (f *far) drop(st *state, now time.Time, g *gate) {
	f.remember(g)
	f.forget(g)
	for id, b := range f.sessions {
		if b.gate == g {
			st.gone(now, id, protocol.ReasonClientGone)
			f.left = append(f.left, id)
		}
	}
	f.tidy(st.seats)
}

// carryOut does what a batch says; false: it cannot be read.
func (f *far) carryOut(st *state, now time.Time, g *gate, batch []byte) bool {
	o := ops{talk.Reader{Rest: batch}}
	hello := false
	for code, ok := o.Next(); ok; code, ok = o.Next() {
		switch code {
		case upCall:
			f.call(st, now, g, &o)
		case upState:
			id, uid, state := o.Uint(), o.String(), o.Bytes()
			if b := f.session(g, id, uid); b.ref.Wire() == nil {
				b.ref.KnowState(state)
			}
		case upReturn:
			id, uid, body := o.Uint(), o.String(), o.Bytes()
			if b := f.session(g, id, uid); hello || st.seats[id] != nil {
				f.comeBack(st, now, b, body)
			} else { // it has left, and the word of that was lost
				f.dismiss(st, id)
			}
		case upEnded:
			id, why := o.Uint(), protocol.Reason(o.Uint())
			st.gone(now, id, why)
			f.left = append(f.left, id)
		case upSerial:
			g.serial = o.Uint() - 1
		case upHello:
			hello = true
		case upEcho:
			g.Batch = talk.PutUint(append(g.Batch, downEcho), o.Uint())
		case upBye:
			f.lose(st, now, g.Peer.ID)
			return true
		default:
			o.Fail()
		}
		f.tidy(st.seats)
	}
	return o.Err == nil
}

// call hands a session's call to the room, as its own node would have.
func (f *far) call(st *state, now time.Time, g *gate, o *ops) {
	v, id, token, uid, name, body := verb(o.Uint()), o.Uint(), o.Uint(), o.String(), o.String(), o.Bytes()
	matched, labels := o.Uint() == 1, o.labels()
	if o.Err != nil {
		return
	}
	f.open(now, labels)
	b := f.session(g, id, uid)
	f.left = append(f.left, id)       // unless it is seated afterwards
	if f.repeated(g) && v == verbOp { // joins and leaves may be repeated
		f.answerAgain(b, id, actors.NewToken(uint32(token)))
		return
	}
	cl := &call{from: b.ref, id: id, uid: uid, verb: v, key: f.key, token: actors.NewToken(uint32(token)), matched: matched, labels: labels}
	var err error
	switch {
	case v == verbJoin:
		cl.op = f.kind.join
	case v == verbOp:
		if cl.op = f.kind.op(name); cl.op == nil {
			err = protocol.Errorf(protocol.CodeNoRoute, "no operation %s.%s", f.kind.name, name)
		}
	}
	if cl.op != nil {
		cl.req, err = decode(f.kind, cl.op, body)
	}
	if err == nil {
		st.handle(now, cl)
		return
	}
	a := actors.Answer{Token: cl.token, Err: err}
	if _, seated := st.seats[id]; v == verbJoin && !seated {
		a.Left = &st.self
	}
	if cl.token != (actors.Token{}) || a.Left != nil {
		f.answerTo(id, a)
		return
	}
	st.stats.NotifyErrors.Add(1)
}

// dismiss tells a gate once more that a session is not in the room.
func (f *far) dismiss(st *state, id uint64) {
	f.answerTo(id, actors.Answer{Left: &st.self})
	f.to(id, downLeave)
	f.left = append(f.left, id)
}

// comeBack takes in a member that its gate says should be one.
func (f *far) comeBack(st *state, now time.Time, b *behind, body []byte) {
	f.open(now, nil)
	req, err := decode(f.kind, f.kind.join, body)
	if err != nil {
		req = f.kind.join.zero() // it was read once; a kind that changed since starts from nothing
	}
	f.left = append(f.left, b.ref.ID())
	if _, seated := st.seats[b.ref.ID()]; !seated && f.roll == nil && !b.gate.late {
		b.gate.late = true // once: the others of this gate are told with it
		b.gate.Batch = append(b.gate.Batch, downResync)
	}
	st.comeBack(now, &call{from: b.ref, id: b.ref.ID(), uid: b.ref.UID(), verb: verbJoin, op: f.kind.join, key: f.key, req: req})
}
