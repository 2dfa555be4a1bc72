package rooms

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// Messages that the directory has for a room.
type (
	suspend struct{}
	resume  struct {
		epoch uint64
		ended func() // the room had stopped before it could know
	}
	moveAway struct{} // save, and stop: the room goes on elsewhere
	giveUp   struct{} // it runs elsewhere already: save nothing
	farWake  struct{}
)

// Refused says that the room stopped while it was being given a new epoch: the
// directory waits for the end of that one.
func (r *resume) Refused(error) { r.ended() }

// farRoom is a room of a cluster: a room whose members are on any node. Between
// suspend and resume, while this node cannot be sure to own it, it takes in and
// says nothing, and its game stands still.
type farRoom struct {
	room
	far    *far
	spread *spread

	// Owned by Receive.
	farAlarm  timer.Alarm
	farRing   func()
	flushing  bool
	suspended bool
	resuming  bool      // once the claim under way has succeeded
	called    bool      // the roll
	rollEnd   time.Time // when nobody is waited for any longer, zero: the roll is over
	moving    bool
	lost      bool
	safe      safe
	final     *finalSave // nil: nothing is left to save
	early     []*heard   // what gates said before the snapshot was loaded
	deferred  []any      // what came for the game while it stood still
	waiting   []*heard   // what gates said during the roll call
}

// Receive implements actor.Actor.
func (r *farRoom) Receive(c actor.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		r.started(c)
	case *heard:
		r.heard(m, now)
		r.roll(c, now)
		r.settleGame(c, now)
	case *actors.ToDistant:
		if r.full() { // nobody else holds senders back
			m.Refused(actors.ErrBusy)
			return
		}
		r.far.pass(m)
	case *nodeGone:
		r.far.lose(r.st, now, m.id)
		delete(r.far.over, m.id)
		r.far.present(m.id)
		r.roll(c, now)
		r.settleGame(c, now)
	case *flushNow:
		r.flushing = false
		r.flush(now)
	case *farWake:
		r.farAlarm.Rang()
		r.roll(c, now)
	case *suspend:
		r.suspended, r.resuming = true, false
		r.far.silence(true)
	case *resume:
		r.resume(c, m.epoch)
	case *moveAway:
		r.moving = true
		c.Stop(c.Self())
	case *giveUp:
		r.lose(c)
	case *told:
		if !r.tell(m, now) {
			return
		}
	case *create:
		if !r.create(m, now) {
			break
		}
		r.settleGame(c, now)
	case *wake, *asyncDone, *stopIfIdle:
		if r.still(now) || !r.rollEnd.IsZero() {
			r.deferred = append(r.deferred, m) // as many as the game has work under way
			return
		}
		r.room.Receive(c)
	case *actor.Stopping:
		r.stopping(c, now)
		return
	case *actor.Stopped:
		r.stopped()
		return
	case *claimDone:
		r.claimed(c, now, m)
		r.roll(c, now)
		r.settleGame(c, now)
	case *saveDone:
		r.saveDone(c, now, m)
	default:
		r.room.Receive(c)
	}
	r.settleFar(c, now)
}

// passivate implements keeper: the directory decides, since somebody may be on
// the way.
func (r *farRoom) passivate(key Key, _ *actor.PID) {
	r.spread.mesh.Directory().Retire(places.Key(key), r.far.epoch)
}

// stayed implements keeper.
func (r *farRoom) stayed(key Key) { r.spread.mesh.Directory().Stayed(places.Key(key), r.far.epoch) }

func (r *farRoom) started(c actor.Context) {
	root, self := c.ActorSystem().Root, c.Self()
	r.farRing = func() { root.Send(self, &farWake{}) }
	r.far.pid = self
	r.far.open = r.open
	r.room.Receive(c)
	if r.safe.store != nil {
		r.safe.post = func(msg any) { root.Send(self, msg) }
		r.safe.claim(r.far.epoch, 0)
	}
}

// heard takes in what a gate says. A process that was stopped may run for a moment
// before it is told that its lease may have ended, so the clock is asked.
func (r *farRoom) heard(m *heard, now time.Time) {
	if r.still(now) || !r.spread.mesh.Held() || r.safe.claiming && len(r.early) >= r.st.kind.mailbox {
		r.spread.paused(m)
		return
	}
	if r.safe.claiming {
		r.early = append(r.early, m)
		return
	}
	if !r.called {
		r.far.hear(r.st, now, m)
		r.callRoll(now)
		return
	}
	first := m.word == wire.TalkSay && m.e.Seq == 1
	switch {
	case m.word == wire.TalkGone && m.e.Talk == 0:
		if m.e.Epoch == r.far.epoch {
			r.far.present(m.from.ID)
		}
	case !r.rollEnd.IsZero() && !first && m.word != wire.TalkGone:
		r.waiting = append(r.waiting, m)
	default:
		r.far.hear(r.st, now, m)
	}
}

// callRoll asks all gates whom they have in this room. The game waits for it.
func (r *farRoom) callRoll(now time.Time) {
	r.called, r.rollEnd = true, now.Add(rollTime)
	r.far.callRoll(r.spread.mesh.Members())
}

