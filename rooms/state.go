package rooms

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// state is one room as a value: members, timers and the game, without actor,
// goroutine or clock. Whoever drives it passes the time of each message and
// carries out what it leaves in out, asyncs and closed. Driven twice with the
// same calls, times and seed it does the same twice.
type state struct {
	// Set at birth, read-only afterwards.
	kind  *Kind
	id    string
	out   outlet
	log   *slog.Logger
	rand  *rand.Rand
	stats *counters
	epoch uint64            // of a room of a cluster; a farRoom raises it
	self  actors.Membership // what members record: how to reach this room

	// Owned by whoever drives the room.
	now     time.Time // of the message being handled
	room    any
	members []*Member
	seats   map[uint64]*Member
	joining *Member // the one whose OnJoin is running
	timers  timer.Set[*Ctx]
	empty   time.Time // since when nobody is here

	snapshot []byte // of the last Save, nil before the first
	done     uint64 // counts operations, of kinds with snapshots
	taken    uint64 // of them, those that the snapshot covers
	panics   [5]time.Time

	asyncs []func(ctx context.Context) func(*Ctx) // started by the driver after the call
	closed bool
	why    protocol.Reason // of the close
	text   string          // of the close, for the players

	labels  Labels // replaced, never changed: the directory has the same map
	matched int    // joins sent by the directory since the last report
	changed bool   // there is something to report to the directory
}

// open makes the game and runs its OnInit.
func (st *state) open(now time.Time, labels Labels) error {
	st.now, st.empty, st.labels, st.changed = now, now, labels, true
	st.seats = make(map[uint64]*Member)
	if st.kind.merge != (Merge{}) {
		st.out.setMerge(st.kind.merge)
	}
	return st.fresh()
}

// fresh starts the game anew, keeping the members.
func (st *state) fresh() error {
	st.reset()
	if st.kind.init == nil {
		return nil
	}
	return st.guarded(func(c *Ctx) error { return st.kind.init(st.room, c) })
}

// reset replaces the game and its timers by new ones.
func (st *state) reset() {
	st.timers.Clear()
	st.room = st.kind.new()
	if tick := st.kind.tick; tick != nil {
		st.timers.Every(st.now, st.kind.tickRate, func(c *Ctx) { tick(st.room, c) })
	}
}

// handle carries out what a session asks and answers it, exactly once.
func (st *state) handle(now time.Time, cl *call) {
	st.now = now
	m, seated := st.seats[cl.id]
	if !seated {
		m = &Member{ref: cl.from, id: cl.id, uid: cl.uid, index: -1}
	}
	if cl.matched {
		st.matched, st.changed = st.matched+1, true
	}
	a := actors.Answer{Token: cl.token}
	switch {
	case st.closed && cl.verb == verbJoin:
		a.Err = errClosing
		st.refuse(m, &a)
		return
	case st.closed:
		a.Err = errClosing
	case cl.verb == verbJoin && seated:
		a.Value, a.Joined = m.joined, &st.self
	case cl.verb == verbJoin:
		st.join(m, cl, &a)
		return
	case cl.verb == verbLeave:
		st.drop(m, protocol.ReasonClientGone)
		a.Value, a.Left = &LeaveReply{Result: "success"}, &st.self
	case !seated:
		a.Err = protocol.Errorf(protocol.CodeRefused, "not in room %s %s", st.kind.name, st.id)
	default:
		a.Value, a.Err = st.run(cl.op, m, cl.req)
	}
	st.answer(m, cl, a)
	st.saveIfDue()
}

