package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/timer"
)

// Messages of clerks and shards.
type (
	shardFound struct {
		place directory.Place
		err   error
	}
	flushUsers struct{}

	// partDone says what became of a push here.
	partDone struct {
		talk, part    uint64
		sent, dropped int

		again func() // says it again when a full mailbox refused it
	}
)

// Refused implements Refusable.
func (m *partDone) Refused(error) { time.AfterFunc(goodbyeAgain, m.again) }

// userClerk is the actor around a clerkState: to this node it looks like the keeper
// of the users of one shard.
type userClerk struct {
	// Set at birth, read-only afterwards.
	far *farUsers
	st  *clerkState

	// Owned by Receive.
	alarm    timer.Alarm
	ring     func()
	flushing bool // a flushUsers is in the mailbox
}

// spawnClerk starts the clerk of a shard.
func (f *farUsers) spawnClerk(i int) *actor.PID {
	props := actor.PropsFromProducer(func() actor.Actor {
		return &userClerk{far: f, st: newClerkState(f, i)}
	}, actor.WithMailbox(f.app.Mailbox(userMailbox)))
	pid, err := f.root.SpawnNamed(props, fmt.Sprintf("users/%s/clerk/%d", f.app.system.ID, i))
	if err != nil {
		panic(fmt.Sprintf("actors: clerk of users: %v", err)) // the name is this system's own
	}
	return pid
}

// Receive implements actor.Actor.
func (c *userClerk) Receive(ctx actor.Context) {
	now := time.Now()
	switch m := ctx.Message().(type) {
	case *actor.Started:
		root, self := ctx.ActorSystem().Root, ctx.Self()
		c.ring = func() { root.Send(self, &userWake{}) }
		c.st.report = func(m *partDone) {
			m.again = func() { root.Send(self, m) }
			m.again()
		}
	case *userMail:
		c.st.take(now, m)
	case *userHeard:
		c.st.hear(now, m)
	case *partDone:
		c.st.partDone(m)
	case *shardFound:
		if m.err != nil {
			c.st.notFound(now, m.err)
			break
		}
		c.st.found(now, m.place)
	case *membersChanged:
		c.st.left(now, m.gone)
	case *userWake:
		c.alarm.Rang()
	case *flushUsers:
		c.flushing = false
		c.flush(now)
	case *actor.Stopping:
		c.alarm.Stop()
		c.st.refuseAll(ErrStopped)
		return
	}
	c.settle(ctx, now)
}

// settle carries out what the state has left to do.
func (c *userClerk) settle(ctx actor.Context, now time.Time) {
	next := c.st.due(now)
	look, at := c.st.look(now)
	if look {
		root, self := ctx.ActorSystem().Root, ctx.Self()
		c.far.mesh.Directory().Then(c.st.key, func(p directory.Place, err error) {
			root.Send(self, &shardFound{p, err})
		})
	}
	next = timer.Sooner(next, at)
	if t := c.st.talk; t != nil && len(t.Batch) > 0 {
		switch {
		case len(t.Batch) > userBatch:
			c.flush(now)
		case !c.flushing:
			c.flushing = true
			ctx.Send(ctx.Self(), &flushUsers{}) // what waits in the mailbox joins the same message
		}
	}
	c.alarm.Set(now, next, !next.IsZero(), c.ring)
}

func (c *userClerk) flush(now time.Time) {
	if t := c.st.talk; t != nil {
		t.Flush(now)
	}
}
