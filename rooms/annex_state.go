package rooms

import (
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/flow"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// annexState is an annex as a value: what a gate has of one room. It knows the
// sessions of this node that are in the room, or on their way in, and keeps what
// they have asked until the room has answered. When the room is lost, it is looked
// for anew; the new activation is told who was in, and asked again what the old
// one has not answered.
//
//	looking ──found──► talking ──the room moved, closed or died──► looking
//
// Its owner passes the time, and does what look asks for.
type annexState struct {
	// Set at birth, read-only afterwards.
	key    Key
	self   actors.Membership // what sessions record: how to reach this annex
	node   string
	out    outlet // to the sessions of this node
	line   func(to link.Peer, e *wire.Envelope) error
	gone   func(places.Place)     // the room is not there any more
	seen   func(places.Place)     // it is here, as a roll call says
	there  func(node string) bool // a member of the cluster
	number func(time.Time) uint64 // of a new conversation
	stats  *farStats

	// Owned by whoever drives the annex.
	talk     *talk.Talk // nil while the room is looked for
	place    places.Place
	paused   bool   // the room cannot answer at the moment
	serial   uint64 // of the last call; it begins where no other annex of this process does
	said     uint64 // serial of the last call in this conversation, 0 before the first
	seats    map[uint64]*seat
	asked    []*asked // in order, what the room has not settled
	bytes    int      // in asked
	missed   bool     // the members may have missed something
	told     bool     // they have been told so, and have heard nothing since
	knockAt  time.Time
	doubtful time.Time // until then the room may not know this gate any more
	echo     uint64    // number of the last that was asked for
	search   talk.Search
	since    time.Time // nobody is here
}

// seat is one session of this node in the room, or on its way in.
type seat struct {
	member    Member // as the outlet knows it
	body      []byte // of its join
	in        bool   // the room has seated it
	listening bool   // it is in the outlet
	joining   int    // joins that are not answered
	told      actors.StateMark
}

// asked is one thing that the room was told and may have to be told again.
type asked struct {
	session uint64
	token   uint32 // 0: no answer is due
	join    bool
	ended   bool // the end of a session: of no interest to another activation
	op      []byte
	serial  uint64 // of a call, 0 of anything else
	place   uint64 // in the conversation
	echo    uint64 // not 0: the answer comes before this echo, or never
	done    bool
}

// askedLimit and askedBytes are how many of them, and how many bytes, an annex keeps.
// Past either calls are answered 503.
const (
	askedLimit = 8192
	askedBytes = 16 << 20
)

// The up direction is bounded by askedLimit, so its flow must never forget.
var annexLimits = flow.Limits{Messages: 1 << 20, Bytes: 1 << 30}

var (
	errRoomBusy   = protocol.Errorf(protocol.CodeUnavailable, "room is busy")
	errRoomPaused = protocol.Errorf(protocol.CodeUnavailable, "room is not available for a moment; try again")
	errUnanswered = protocol.Errorf(protocol.CodeUnavailable, "the answer was lost")
)

// call takes in what a session asks of the room.
func (a *annexState) call(cl *call) {
	switch {
	case a.paused && cl.token != (actors.Token{}):
		a.stats.refused.Add(1)
		a.refuse(cl, errRoomPaused)
		return
	case len(a.asked) >= askedLimit || a.bytes >= askedBytes:
		a.stats.refused.Add(1)
		a.refuse(cl, errRoomBusy)
		return
	}
	id := cl.id
	if cl.verb == verbJoin {
		s, ok := a.seats[id]
		if !ok {
			s = &seat{member: Member{ref: cl.from, id: cl.id, uid: cl.uid, index: -1}}
			a.seats[id] = s
		}
		s.body = cl.body
		s.joining++
	}
	op := a.state(nil, id, cl.from)
	op = talk.PutUint(append(op, upCall), uint64(cl.verb))
	op = talk.PutUint(op, id)
	op = talk.PutUint(op, uint64(cl.token.Number()))
	op = talk.PutBytes(op, cl.from.UID())
	op = talk.PutBytes(op, cl.name())
	op = talk.PutBytes(op, cl.body)
	op = putLabels(talk.PutBool(op, cl.matched), cl.labels)
	a.serial++
	a.ask(&asked{session: id, token: cl.token.Number(), join: cl.verb == verbJoin, op: op, serial: a.serial})
}

// state appends the attributes of a session that the room does not know.
func (a *annexState) state(b []byte, id uint64, ref *actors.Ref) []byte {
	s, ok := a.seats[id]
	if !ok {
		return b
	}
	if state, changed := s.told.State(ref); changed {
		b = talk.PutUint(append(b, upState), id)
		b = talk.PutBytes(talk.PutBytes(b, ref.UID()), state)
	}
	return b
}

func (a *annexState) refuse(cl *call, err error) {
	ans := actors.Answer{Token: cl.token, Err: err}
	if _, seated := a.seats[cl.id]; cl.verb == verbJoin && !seated {
		ans.Left = &a.self
	}
	cl.from.Answer(ans)
}

// ask adds to the next batch, and keeps a copy until it is settled.
func (a *annexState) ask(q *asked) {
	a.asked = append(a.asked, q)
	a.bytes += len(q.op)
	if a.talk != nil {
		a.put(q)
	}
}

func (a *annexState) put(q *asked) {
	q.place, q.echo = a.talk.Out.Last()+1, 0
	if q.serial != 0 && q.serial != a.said+1 {
		a.talk.Batch = talk.PutUint(append(a.talk.Batch, upSerial), q.serial)
	}
	if q.serial != 0 {
		a.said = q.serial
	}
	a.talk.Batch = append(a.talk.Batch, q.op...)
}

// ended takes in the end of a session.
func (a *annexState) ended(id uint64, why protocol.Reason) {
	s, ok := a.seats[id]
	if !ok {
		return
	}
	a.out.leave(&s.member)
	delete(a.seats, id)
	for _, q := range a.asked {
		q.done = q.done || q.session == id && a.talk == nil
	}
	a.settle()
	if a.talk == nil {
		return // the next activation is not told of it in the first place
	}
	a.ask(&asked{session: id, ended: true, op: talk.PutUint(talk.PutUint([]byte{upEnded}, id), uint64(why))})
}

// found takes in where the room is: a conversation begins, with who is here and
// what is still to be answered.
func (a *annexState) found(now time.Time, p places.Place) {
	if a.search.Found(); a.talk != nil { // a roll call was faster
		return
	}
	if a.place = p; !a.there(p.Node) { // it left while we were told: nobody will tell us again
		a.gone(p)
		a.search.Again(now)
		return
	}
	a.talk = &talk.Talk{
		Line: a.line, Tally: &a.stats.repairs, Peer: link.Peer{ID: p.Node, Addr: p.Addr}, Kind: a.key.Kind, ID: a.key.ID, Number: a.number(now),
		Side: wire.OpFromGate, Epoch: p.Epoch, Out: flow.Out{Limits: annexLimits},
	}
	a.said = 0
	a.stats.talks.Add(1)
	a.talk.Batch = append(a.talk.Batch, upHello)
	a.returns()
	a.talk.Flush(now)
	if a.missed {
		a.missed = false
		a.resync()
	}
	a.asked = slices.DeleteFunc(a.asked, func(q *asked) bool { return q.done || q.ended || a.seats[q.session] == nil })
	a.bytes = 0
	for _, q := range a.asked {
		a.bytes += len(q.op)
		a.put(q)
	}
	for _, s := range a.seats { // what was asked before may have older attributes in it
		s.told = actors.StateMark{}
	}
	a.talk.Flush(now)
}

// returns tells the room who should be in it.
func (a *annexState) returns() {
	for id, s := range a.seats {
		if s.in {
			s.told = actors.StateMark{}
			b := a.state(a.talk.Batch, id, s.member.ref)
			b = talk.PutUint(append(b, upReturn), id)
			b = talk.PutBytes(b, s.member.ref.UID())
			a.talk.Batch = talk.PutBytes(b, s.body)
			a.stats.returns.Add(1)
		}
	}
}

// An ending is how a conversation came to its end.
type ending int

const (
	moved   ending = iota // the room took its leave: it has said all before
	died                  // nobody knows what it had said last
	unknown               // there is no such conversation, and there may never have been one
)

// lose ends the conversation; the room is looked for when the time has come.
func (a *annexState) lose(now time.Time, how ending) {
	if a.talk == nil {
		return
	}
	begun := a.talk.In.Have() > 0 || a.talk.Out.Acked() > 0
	a.missed = a.missed || how == died || how == unknown && begun
	a.talk, a.paused = nil, false
	a.gone(a.place)
	a.search.Again(now)
}

// notFound takes in that no node has the room and none takes it.
func (a *annexState) notFound(now time.Time, err error) {
	a.search.NotFound(now)
	for _, q := range a.asked {
		if q.token != 0 {
			a.answer(q.session, actors.Answer{Token: actors.NewToken(q.token), Err: err}, q.join)
		}
	}
	a.asked, a.bytes = nil, 0
}

// answer answers a session from here, in the room's stead.
func (a *annexState) answer(id uint64, ans actors.Answer, join bool) {
	s, ok := a.seats[id]
	if !ok {
		return
	}
	if join {
		s.joining--
		if !s.in {
			ans.Left = &a.self
		}
	}
	a.out.answer(&s.member, ans)
	a.free(id, s)
}

// free forgets a session that is neither in nor on its way in.
func (a *annexState) free(id uint64, s *seat) {
	if !s.in && !s.listening && s.joining <= 0 {
		delete(a.seats, id)
	}
}

// look says whether the room is to be looked for now; when not, next is when to
// ask again, if ever.
func (a *annexState) look(now time.Time) (look bool, next time.Time) {
	if a.talk != nil || len(a.seats) == 0 && len(a.asked) == 0 {
		return false, time.Time{}
	}
	return a.search.Due(now)
}

// idle says whether nobody needs this annex.
func (a *annexState) idle() bool {
	return len(a.seats) == 0 && len(a.asked) == 0 && !a.search.Underway()
}

// settle forgets what the room has done with.
func (a *annexState) settle() {
	acked := uint64(0)
	if a.talk != nil {
		acked = a.talk.Out.Acked()
	}
	n := 0
	for n < len(a.asked) && (a.asked[n].done || a.asked[n].token == 0 && a.talk != nil && a.asked[n].place <= acked) {
		a.bytes -= len(a.asked[n].op)
		a.asked[n] = nil
		n++
	}
	if a.asked = a.asked[n:]; len(a.asked) == 0 {
		a.asked = nil
	}
}