// run calls one operation of the behaviour.
func (st *state) run(op *operation, m *Member, req any) (rep any, err error) {
	err = st.guarded(func(c *Ctx) (err error) {
		rep, err = op.run(st.room, c, m, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rep, nil
}

// answer tells the session what became of its call. A notify wants no word of
// its success; its failure is counted and logged, since nobody else would know.
func (st *state) answer(m *Member, cl *call, a actors.Answer) {
	if cl.token != (actors.Token{}) || a.Joined != nil || a.Left != nil {
		st.out.answer(m, a)
		return
	}
	if a.Err != nil {
		st.stats.NotifyErrors.Add(1)
		st.log.Debug("notify failed", "session", m.ID(), "operation", cl.name(), "error", a.Err)
	}
}

// join seats m when the behaviour lets it in. The outlet knows the newcomer from
// before OnJoin, so that what OnJoin sends it, the answer and every later
// broadcast share one path.
func (st *state) join(m *Member, cl *call, a *actors.Answer) {
	if st.kind.seats > 0 && len(st.members) >= st.kind.seats {
		a.Err = protocol.Errorf(protocol.CodeUnavailable, "room is full")
		st.refuse(m, a)
		return
	}
	st.out.join(m)
	st.joining = m
	a.Value, a.Err = st.run(cl.op, m, cl.req)
	st.joining = nil
	if a.Err == nil && st.closed {
		a.Value, a.Err = nil, errClosing
	}
	if a.Err != nil {
		st.refuse(m, a)
		st.out.leave(m)
		return
	}
	m.joined = a.Value
	st.seat(m)
	a.Joined = &st.self
	st.out.answer(m, *a)
	st.saveIfDue()
}

// refuse answers a join that did not succeed; the session forgets the membership
// that it recorded ahead of the answer.
func (st *state) refuse(m *Member, a *actors.Answer) {
	st.stats.Refused.Add(1)
	a.Left = &st.self
	st.out.answer(m, *a)
}

// gone removes the member of a session that has ended.
func (st *state) gone(now time.Time, session uint64, why protocol.Reason) {
	st.now = now
	if m, ok := st.seats[session]; ok {
		st.drop(m, why)
		st.saveIfDue()
	}
}

// remove ends a membership from the room's side and tells the session.
func (st *state) remove(m *Member, why protocol.Reason) {
	if m.index >= 0 {
		st.out.answer(m, actors.Answer{Left: &st.self})
		st.drop(m, why)
	}
}

// drop takes m out of the room and lets the behaviour know.
func (st *state) drop(m *Member, why protocol.Reason) {
	if m.index < 0 {
		return
	}
	last := len(st.members) - 1
	st.members[m.index] = st.members[last]
	st.members[m.index].index = m.index
	st.members[last] = nil
	st.members = st.members[:last]
	m.index = -1
	st.changed = true
	delete(st.seats, m.ID())
	st.stats.Members.Add(-1)
	st.stats.Leaves.Add(1)
	st.out.leave(m)
	if len(st.members) == 0 {
		st.empty = st.now
	}
	if st.kind.leave != nil {
		_ = st.guarded(func(c *Ctx) error { // logged and counted where it is caught
			st.kind.leave(st.room, c, m, why)
			return nil
		})
	}
}

// due calls the timers whose time has come.
func (st *state) due(now time.Time) {
	st.now = now
	for !st.closed {
		f, ok := st.timers.Pop(now)
		if !ok {
			return
		}
		st.call(f)
	}
}

// call runs one callback of the behaviour, of a timer or an async result.
func (st *state) call(f func(c *Ctx)) {
	_ = st.guarded(func(c *Ctx) error { // logged and counted where it is caught
		f(c)
		return nil
	})
	st.saveIfDue()
}

// async leaves work for the driver to start.
func (st *state) async(work func(ctx context.Context) func(*Ctx)) {
	st.asyncs = append(st.asyncs, work)
}

// idle says whether the room has been empty for long enough to be put away, and
// if it is empty, when that will be.
func (st *state) idle(now time.Time) (at time.Time, empty bool) {
	if st.kind.idle < 0 || len(st.members) > 0 || st.closed {
		return time.Time{}, false
	}
	return st.empty.Add(st.kind.idle), true
}

// closeWith ends the room after the running call; the first reason stays.
func (st *state) closeWith(why protocol.Reason, text string) {
	if !st.closed {
		st.closed, st.why, st.text = true, why, text
	}
}

// shut is the driver's last call: OnClose, then the members are told and let go.
func (st *state) shut(now time.Time, why protocol.Reason) {
	st.now = now
	st.closeWith(why, "")
	if st.kind.closing != nil {
		_ = st.guarded(func(c *Ctx) error { // logged and counted where it is caught
			st.kind.closing(st.room, c, st.why)
			return nil
		})
	}
	st.farewell()
	for _, m := range st.members {
		m.index = -1
		st.out.answer(m, actors.Answer{Left: &st.self})
		st.out.leave(m)
	}
	st.stats.Members.Add(-int64(len(st.members)))
	st.members = nil
	clear(st.seats)
	st.out.close()
}

// those lists the members that keep says yes to.
func (st *state) those(keep func(m *Member) bool) []*Member {
	ms := make([]*Member, 0, len(st.members))
	for _, m := range st.members {
		if keep(m) {
			ms = append(ms, m)
		}
	}
	return ms
}

var errClosing = protocol.Errorf(protocol.CodeUnavailable, "room is closing")
