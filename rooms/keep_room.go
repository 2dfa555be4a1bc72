package rooms

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/timer"
)

// keptRoom is a room of a node alone that is kept. It takes nothing in before it has
// been claimed, and it ends when its last snapshot has been saved; until then the
// placement lets nobody else open it. Which activation it is the store says.
type keptRoom struct {
	room

	// Owned by Receive.
	safe      safe
	held      *heldOutlet // nil: it says what it has to say at once
	saveAlarm timer.Alarm
	saveRing  func()
	early     []any // what came before the room was claimed
	deferred  []any // what came for the game while it stood still
	shutting  bool  // by its host: the game is not over
	ending    bool  // the last snapshot is being saved
}

type (
	saveWake struct{}
	lastDone struct{ saved bool }
)

func newKeptRoom(r *room) *keptRoom {
	k := &keptRoom{room: *r, safe: newSafe(r)}
	if k.safe.rule.strict() {
		k.held = &heldOutlet{next: r.st.out}
		k.st.out = k.held
	}
	k.quit = k.finish
	return k
}

// Receive implements actor.Actor.
func (r *keptRoom) Receive(c actor.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		r.start(c)
		root, self := c.ActorSystem().Root, c.Self()
		r.saveRing = func() { root.Send(self, &saveWake{}) }
		r.safe.post = func(msg any) { root.Send(self, msg) }
		r.safe.claim(0, 0)
	case *actor.Stopping:
		r.stopped(now)
		return
	case *claimDone:
		r.claimed(c, now, m)
	case *saveDone:
		r.saveDone(c, now, m)
	case *saveWake:
		r.saveAlarm.Rang()
	case *lastDone:
		r.said(m.saved)
		c.Stop(c.Self())
		return
	default:
		r.take(c, m, now)
	}
	r.settleSafe(now)
}

// take takes in what is for the room, unless it is too early, too late, or the room
// stands still.
func (r *keptRoom) take(c actor.Context, msg any, now time.Time) {
	_, shutting := msg.(*shut)
	r.shutting = r.shutting || shutting
	switch {
	case r.ending:
		if _, gone := msg.(*actors.SessionEnded); !gone {
			refuse(msg, errStopping)
		}
	case r.safe.claiming && shutting:
		r.finish(c)
	case r.safe.claiming:
		if len(r.early) >= r.st.kind.mailbox {
			refuse(msg, actors.ErrBusy)
			return
		}
		r.early = append(r.early, msg)
	case r.safe.stalled(now) && !shutting:
		r.stall(c, msg, now)
	default:
		r.receive(c, msg, now)
	}
}

// stall puts off or refuses what comes while what the room says cannot be saved.
func (r *keptRoom) stall(c actor.Context, msg any, now time.Time) {
	switch msg.(type) {
	case *wake, *asyncDone, *stopIfIdle:
		r.deferred = append(r.deferred, msg)
	case *actors.SessionEnded: // a ghost is worse than a change that waits to be saved
		r.receive(c, msg, now)
	default:
		refuse(msg, ErrPaused)
	}
}

func (r *keptRoom) claimed(c actor.Context, now time.Time, m *claimDone) {
	if r.ending || !r.safe.claimed(now, m, 0) {
		return
	}
	r.loaded, r.safe.data, r.st.epoch = m.got.Data, m.got.Data, m.got.Epoch
	early := r.early
	r.early = nil
	for _, msg := range early {
		r.take(c, msg, now)
	}
}

func (r *keptRoom) saveDone(c actor.Context, now time.Time, m *saveDone) {
	r.safe.done(now, m, true)
	if r.safe.fenced {
		r.finish(c)
		return
	}
	if r.safe.stalled(now) {
		return
	}
	deferred := r.deferred
	r.deferred = nil
	for _, msg := range deferred {
		r.take(c, msg, now)
	}
}

// settleSafe saves when it is time, and says what is saved.
func (r *keptRoom) settleSafe(now time.Time) {
	if r.ending {
		return
	}
	next := r.safe.step(r.st, now)
	if r.held != nil && !r.safe.holds(r.st.done) {
		r.held.release()
	}
	r.saveAlarm.Set(now, next, !next.IsZero(), r.saveRing)
}

// finish ends the room in place of its actor's stop, which follows when all is
// saved.
func (r *keptRoom) finish(c actor.Context) {
	if r.ending {
		return
	}
	r.ending = true
	r.alarm.Stop()
	r.saveAlarm.Stop()
	var f *finalSave
	if r.opened {
		r.st.lastSnapshot(r.st.closed && !r.shutting)
		f = r.safe.final(r.st)
	}
	for _, msg := range r.early {
		refuse(msg, errStopping)
	}
	r.early = nil
	if f == nil {
		r.said(!r.safe.fenced)
		c.Stop(c.Self())
		return
	}
	post := r.safe.post
	r.work.Go(func() { post(&lastDone{f.carryOut()}) })
}

// said lets go of what was held for want of a save.
func (r *keptRoom) said(saved bool) {
	switch {
	case r.held == nil:
	case saved:
		r.held.release()
	default:
		r.held.drop()
	}
}

// stopped is the actor's end, also after a failure of ours, when nothing was saved.
func (r *keptRoom) stopped(now time.Time) {
	r.saveAlarm.Stop()
	r.safe.over()
	if r.held != nil {
		r.held.drop()
	}
	r.stopping(now)
	if r.held != nil {
		r.held.release() // the farewell
	}
}
