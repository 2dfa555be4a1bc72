package actors

import (
	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/flow"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"

	"time"
)

// shardState is a shard of the users as a value: who is logged in, behind which
// gate, and what it has to say to each. It is the userSink of its users: what they
// decide goes into the batch for the gate of the session concerned.
//
// An activation begins without knowing anybody. It calls the roll, and decides
// nothing before every gate has said whom it has, or rollTime has passed.
type shardState struct {
	// Set at birth, read-only afterwards.
	key   directory.Key
	line  func(to link.Peer, e *wire.Envelope) error
	view  func() *roster.View
	there func(node string) bool // a member of the cluster
	far   *farUserStats

	userBook
	epoch   uint64
	serial  uint64 // of confirmed logins
	mute    bool   // nothing may be said now; it is kept
	gates   map[string]*userGate
	touched map[string]bool // users of whom a gate took logins away or brought some back

	// The roll call.
	owed    map[string]link.Peer // gates that have not answered
	rollEnd time.Time            // when decisions begin at the latest; zero: they have
	rollAt  time.Time            // when to ask again
	early   []*userHeard         // what gates said before

	parts    map[uint64]userPart // pushes of which a gate has yet to say what became of them
	lastPart uint64
}

// userGate is one node as a shard sees it.
type userGate struct{ *talk.Talk }

// userPart is one push to one session.
type userPart struct {
	fate *fate
	gate *userGate
}

const (
	// rollTime is how long a shard waits for gates that do not answer. Whom they have
	// is settled when they come; until then somebody may be logged in twice.
	rollTime = 2 * time.Second
	// rollEvery is how often they are asked.
	rollEvery = 100 * time.Millisecond
)

// What a shard keeps for a node that does not acknowledge it. A node that falls
// further behind begins anew, and is told by what it says whom it has.
var shardLimits = flow.Limits{Messages: 16384, Bytes: 16 << 20}

func newShardState(f *farUsers, i int, epoch uint64) *shardState {
	return &shardState{
		key: shardKey(i), line: f.mesh.Send, view: f.mesh.Members, there: f.there,
		far: &f.stats, userBook: newUserBook(f.app), epoch: epoch,
		gates: make(map[string]*userGate), touched: make(map[string]bool), parts: make(map[uint64]userPart),
	}
}

// callRoll begins the life of an activation.
func (s *shardState) callRoll(now time.Time) {
	s.rollEnd = now.Add(rollTime)
	s.owed = make(map[string]link.Peer)
	s.owe(now, s.view().Members())
}

// owe has the gates among some nodes asked, unless they talk to the shard.
func (s *shardState) owe(now time.Time, ms []roster.Member) {
	for _, m := range ms {
		if _, known := s.gates[m.ID]; m.Has(roster.Gate) && !known {
			s.owed[m.ID] = link.Peer{ID: m.ID, Addr: m.Addr}
			s.rollAt = now
		}
	}
}

// roll asks the gates that have not answered, again and again, since one that does
// not know of this activation may believe in another; and ends the wait for them.
// It returns when to look again.
func (s *shardState) roll(now time.Time) (next time.Time) {
	if len(s.owed) > 0 && !now.Before(s.rollAt) {
		s.rollAt = now.Add(rollEvery)
		for _, p := range s.owed {
			if s.mute {
				break
			}
			// One that is refused is sent again.
			_ = s.line(p, &wire.Envelope{Op: wire.OpFromUsers + wire.TalkRoll, Kind: s.key.Kind, Id: s.key.ID, Epoch: s.epoch})
		}
	}
	if !s.rollEnd.IsZero() && (len(s.owed) == 0 || !now.Before(s.rollEnd)) {
		s.rollEnd = time.Time{}
		s.far.lateNodes.Add(int64(len(s.owed)))
		early := s.early
		s.early = nil
		for _, m := range early {
			s.hear(now, m)
		}
	}
	if len(s.owed) > 0 {
		next = s.rollAt
	}
	return timer.Sooner(next, s.rollEnd)
}

