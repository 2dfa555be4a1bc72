package actors

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/flow"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/actors/timer"
)

// clerkState is a clerk as a value: what a node has of one shard of the users. It
// knows which sessions of this node are logged in as users of the shard, and keeps
// what was asked until the shard has answered. When the shard is lost it is looked
// for anew; the next activation is told who is logged in, then asked again.
//
//	looking ──found──► talking ──the shard moved or died──► looking
type clerkState struct {
	// Set at birth, read-only afterwards.
	app      *App
	key      directory.Key
	node     string
	line     func(to link.Peer, e *wire.Envelope) error
	gone     func(directory.Place)  // the shard is not there any more
	there    func(node string) bool // a member of the cluster
	report   func(*partDone)        // comes back as a message
	patience time.Duration          // of logins, until they are answered 503
	stats    *farUserStats

	talk    *talk.Talk // nil while the shard is looked for
	place   directory.Place
	paused  bool // the shard cannot answer at the moment
	probeAt time.Time
	number  uint64 // of conversations
	search  talk.Search

	seats  map[seatKey]*clerkSeat
	serial uint64
	asked  map[uint64]*clerkAsk // by serial
	bytes  int                  // of asked
	binds  map[seatKey]uint64   // those of asked that are logins
	timers timer.Set[time.Time]
}

// seatKey names a login of this node.
type seatKey struct {
	uid     string
	session uint64
}

// clerkSeat is a session of this node that is logged in.
type clerkSeat struct {
	ref     *Ref
	token   uint32
	since   moment
	leaving bool // told to go
	heard   []heardPush
}

// heardPush is the last push of one node that a session has got: what is asked
// again of another activation of the shard is not said twice.
type heardPush struct {
	node   string
	number uint64
}

// clerkAsk is something that the shard has to answer.
type clerkAsk struct {
	number uint64
	uid    string
	msg    any
	op     []byte
	expire *timer.Timer[time.Time] // of a login, and of what is held
	held   bool                    // not said yet, since the shard is paused
}

// What a clerk keeps for its shard. Past it what is asked is refused.
const (
	askedMost  = 65536
	askedBytes = 8 << 20
)

const (
	// userBatch is how many bytes gather before they are sent without waiting for the
	// mailbox to be empty.
	userBatch = 32 << 10
	// pausedProbe is how often a shard that could not answer is asked again.
	pausedProbe = 200 * time.Millisecond
)

// What clerks say is bounded by askedMost, so the flow must never forget.
var clerkLimits = flow.Limits{Messages: 1 << 20, Bytes: 1 << 30}

var (
	errUsersPaused = errors.New("the keeper of the user cannot answer at the moment")
	errUndecided   = errors.New("the keeper of the user did not answer in time")
)

func newClerkState(f *farUsers, i int) *clerkState {
	key := shardKey(i)
	return &clerkState{
		app: f.app, key: key, node: f.mesh.Self().ID, line: f.mesh.Send, there: f.there,
		gone: func(p directory.Place) { f.mesh.Directory().Gone(key, p) },
		// Ahead of the session's own time-out, whose answer does not say to try again.
		patience: cmp.Or(f.app.cfg.RequestTimeout, 5*time.Second) * 4 / 5, stats: &f.stats,
		seats: make(map[seatKey]*clerkSeat), asked: make(map[uint64]*clerkAsk), binds: make(map[seatKey]uint64),
	}
}

