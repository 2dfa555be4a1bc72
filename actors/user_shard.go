package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/actors/timer"
)

// Messages that the directory has for a shard.
type (
	shardSuspend struct{}
	shardResume  struct {
		epoch uint64
		ended func() // the shard had stopped before it could know
	}
	shardStop struct{ lost bool } // lost: it runs elsewhere already, and there is nothing to say
)

// Refused says that the shard stopped while it was being given a new epoch: the
// directory waits for the end of that one.
func (r *shardResume) Refused(error) { r.ended() }

// userShard is the actor around a shardState. Between suspend and resume, while
// this node cannot be sure to own the shard, it decides and says nothing.
type userShard struct {
	// Set at birth, read-only afterwards.
	far   *farUsers
	index int

	// Owned by Receive.
	st        *shardState
	alarm     timer.Alarm
	ring      func()
	flushing  bool
	suspended bool
}

// shardMailbox bounds the messages that wait for a shard; what is refused is asked
// again by the flow that it belongs to.
const shardMailbox = 65536

// spawnShard starts a shard on this node.
func (f *farUsers) spawnShard(i int, epoch uint64, name string) error {
	props := actor.PropsFromProducer(func() actor.Actor {
		return &userShard{far: f, index: i, st: newShardState(f, i, epoch)}
	}, actor.WithMailbox(f.app.Mailbox(shardMailbox)))
	_, err := f.root.SpawnNamed(props, name)
	return err
}

// Receive implements actor.Actor.
func (s *userShard) Receive(c actor.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		root, self := c.ActorSystem().Root, c.Self()
		s.ring = func() { root.Send(self, &userWake{}) }
		s.st.callRoll(now)
	case *userHeard:
		// A process that was stopped may run for a moment before it is told that its
		// lease may have ended, so the clock is asked.
		if s.suspended || !s.far.mesh.Held() {
			_ = s.far.mesh.Send(m.from, m.reply(wire.OpFromUsers+wire.TalkPaused)) // the clerk asks again
			break
		}
		s.st.hear(now, m)
	case *membersChanged:
		s.st.members(now, m)
	case *userWake:
		s.alarm.Rang()
	case *flushUsers:
		s.flushing = false
		s.flush(now)
	case *shardSuspend:
		s.suspended = true
		s.st.silence(true)
	case *shardResume:
		s.suspended = false
		s.st.resume(now, m.epoch)
	case *shardStop:
		s.stop(c, now, m.lost)
		return
	case *actor.Stopping:
		s.alarm.Stop()
		s.st.clear()
		return
	case *actor.Stopped:
		s.far.ended(s.index, s.st.epoch)
		return
	}
	s.settle(c, now)
}

func (s *userShard) settle(c actor.Context, now time.Time) {
	next := s.st.due(now)
	switch n := s.st.gathered(); {
	case n > userBatch:
		s.flush(now)
	case n > 0 && !s.flushing:
		s.flushing = true
		c.Send(c.Self(), &flushUsers{}) // what waits in the mailbox joins the same messages
	}
	s.alarm.Set(now, next, !next.IsZero(), s.ring)
}

// flush says what has gathered, if the shard is this node's now: a login that is
// confirmed by an activation that may have been succeeded is not confirmed.
func (s *userShard) flush(now time.Time) {
	if held := s.far.mesh.Held(); held == s.st.mute && !s.suspended {
		s.st.silence(!held)
	}
	for _, g := range s.st.gates {
		g.Flush(now)
	}
}

// stop ends the shard. One that moves tells its clerks, who ask the next activation
// what this one has not answered.
func (s *userShard) stop(c actor.Context, now time.Time, lost bool) {
	if !lost {
		for _, g := range s.st.gates {
			g.Batch = append(g.Batch, tellsMoved)
		}
		s.flush(now)
	}
	c.Stop(c.Self())
}

// due does what the time has come for, and returns when to look again.
func (s *shardState) due(now time.Time) (next time.Time) {
	next = s.roll(now)
	for _, g := range s.gates {
		next = timer.Sooner(next, g.Due(now))
	}
	return next
}
