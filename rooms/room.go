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

// room is the actor around a state: it brings the clock, starts the work that
// the state asks for, and stops when the state is closed.
type room struct {
	// Set at birth, read-only afterwards.
	key   Key
	host  *Host
	ended context.Context // done when the room has stopped
	end   context.CancelFunc
	work  *sync.WaitGroup // async work, waited for by the host

	// Owned by Receive.
	st     *state
	alarm  timer.Alarm
	ring   func() // posts a wake
	asked  bool   // the placement has been asked to put this room away
	failed error  // why OnInit refused to open
}

// Receive implements actor.Actor.
func (r *room) Receive(c actor.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		r.start(c, now)
	case *call:
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
		r.st.closeWith(m.why)
	case *actor.Stopping:
		r.stopping(now)
		return
	default:
		return
	}
	r.settle(c, now)
}

var errNotOpen = errors.New("it could not be opened")

func (r *room) start(c actor.Context, now time.Time) {
	r.st.self = actors.Membership{Kind: r.key.Kind, Room: r.key.ID, PID: c.Self()}
	root, self := c.ActorSystem().Root, c.Self()
	r.ring = func() { root.Send(self, &wake{}) }
	r.failed = r.st.open(now)
	if r.failed != nil {
		r.st.log.Error("room could not open", "error", r.failed)
		r.st.closeWith(protocol.ReasonInternal)
	}
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
		c.Stop(c.Self())
		return
	}
	r.arm(c, now)
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
// of the game, or the end of an empty room.
func (r *room) arm(c actor.Context, now time.Time) {
	next, any := r.st.timers.Next()
	if at, empty := r.st.idle(now); empty && !r.asked {
		if !at.After(now) {
			r.asked = true
			r.host.passivate(r.key, c.Self())
		} else if !any || at.Before(next) {
			next, any = at, true
		}
	}
	r.alarm.Set(now, next, any, r.ring)
}

// stopIfIdle ends the room when nobody has come since it asked to be put away.
func (r *room) stopIfIdle(c actor.Context) {
	r.asked = false
	if len(r.st.members) == 0 {
		c.Stop(c.Self())
		return
	}
	r.host.stayed(r.key)
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
}