// members takes in which nodes came and left.
func (s *shardState) members(now time.Time, m *membersChanged) {
	for _, left := range m.gone {
		delete(s.owed, left.ID)
		if g := s.gates[left.ID]; g != nil {
			s.lose(g)
		}
	}
	s.owe(now, m.came)
}

// lose ends the conversation with a node; whoever was logged in there is not.
func (s *shardState) lose(g *userGate) {
	if s.gates[g.Peer.ID] == g {
		delete(s.gates, g.Peer.ID)
	}
	s.forget(g)
	s.advance()
}

// forget drops the logins behind a gate; advance is to follow.
func (s *shardState) forget(g *userGate) {
	for uid, u := range s.users {
		if u.drop(g) {
			s.touched[uid] = true
		}
	}
	for n, p := range s.parts {
		if p.gate == g {
			delete(s.parts, n)
			p.fate.add(0, 1)
		}
	}
}

// advance goes on with the users that were touched.
func (s *shardState) advance() {
	for uid := range s.touched {
		u, known := s.open(uid)
		u.advance(s)
		s.settle(known, u)
	}
	clear(s.touched)
}

// silence ends or begins what the shard may say; what it says meanwhile is kept.
func (s *shardState) silence(mute bool) {
	s.mute = mute
	for _, g := range s.gates {
		g.Mute = mute
	}
}

// resume lets the shard go on. With another epoch somebody else may have had it in
// between, so it begins from nothing.
func (s *shardState) resume(now time.Time, epoch uint64) {
	s.silence(false)
	if epoch == s.epoch {
		for _, g := range s.gates { // they may have asked for something that nobody answered
			g.Greet()
		}
		return
	}
	s.clear()
	s.epoch, s.early = epoch, nil
	s.callRoll(now)
}

// clear forgets everybody.
func (s *shardState) clear() {
	s.userBook.clear()
	clear(s.gates)
	clear(s.parts)
}

// gathered is how many bytes wait to be said.
func (s *shardState) gathered() (bytes int) {
	for _, g := range s.gates {
		bytes += len(g.Batch)
	}
	return bytes
}

// confirm implements userSink.
func (s *shardState) confirm(l *login) {
	s.stats.Logins.Add(1)
	if l.since == (moment{}) {
		s.serial++
		l.since = moment{s.epoch, s.serial}
	}
	s.tell(l, tellsBound)
	l.gate.Batch = putMoment(l.gate.Batch, l.since)
}

// refuse implements userSink.
func (s *shardState) refuse(l login, err error) {
	s.stats.LoginsRefused.Add(1)
	e := protocol.AsError(err)
	s.tell(&l, tellsRefused)
	l.gate.Batch = talk.PutBytes(talk.PutUint(l.gate.Batch, uint64(e.Code)), e.Msg)
}

// evict implements userSink. The clerk sees to it that the session goes; nobody else
// is let in before it says so, or its node is gone.
func (s *shardState) evict(l login, why protocol.Reason, text string) {
	s.tell(&l, tellsEvict)
	l.gate.Batch = talk.PutBytes(talk.PutUint(l.gate.Batch, uint64(why)), text)
}

func (s *shardState) tell(l *login, code byte) {
	l.gate.Batch = putLogin(append(l.gate.Batch, code), s.uid, l.id, l.token)
}

// deliver implements userSink.
func (s *shardState) deliver(to []login, p *UserPush) {
	p.fate.split(len(to))
	for _, l := range to {
		s.lastPart++
		s.parts[s.lastPart] = userPart{p.fate, l.gate}
		b := talk.PutUint(append(l.gate.Batch, tellsPush), s.lastPart)
		b = talk.PutBytes(talk.PutUint(b, l.id), s.uid)
		b = talk.PutUint(talk.PutBytes(b, p.node), p.number)
		l.gate.Batch = talk.PutFrame(b, p.Frame)
	}
}
