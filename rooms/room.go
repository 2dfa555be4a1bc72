package rooms

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// Messages that a room's mailbox takes besides *call and *actors.SessionEnded.
type (
	wake       struct{} // a timer is due
	asyncDone  struct{ then func(*Ctx) }
	stopIfIdle struct{}                      // from the placement: answer with stayed, or stop
	shut       struct{ why protocol.Reason } // from the placement: save, tell, stop
)

// keeper decides when an empty room ends; it answers with stopIfIdle.
type keeper interface {
	passivate(key Key, pid *actor.PID)
	stayed(key Key)
}

// room is the actor around a state: it brings the clock, starts the work that
// the state asks for, and stops when the state is closed.
type room struct {
	// Set at birth, read-only afterwards.
	key    Key
	host   *Host
	keeper keeper
	ended  context.Context // done when the room has stopped
	end    context.CancelFunc
	work   *sync.WaitGroup // async work, waited for by the host

	// Owned by Receive.
	st       *state
	self     *actor.PID
	alarm    timer.Alarm
	ring     func()    // posts a wake
	reported time.Time // when the directory was told the last time
	asked    bool      // the placement has been asked to put this room away
	opened   bool
	failed   error  // why OnInit refused to open
	loaded   []byte // what the game goes on from, nil: it begins
	quit     func(c actor.Context)
}

// reportEvery is how far the directory may be behind a room that changes all the
// time.
const reportEvery = 50 * time.Millisecond

// Receive implements actor.Actor.
func (r *room) Receive(c actor.Context) { r.receive(c, c.Message(), time.Now()) }

func (r *room) receive(c actor.Context, msg any, now time.Time) {
	switch m := msg.(type) {
	case *actor.Started:
		r.start(c)
		return
	case *create:
		r.create(m, now)
	case *call:
		r.open(now, m.labels)
		r.handle(m, now)
	case *told:
		r.told(m, now)
	case *actors.SessionEnded:
		r.st.gone(now, m.ID, m.Reason)
	case *wake:
		r.alarm.Rang()
		r.st.due(now)
	case *asyncDone:
		r.st.now = now
		r.st.call(m.then)
	case *stopIfIdle:
		r.stopIfIdle(c)
		return
	case *shut:
		r.st.closeWith(m.why, "")
	case *actor.Stopping:
		r.stopping(now)
		return
	default:
		return
	}
	r.settle(c, now)
}

var errNotOpen = errors.New("it could not be opened")

func (r *room) start(c actor.Context) {
	root, self := c.ActorSystem().Root, c.Self()
	r.self, r.ring = self, func() { root.Send(self, &wake{}) }
	r.st.self = actors.Membership{Kind: r.key.Kind, Room: r.key.ID, PID: self}
}

// open starts the game with the first message that finds the room.
func (r *room) open(now time.Time, labels Labels) {
	if r.opened {
		return
	}
	r.opened = true
	if len(r.loaded) > 0 {
		r.st.reopen(now, labels, r.loaded)
		r.loaded = nil
		return
	}
	if r.failed = r.st.open(now, labels); r.failed != nil {
		r.st.log.Error("room could not open", "error", r.failed)
		r.st.closeWith(protocol.ReasonInternal, "")
	}
}

func (r *room) create(m *create, now time.Time) {
	if r.opened {
		m.opened(protocol.Errorf(protocol.CodeConflict, "room %s is there already", r.key))
		return
	}
	if r.open(now, m.labels); r.failed != nil {
		m.Refused(errNotOpen)
		return
	}
	m.opened(nil)
}

func (r *room) handle(cl *call, now time.Time) {
	if r.failed != nil {
		r.st.log.Debug("call refused", "operation", cl.name())
		cl.Refused(errNotOpen)
		return
	}
	r.st.handle(now, cl)
}

func (r *room) told(t *told, now time.Time) {
	if r.failed != nil {
		t.Refused(errNotOpen)
		return
	}
	t.verdict(r.st.told(now, t.msg))
}

// settle carries out what the state has left behind.
func (r *room) settle(c actor.Context, now time.Time) {
	r.startWork(c)
	if r.st.closed {
		r.leave(c)
		return
	}
	if r.st.changed && !now.Before(r.reported.Add(reportEvery)) {
		r.reported = now
		r.report(false)
	}
	r.arm(c, now)
}

// report tells the directory about the room.
func (r *room) report(ended bool) {
	info := Info{Key: r.key, Members: len(r.st.members), Seats: r.st.kind.seats, Labels: r.st.labels}
	r.host.app.System().Root.Send(r.host.directory, &report{Info: info, Run: r.self.Id, Matched: r.st.matched, Ended: ended})
	r.st.matched, r.st.changed = 0, false
}

func (r *room) startWork(c actor.Context) {
	if len(r.st.asyncs) == 0 {
		return
	}
	root, self := c.ActorSystem().Root, c.Self()
	for i, work := range r.st.asyncs {
		r.st.asyncs[i] = nil
		r.work.Go(func() { root.Send(self, &asyncDone{work(r.ended)}) })
	}
	r.st.asyncs = r.st.asyncs[:0]
}

// arm sets the one timer of the room to the earliest thing that is due: a timer
// of the game, a report, or the end of an empty room.
func (r *room) arm(c actor.Context, now time.Time) {
	next, any := r.st.timers.Next()
	if at, empty := r.st.idle(now); empty && !r.asked {
		if !at.After(now) {
			r.asked = true
			r.keeper.passivate(r.key, c.Self())
		} else if !any || at.Before(next) {
			next, any = at, true
		}
	}
	if at := r.reported.Add(reportEvery); r.st.changed && (!any || at.Before(next)) {
		next, any = at, true
	}
	r.alarm.Set(now, next, any, r.ring)
}

// stopIfIdle ends the room when nobody has come since it asked to be put away.
func (r *room) stopIfIdle(c actor.Context) {
	r.asked = false
	if len(r.st.members) == 0 {
		r.leave(c)
		return
	}
	r.keeper.stayed(r.key)
}

// leave ends the actor, or has whoever drives it do so.
func (r *room) leave(c actor.Context) {
	if r.quit != nil {
		r.quit(c)
		return
	}
	c.Stop(c.Self())
}

// stopping is the room's end, on every way there.
func (r *room) stopping(now time.Time) {
	r.alarm.Stop()
	r.end()
	why := r.st.why
	if !r.st.closed {
		why = protocol.ReasonShutdown
	}
	r.st.shut(now, why)
	r.report(true)
}