// take takes in what somebody on this node has for a user.
func (s *clerkState) take(now time.Time, mail *userMail) {
	if m, ok := mail.msg.(*UserGone); ok {
		s.goneBy(seatKey{mail.uid, m.Session}, m.Token)
		return
	}
	switch _, push := mail.msg.(*UserPush); {
	case s.paused && !push:
		s.stats.paused.Add(1)
		refuse(mail.msg, errUsersPaused)
		return
	case len(s.asked) >= askedMost || s.bytes >= askedBytes:
		s.stats.busy.Add(1)
		refuse(mail.msg, ErrBusy)
		return
	}
	s.serial++
	a := &clerkAsk{number: s.serial, uid: mail.uid, msg: mail.msg}
	switch m := mail.msg.(type) {
	case *UserBind:
		s.bind(now, a, m)
	case *UserPush:
		a.op = talk.PutBytes(talk.PutUint([]byte{saysPush}, a.number), a.uid)
		a.op = talk.PutFrame(a.op, m.Frame)
	case *UserKick:
		a.op = talk.PutBytes(talk.PutUint([]byte{saysKick}, a.number), a.uid)
		a.op = talk.PutBytes(talk.PutUint(a.op, uint64(m.Reason)), m.Text)
	case *UserQuery:
		a.op = talk.PutBytes(talk.PutUint([]byte{saysQuery}, a.number), a.uid)
	default:
		s.app.cfg.Logger.Warn("user got a message of no known type", "type", typeName(m))
		return
	}
	s.asked[a.number] = a
	s.bytes += len(a.op)
	if s.paused {
		s.hold(now, a)
		return
	}
	s.say(a.op)
}

// hold keeps a push while the shard cannot answer, for a short outage to pass.
func (s *clerkState) hold(now time.Time, a *clerkAsk) {
	a.held = true
	a.expire = s.timers.After(now, s.patience, func(time.Time) {
		s.settled(a.number)
		s.stats.paused.Add(1)
		refuse(a.msg, errUsersPaused)
	})
}

// goOn says what was held.
func (s *clerkState) goOn() {
	s.paused = false
	for _, n := range slices.Sorted(maps.Keys(s.asked)) {
		if a := s.asked[n]; a.held {
			s.release(a)
		}
	}
}

func (s *clerkState) release(a *clerkAsk) {
	if a.held {
		a.held = false
		a.expire.Stop()
	}
	s.say(a.op)
}

// say adds to the next batch; without a conversation it is said once there is one.
func (s *clerkState) say(op []byte) {
	if s.talk != nil {
		s.talk.Batch = append(s.talk.Batch, op...)
	}
}

// bind asks for a login. A later one of the session takes the place of an earlier
// one, as it does at the user.
func (s *clerkState) bind(now time.Time, a *clerkAsk, m *UserBind) {
	key := seatKey{a.uid, m.Session.id}
	if earlier, ok := s.binds[key]; ok {
		s.settled(earlier)
	}
	s.binds[key] = a.number
	a.op = putLogin([]byte{saysBind}, a.uid, m.Session.id, m.Token)
	a.expire = s.timers.After(now, s.patience, func(time.Time) {
		s.settled(a.number)
		if s.seats[key] == nil { // one that is logged in already stays so
			s.sayGone(key, m.Token)
		}
		s.stats.undecided.Add(1)
		m.Refused(errUndecided)
	})
}

// settled forgets what was asked, and returns it; nil when it was forgotten before.
func (s *clerkState) settled(number uint64) *clerkAsk {
	a := s.asked[number]
	if a == nil {
		return nil
	}
	delete(s.asked, number)
	s.bytes -= len(a.op)
	if m, ok := a.msg.(*UserBind); ok {
		delete(s.binds, seatKey{a.uid, m.Session.id})
	}
	if a.expire != nil {
		a.expire.Stop()
	}
	return a
}

// login returns the login that a session waits for with a token, which is settled.
func (s *clerkState) login(key seatKey, token uint32) *UserBind {
	a := s.asked[s.binds[key]]
	if a == nil || a.msg.(*UserBind).Token != token {
		return nil
	}
	s.settled(a.number)
	return a.msg.(*UserBind)
}

// goneBy takes in that a session is not, or does not want to be, logged in.
func (s *clerkState) goneBy(key seatKey, token uint32) {
	if a := s.asked[s.binds[key]]; a != nil && a.msg.(*UserBind).Token <= token {
		s.settled(a.number)
	}
	if seat := s.seats[key]; seat != nil && seat.token <= token {
		delete(s.seats, key)
	}
	s.sayGone(key, token)
}

