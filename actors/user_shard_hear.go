package actors

import (
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/flow"
	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// hear takes in one message of a clerk. While the roll is called only first batches
// count, which say whom a node has.
func (s *shardState) hear(now time.Time, m *userHeard) {
	g := s.gates[m.from.ID]
	first := m.word == wire.TalkSay && m.e.Seq == 1 && (g == nil || m.e.Talk > g.Number)
	switch {
	case m.word == wire.TalkGone && m.e.Talk == 0: // it has nobody
		delete(s.owed, m.from.ID)
		return
	case first && m.e.Epoch == s.epoch && s.there(m.from.ID):
		g = s.begin(m, g)
	case g == nil || m.e.Talk > g.Number:
		s.unknown(m)
		return
	case m.e.Talk < g.Number:
		return // of a conversation that is over
	case m.word == wire.TalkGone:
		s.lose(g)
		return
	case !s.rollEnd.IsZero():
		s.early = append(s.early, m)
		return
	}
	batch, lost := g.Hear(now, m.e, m.word)
	if lost > 0 || batch != nil && !s.carryOut(g, batch) {
		s.far.lostUp.Add(max(int64(lost), 1))
		s.lose(g)
		s.unknown(m)
	}
}

// begin starts a conversation. What was known of the node before is forgotten: the
// first batch says it anew.
func (s *shardState) begin(m *userHeard, old *userGate) *userGate {
	if old != nil {
		s.forget(old)
	}
	g := &userGate{&talk.Talk{
		Line: s.line, Peer: m.from, Kind: s.key.Kind, ID: s.key.ID, Number: m.e.Talk,
		Side: wire.OpFromUsers, Epoch: s.epoch, Mute: s.mute, Out: flow.Out{Limits: shardLimits}, Tally: &s.far.repairs,
	}}
	s.gates[m.from.ID] = g
	delete(s.owed, m.from.ID)
	return g
}

// unknown tells a clerk that there is no such conversation, so that it begins one.
func (s *shardState) unknown(m *userHeard) {
	if m.word != wire.TalkGone && !s.mute {
		_ = s.line(m.from, m.over(wire.OpFromUsers)) // when lost, the next probe is answered so again
	}
}

// carryOut does what a batch of a clerk says; false: it cannot be read.
func (s *shardState) carryOut(g *userGate, batch []byte) bool {
	o := &talk.Reader{Rest: batch}
	for code, ok := o.Next(); ok; code, ok = o.Next() {
		switch code {
		case saysHello:
		case saysBack, saysBind, saysGone:
			s.login(g, code, o)
		case saysPush, saysKick, saysQuery:
			s.ask(g, code, o)
		case saysPushed:
			n, sent, dropped := o.Uint(), int(o.Uint()), int(o.Uint())
			if p, ok := s.parts[n]; ok && o.Err == nil && p.gate == g {
				delete(s.parts, n)
				p.fate.add(sent, dropped)
			}
		default:
			o.Fail()
		}
	}
	s.advance()
	return o.Err == nil
}

// login takes in what a clerk says of one login.
func (s *shardState) login(g *userGate, code byte, o *talk.Reader) {
	uid, session, token := readLogin(o)
	l := login{id: session, token: token, gate: g}
	leaving := false
	if code == saysBack {
		l.since, leaving = readMoment(o), o.Uint() == 1
	}
	if o.Err != nil {
		return
	}
	u, known := s.open(uid)
	switch code {
	case saysBack:
		if u.back(s, l, leaving) {
			s.far.twice.Add(1)
		}
		s.touched[uid] = true
	case saysBind:
		u.bind(s, l)
	case saysGone:
		u.gone(s, session, token)
	}
	s.settle(known, u)
}

// ask carries out what somebody behind a gate wants of a user.
func (s *shardState) ask(g *userGate, code byte, o *talk.Reader) {
	number, uid := o.Uint(), o.String()
	switch code {
	case saysPush:
		f := o.Frame()
		if o.Err != nil {
			return
		}
		u, known := s.open(uid)
		u.push(s, &UserPush{Frame: f, node: g.Peer.ID, number: number, fate: newFate(func(sent, dropped int) {
			if s.gates[g.Peer.ID] == g {
				s.answer(g, tellsPushed, number, sent)
				g.Batch = talk.PutUint(g.Batch, uint64(dropped))
			}
		})})
		s.settle(known, u)
	case saysKick:
		why, text := protocol.Reason(o.Uint()), o.String()
		if o.Err != nil {
			return
		}
		u, known := s.open(uid)
		n := u.kick(s, why, text)
		s.settle(known, u)
		s.answer(g, tellsKicked, number, n)
	case saysQuery:
		u, _ := s.open(uid)
		online := 0
		if u.online() {
			online = 1
		}
		s.answer(g, tellsQueried, number, online)
		g.Batch = talk.PutUint(g.Batch, uint64(len(u.live)))
		for _, l := range u.live {
			g.Batch = talk.PutUint(g.Batch, l.id)
		}
	}
}

func (s *shardState) answer(g *userGate, code byte, number uint64, n int) {
	g.Batch = talk.PutUint(talk.PutUint(append(g.Batch, code), number), uint64(n))
}