// roll ends the roll call when all have answered or the time is over; what waited
// for it is handled.
func (r *farRoom) roll(c actor.Context, now time.Time) {
	if r.rollEnd.IsZero() || !r.far.rolled() && now.Before(r.rollEnd) {
		return
	}
	r.rollEnd = time.Time{}
	r.far.endRoll()
	for _, m := range r.waiting {
		r.far.hear(r.st, now, m)
	}
	r.waiting = nil
	r.goOn(c)
}

// goOn hands the game what came while it stood still.
func (r *farRoom) goOn(c actor.Context) {
	for _, m := range r.deferred {
		c.Send(c.Self(), m)
	}
	r.deferred = nil
}

// settleGame is settle for a game that has begun: one that has not has nothing to
// settle, and is not idle but waits for the roll call or its snapshot.
func (r *farRoom) settleGame(c actor.Context, now time.Time) {
	if r.opened {
		r.settle(c, now)
	}
}

func (r *farRoom) settleFar(c actor.Context, now time.Time) {
	if len(r.deferred) > 0 && r.opened && r.rollEnd.IsZero() && !r.still(now) {
		r.goOn(c)
	}
	saveAt := r.safe.step(r.st, now)
	switch {
	case r.far.bytes > farBatch:
		r.flush(now)
	case !r.flushing && !r.holds() && r.far.gathered():
		r.flushing = true
		c.Send(c.Self(), &flushNow{})
	}
	next := timer.Sooner(timer.Sooner(r.far.due(now), r.rollEnd), saveAt)
	r.farAlarm.Set(now, next, !next.IsZero(), r.farRing)
}

func (r *farRoom) flush(now time.Time) {
	if r.holds() {
		return
	}
	if held := r.spread.mesh.Held(); held == r.far.mute && !r.suspended {
		r.far.silence(!held)
	}
	r.far.flush(now)
}

// resume lets the room go on, a kept one when it is sure that nobody else has saved
// it meanwhile. The gates are told at once, since they may have asked for something
// that nobody answered.
func (r *farRoom) resume(c actor.Context, epoch uint64) {
	was := r.far.epoch
	r.far.epoch, r.st.epoch = epoch, epoch
	if r.safe.store != nil && epoch != was {
		r.safe.claim(epoch, 0)
	}
	if r.resuming = r.safe.claiming; !r.resuming {
		r.resumed(c)
	}
}

func (r *farRoom) resumed(c actor.Context) {
	r.suspended, r.resuming = false, false
	r.far.silence(false)
	r.far.greet()
	if r.rollEnd.IsZero() {
		r.goOn(c)
	}
}

// lose ends a room that runs elsewhere, without a word.
func (r *farRoom) lose(c actor.Context) {
	r.moving, r.lost = true, true
	c.Stop(c.Self())
}

// stopping is the room's end. One that moves says nothing to its members: their
// gates look for it, and find it elsewhere.
func (r *farRoom) stopping(c actor.Context, now time.Time) {
	r.farAlarm.Stop()
	for _, m := range r.deferred {
		refuse(m, actors.ErrStopped)
	}
	r.deferred = nil
	if r.safe.store != nil && r.opened && !r.lost {
		r.st.lastSnapshot(r.st.closed)
		r.final = r.safe.final(r.st)
	}
	if !r.moving {
		r.room.Receive(c)
		r.lastWord(now)
		return
	}
	r.alarm.Stop()
	r.end()
	r.st.moved()
	r.report(true)
	if !r.lost {
		r.far.moved()
		r.lastWord(now)
	}
}

// lastWord says what is left to say, unless it has to be saved first.
func (r *farRoom) lastWord(now time.Time) {
	if r.final == nil {
		if !r.spread.mesh.Held() { // the order to be silent may wait behind this end
			r.far.silence(true)
		}
		r.far.flush(now)
	}
}

// stopped gives the room's key up, once all is saved. What was not said for want
// of a save is said then, or asked again of the next activation.
func (r *farRoom) stopped() {
	r.safe.over()
	if r.final == nil || r.lost || r.safe.fenced {
		r.far.release()
		r.spread.ended(r.key, r.far.epoch)
		return
	}
	r.work.Go(func() {
		if r.final.carryOut() {
			r.far.flush(time.Now())
		}
		r.far.release()
		r.spread.ended(r.key, r.far.epoch)
	})
}

// greet tells all gates how far the room has come.
func (f *far) greet() {
	for _, g := range f.gates {
		g.Epoch = f.epoch
		g.Greet()
	}
}

// moved tells all gates that the room goes on elsewhere.
func (f *far) moved() {
	for _, g := range f.gates {
		g.Batch = append(g.Batch, downMoved)
	}
}

// reopen is open for a game that goes on from a snapshot.
func (st *state) reopen(now time.Time, labels Labels, snapshot []byte) {
	st.now, st.empty, st.labels, st.changed = now, now, labels, true
	st.seats = make(map[uint64]*Member)
	if st.kind.merge != (Merge{}) {
		st.out.setMerge(st.kind.merge)
	}
	st.snapshot = snapshot
	st.restore()
}

// moved ends the state without a word to the members.
func (st *state) moved() {
	st.closeWith(protocol.ReasonShutdown, "")
	st.stats.Members.Add(-int64(len(st.members)))
	st.members = nil
	clear(st.seats)
}
