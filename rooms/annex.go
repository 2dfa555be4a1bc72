package rooms

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// Messages of annexes and of rooms with gates.
type (
	found struct {
		place places.Place
		err   error
	}
	flushNow struct{}
	nodeGone struct{ id string }
	returned struct{} // this node had lost its lease, and has one again
)

// annex is the actor around an annexState. To sessions and to the placement it
// looks like the room itself.
type annex struct {
	// Set at birth, read-only afterwards.
	spread *spread
	st     *annexState

	// Owned by Receive.
	alarm    timer.Alarm
	ring     func()
	flushing bool // a flushNow is in the mailbox
	asked    bool // the placement has been asked to put this annex away
}

const (
	// annexIdle is how long an annex without sessions lives on: whoever leaves may
	// come back, and a conversation costs a round trip to begin.
	annexIdle    = 5 * time.Second
	annexMailbox = 65536
	// farBatch is how many bytes gather before they are sent without waiting for
	// the mailbox to be empty.
	farBatch = 32 << 10
	// pausedProbe is how often a room that could not answer is asked again.
	pausedProbe = 500 * time.Millisecond
	// doubtFor is how long the rooms' nodes may take to learn that this one was lost.
	doubtFor = 5 * time.Second
)

// spawnAnnex starts the annex of a room on this node.
func (h *Host) spawnAnnex(key Key, n uint64) (*actor.PID, error) {
	k, ok := h.kinds[key.Kind]
	if !ok {
		return nil, fmt.Errorf("no room kind %q", key.Kind)
	}
	s := h.spread
	props := actor.PropsFromProducer(func() actor.Actor {
		return &annex{spread: s, st: &annexState{
			key: key, node: s.mesh.Self().ID, out: h.newOutlet(k), line: s.mesh.Send, stats: &s.stats,
			number: s.number, gone: func(p places.Place) { s.mesh.Directory().Gone(places.Key(key), p) },
			seen:  func(p places.Place) { s.mesh.Directory().Seen(places.Key(key), p) },
			there: s.there,
			seats: make(map[uint64]*seat), serial: s.serials.Add(1) << 32,
		}}
	}, actor.WithMailbox(h.app.Mailbox(annexMailbox)), actor.WithGuardian(actor.NewOneForOneStrategy(0, 0, stopOnFailure)))
	return h.app.System().Root.SpawnNamed(props, "annex/"+key.Kind+"/"+key.ID+"@"+strconv.FormatUint(n, 10))
}

// Receive implements actor.Actor.
func (x *annex) Receive(c actor.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		x.start(c, now)
	case *call:
		x.st.call(m)
	case *actors.SessionEnded:
		x.st.ended(m.ID, m.Reason)
	case *heard:
		x.st.hear(now, m)
	case *found:
		if m.err != nil {
			x.st.notFound(now, m.err)
			break
		}
		x.st.found(now, m.place)
	case *nodeGone:
		if x.st.talk != nil && x.st.place.Node == m.id {
			x.st.lose(now, died)
		}
	case *returned:
		x.st.doubt(now)
	case *wake:
		x.alarm.Rang()
	case *flushNow:
		x.flushing = false
		x.flush(now)
	case *stopIfIdle:
		x.stopIfIdle(c, now)
		return
	case *shut:
		x.shut(c, now, m.why)
		return
	case *actor.Stopping:
		x.stopping()
		return
	default:
		return
	}
	x.settle(c, now)
}

func (x *annex) start(c actor.Context, now time.Time) {
	x.st.self = actors.Membership{Kind: x.st.key.Kind, Room: x.st.key.ID, PID: c.Self()}
	x.st.since = now
	root, self := c.ActorSystem().Root, c.Self()
	x.ring = func() { root.Send(self, &wake{}) }
	x.spread.annexes.Store(x.st.key, self)
}

// settle carries out what the state has left to do.
func (x *annex) settle(c actor.Context, now time.Time) {
	look, next := x.st.look(now)
	if look {
		root, self := c.ActorSystem().Root, c.Self()
		x.spread.mesh.Directory().Then(places.Key(x.st.key), func(p places.Place, err error) {
			root.Send(self, &found{p, err})
		})
	}
	if t := x.st.talk; t != nil {
		next = timer.Sooner(next, x.st.knock(now))
		x.gather(c, now)
		next = timer.Sooner(next, t.Due(now))
	}
	next = timer.Sooner(next, x.retire(c, now))
	x.alarm.Set(now, next, !next.IsZero(), x.ring)
}

// gather has what was said sent once the mailbox is empty: what waits there joins
// the same message.
func (x *annex) gather(c actor.Context, now time.Time) {
	switch n := len(x.st.talk.Batch); {
	case n > farBatch:
		x.flush(now)
	case n > 0 && !x.flushing:
		x.flushing = true
		c.Send(c.Self(), &flushNow{})
	}
}

func (x *annex) flush(now time.Time) {
	if t := x.st.talk; t != nil {
		t.Flush(now)
	}
}

// retire asks to be put away when nobody has been here for a while, and returns
// when that will be.
func (x *annex) retire(c actor.Context, now time.Time) time.Time {
	if !x.st.idle() {
		x.st.since = now
		return time.Time{}
	}
	at := x.st.since.Add(annexIdle)
	if x.asked || now.Before(at) {
		return at
	}
	x.asked = true
	x.spread.host.passivate(x.st.key, c.Self())
	return time.Time{}
}

func (x *annex) stopIfIdle(c actor.Context, now time.Time) {
	x.asked = false
	if !x.st.idle() {
		x.spread.host.stayed(x.st.key)
		x.settle(c, now)
		return
	}
	x.bye(now)
	c.Stop(c.Self())
}

// bye tells the room that nobody is left here. When it is lost, the room hears of
// it from whoever answers its next message.
func (x *annex) bye(now time.Time) {
	if t := x.st.talk; t != nil && t.Out.Last() > 0 {
		t.Batch = append(t.Batch, upBye)
		t.Flush(now)
	}
}

// shut lets the sessions of this node go: the node stops.
func (x *annex) shut(c actor.Context, now time.Time, why protocol.Reason) {
	for id, s := range x.st.seats {
		x.st.out.answer(&s.member, actors.Answer{Left: &x.st.self})
		if s.in {
			x.st.ended(id, why)
		}
	}
	x.bye(now)
	c.Stop(c.Self())
}

var errAnnexStopped = errors.New("room is not reachable from this node any more")

func (x *annex) stopping() {
	x.alarm.Stop()
	x.spread.annexes.CompareAndDelete(x.st.key, x.st.self.PID)
	for _, q := range x.st.asked {
		if q.token != 0 && !q.done {
			x.st.answer(q.session, actors.Answer{
				Token: actors.NewToken(q.token), Err: protocol.Errorf(protocol.CodeUnavailable, "room is not available").With(errAnnexStopped),
			}, q.join)
		}
	}
	x.st.out.close()
}
