package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// groupActor is the actor behind a Group. Sessions know it by a Membership, so
// that it hears of their end.
type groupActor struct {
	group *Group

	// Owned by Receive.
	self   *actor.PID
	state  groupState
	closed bool
	quiet  bool        // nobody was in it at the last ring, nor since
	timer  *time.Timer // of a part that may go; nil: it is this node's own
}

// partIdle is the time between two looks at whether anybody is in a part that only other
// nodes have needed.
const partIdle = time.Minute

type groupRing struct{}

// groupKind is the kind of the memberships of groups, which no room can have.
const groupKind = "group."

// groupCall is what somebody wants of a group.
type groupCall struct {
	run     func(a *groupActor)
	refused func(err error)
}

// Refused implements Refusable.
func (c *groupCall) Refused(err error) {
	if errors.Is(err, ErrStopped) {
		err = ErrGroupClosed
	}
	c.refused(err)
}

// Receive implements actor.Actor.
func (a *groupActor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		a.self = c.Self()
		if a.group.cfg.adopted {
			root, self := c.ActorSystem().Root, c.Self()
			a.timer = time.AfterFunc(partIdle, func() { root.Send(self, &groupRing{}) })
		}
	case *actor.Stopping:
		if a.timer != nil {
			a.timer.Stop()
		}
		a.close()
	case *groupRing:
		a.look(c)
	case *SessionEnded:
		a.state.remove(m.ID)
	case *groupCall:
		if a.closed {
			m.refused(ErrGroupClosed)
			return
		}
		a.call(m)
		if a.closed {
			c.Stop(c.Self())
		}
	}
}

// call keeps a filter that panics from ending the group.
func (a *groupActor) call(m *groupCall) {
	defer func() {
		if p := recover(); p != nil {
			a.group.app.stats.Panics.Add(1)
			a.group.app.cfg.Logger.Error("group call panicked", "group", a.group.name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			m.refused(fmt.Errorf("panic: %v", p))
		}
	}()
	m.run(a)
}

// look lets a part go that nobody has been in since the last look, unless NewGroup or
// App.Group has made it this node's own.
func (a *groupActor) look(c actor.Context) {
	if a.closed {
		return
	}
	if empty := len(a.state.members) == 0; !empty || !a.quiet {
		a.quiet = empty
		a.timer.Reset(partIdle)
		return
	}
	if a.group.app.groups.CompareAndDelete(a.group.name, a.group) {
		c.Stop(c.Self())
		a.close() // what is behind in the mailbox finds it closed
	}
}

func (a *groupActor) add(s *Ref, attrs map[string]any) error {
	a.quiet = false
	if err := a.state.add(s, attrs); err != nil {
		return err
	}
	s.send(&groupEntry{a.membership(), s})
	return nil
}

func (a *groupActor) leave(id uint64) error {
	m := a.state.remove(id)
	if m == nil {
		return ErrNoMember
	}
	at := a.membership()
	m.session.Answer(Answer{Left: &at})
	return nil
}

func (a *groupActor) leaveAll() {
	for id := range a.state.members {
		_ = a.leave(id) // it is there
	}
}

func (a *groupActor) close() {
	if a.closed {
		return
	}
	a.closed = true
	a.leaveAll()
	a.state.audience.Close()
	groups := &a.group.app.groups
	if v, ok := groups.Load(a.group.name); ok && v.(*Group).pid.Id == a.self.Id {
		groups.CompareAndDelete(a.group.name, v)
	}
}

// membership is named by the actor, not by the group: of two groups that had the
// same name, one after the other, a session tells which one it has left.
func (a *groupActor) membership() Membership {
	return Membership{Kind: groupKind, Room: a.self.Id, PID: a.self}
}

// groupEntry records a membership with a session, from outside of its handlers.
type groupEntry struct {
	at Membership
	s  *Ref
}

func (o *groupEntry) carry(s *Session, _ *turn) { s.rejoin(&Answer{Joined: &o.at}) }

// Refused implements Refusable: the session is gone.
func (o *groupEntry) Refused(error) { o.s.app.farewell(o.s.id, o.at, protocol.ReasonClientGone) }

// askGroup has the group's actor run f, and waits for what it returns.
func askGroup[T any](ctx context.Context, g *Group, f func(a *groupActor) (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	got := make(chan answer, 1)
	g.send(&groupCall{
		run: func(a *groupActor) {
			v, err := f(a)
			got <- answer{v, err}
		},
		refused: func(err error) { got <- answer{err: err} },
	})
	select {
	case a := <-got:
		if a.err != nil {
			a.err = fmt.Errorf("group %q: %w", g.name, a.err)
		}
		return a.v, a.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("group %q: %w", g.name, ctx.Err())
	}
}

func (g *Group) do(ctx context.Context, f func(a *groupActor) error) error {
	_, err := askGroup(ctx, g, func(a *groupActor) (struct{}, error) { return struct{}{}, f(a) })
	return err
}

func (g *Group) send(msg any) { g.app.system.Root.Send(g.pid, msg) }