func (s *clerkState) sayGone(key seatKey, token uint32) {
	if s.talk != nil { // the next activation is not told of it in the first place
		s.talk.Batch = putLogin(append(s.talk.Batch, saysGone), key.uid, key.session, token)
	}
}

// partDone passes on what became of a push, to the activation that it came from.
func (s *clerkState) partDone(m *partDone) {
	if s.talk == nil || s.talk.Number != m.talk {
		return
	}
	b := talk.PutUint(append(s.talk.Batch, saysPushed), m.part)
	s.talk.Batch = talk.PutUint(talk.PutUint(b, uint64(m.sent)), uint64(m.dropped))
}

// found takes in where the shard is: a conversation begins, with who is logged in
// here and what is still to be answered.
func (s *clerkState) found(now time.Time, p directory.Place) {
	if s.search.Found(); s.talk != nil { // a roll call was faster
		return
	}
	if s.place = p; !s.there(p.Node) { // it left while we were told: nobody will tell us again
		s.gone(p)
		s.search.Again(now)
		return
	}
	s.number = max(s.number+1, uint64(now.UnixNano()))
	s.stats.talks.Add(1)
	t := &talk.Talk{
		Line: s.line, Peer: link.Peer{ID: p.Node, Addr: p.Addr}, Kind: s.key.Kind, ID: s.key.ID, Number: s.number,
		Side: wire.OpFromUserGate, Epoch: p.Epoch, Out: flow.Out{Limits: clerkLimits}, Tally: &s.stats.repairs,
	}
	s.talk = t
	t.Batch = append(t.Batch, saysHello)
	for key, seat := range s.seats {
		b := putLogin(append(t.Batch, saysBack), key.uid, key.session, seat.token)
		t.Batch = talk.PutBool(putMoment(b, seat.since), seat.leaving)
	}
	t.Flush(now)
	for _, n := range slices.Sorted(maps.Keys(s.asked)) {
		s.release(s.asked[n])
		if len(t.Batch) > userBatch {
			t.Flush(now)
		}
	}
	t.Flush(now)
}

// lose ends the conversation; the shard is looked for when the time has come.
func (s *clerkState) lose(now time.Time) {
	if s.talk == nil {
		return
	}
	s.talk, s.paused = nil, false
	s.gone(s.place)
	s.search.Again(now)
}

// left takes in which nodes have left.
func (s *clerkState) left(now time.Time, gone []roster.Member) {
	for _, m := range gone {
		if s.talk != nil && s.talk.Peer.ID == m.ID {
			s.lose(now)
		}
	}
}

// notFound takes in that no node has the shard and none takes it.
func (s *clerkState) notFound(now time.Time, err error) {
	s.search.NotFound(now)
	s.stats.unplaced.Add(int64(len(s.asked)))
	s.refuseAll(err)
}

func (s *clerkState) refuseAll(err error) {
	for _, n := range slices.Sorted(maps.Keys(s.asked)) {
		refuse(s.settled(n).msg, err)
	}
}

// look says whether the shard is to be looked for now; when not, next is when to
// ask again, if ever.
func (s *clerkState) look(now time.Time) (look bool, next time.Time) {
	if s.talk != nil || len(s.seats) == 0 && len(s.asked) == 0 {
		return false, time.Time{}
	}
	return s.search.Due(now)
}

// due does what the time has come for, and returns when to look again.
func (s *clerkState) due(now time.Time) (next time.Time) {
	for f, ok := s.timers.Pop(now); ok; f, ok = s.timers.Pop(now) {
		f(now)
	}
	next, _ = s.timers.Next()
	if s.talk == nil {
		return next
	}
	if s.paused && s.talk.Out.Waiting() == 0 { // else the flow asks by itself
		if !now.Before(s.probeAt) {
			s.probeAt = now.Add(pausedProbe)
			s.talk.Greet()
		}
		next = timer.Sooner(next, s.probeAt)
	}
	return timer.Sooner(next, s.talk.Due(now))
}
