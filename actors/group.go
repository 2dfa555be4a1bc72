package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// What a Group answers.
var (
	ErrGroupExists = errors.New("a group of this name exists")
	ErrGroupClosed = errors.New("the group is closed")
	ErrMember      = errors.New("the session is a member already")
	ErrNoMember    = errors.New("the session is not a member")
)

// Group is a set of sessions that are spoken to together. What has rules of its own
// is a room. A session that ends leaves by itself. Its methods are usable from any
// goroutine.
//
// Broadcast, Multicast and Send never wait. The other methods ask the actor behind
// the group, which takes microseconds unless a filter is slow; they return ctx's error
// when it ends first, and what they asked for may happen all the same.
//
// # Across nodes
//
// In a cluster the groups of one name on all nodes are one group, unless they are
// Local. Each node has a part of it, made by NewGroup or when a node adds a session
// that is there, with the members that are connected to it; a part that only other
// nodes needed goes when it has been empty for a minute or two. What one goroutine pushes
// reaches each member once and in order; it goes to every gate, whoever has members
// there, together with all else that is on its way to that gate. Questions ask all
// gates, or the one that a session is on: a node that has not answered within two
// seconds is named by a *SilentError, and what is returned beside it is what the
// others said. Attributes and filters of members elsewhere travel as JSON.
type Group struct {
	app  *App
	name string
	cfg  GroupConfig
	pid  *actor.PID
}

// GroupConfig says how a group behaves. The zero value works.
type GroupConfig struct {
	Serializer protocol.Serializer // of pushes; the application's when nil
	Mailbox    int                 // messages that may wait, 4096; past it ErrBusy
	Local      bool                // a group of this node alone, also in a cluster

	// Text writes a push for members on text endpoints, appended to dst; they get
	// none without it.
	Text func(dst []byte, route string, v any) ([]byte, error)

	adopted bool // another node needs it; NewGroup takes it over
}

// NewGroup makes a group of that name, or this node's part of it, unless it has been
// made here.
func (a *App) NewGroup(name string, cfg GroupConfig) (*Group, error) {
	if cfg.Serializer == nil {
		cfg.Serializer = a.cfg.Serializer
	}
	or(&cfg.Mailbox, 4096)
	g := &Group{app: a, name: name, cfg: cfg}
	props := actor.PropsFromProducer(func() actor.Actor {
		return &groupActor{group: g, state: groupState{audience: a.NewAudience()}}
	}, actor.WithMailbox(a.Mailbox(cfg.Mailbox)))
	pid, err := a.system.Root.SpawnNamed(props, fmt.Sprintf("group/%s/%s@%d", a.system.ID, name, a.grouped.Add(1)))
	if err != nil {
		return nil, fmt.Errorf("group %q: %w", name, err)
	}
	g.pid = pid
	for {
		v, exists := a.groups.LoadOrStore(name, g)
		if !exists {
			return g, nil
		}
		if part := v.(*Group); part.cfg.adopted && !cfg.Local { // another node has needed it before
			own := &Group{app: a, name: name, cfg: cfg, pid: part.pid}
			if a.groups.CompareAndSwap(name, part, own) {
				a.system.Root.Stop(pid)
				return own, nil
			}
			continue
		}
		a.system.Root.Stop(pid)
		return nil, fmt.Errorf("group %q: %w", name, ErrGroupExists)
	}
}

// Group finds the group of that name that is not closed. A part that was made because
// another node needed it is this node's own from then on, as after NewGroup.
func (a *App) Group(name string) (g *Group, ok bool) {
	for {
		g, ok = a.part(name)
		if !ok || !g.cfg.adopted {
			return g, ok
		}
		own := &Group{app: a, name: name, cfg: g.cfg, pid: g.pid}
		own.cfg.adopted = false
		if a.groups.CompareAndSwap(name, g, own) {
			return own, true
		}
	}
}

// part is Group for other nodes.
func (a *App) part(name string) (g *Group, ok bool) {
	v, ok := a.groups.Load(name)
	g, _ = v.(*Group)
	return g, ok
}

// Name returns the group's name.
func (g *Group) Name() string { return g.name }

// Add makes a session a member, with attributes that filters can look at; attrs
// belongs to the group from now on and may be nil. It returns ErrMember for one
// that is a member already. A session that has ended is added and leaves at once;
// for one of another node it is ErrSessionEnded.
func (g *Group) Add(ctx context.Context, s *Ref, attrs map[string]any) error {
	if g.elsewhere(s) {
		return g.addFar(ctx, s, attrs)
	}
	return g.do(ctx, func(a *groupActor) error { return a.add(s, attrs) })
}

// Set changes an attribute of a member; nil removes it.
func (g *Group) Set(ctx context.Context, s *Ref, key string, v any) error {
	if g.elsewhere(s) {
		return g.setFar(ctx, s, key, v)
	}
	return g.do(ctx, func(a *groupActor) error { return a.state.set(s.id, key, v) })
}

// Leave ends a membership; the session lives on. It returns ErrNoMember when there
// is none.
func (g *Group) Leave(ctx context.Context, s *Ref) error {
	if g.elsewhere(s) {
		return g.leaveFar(ctx, s)
	}
	return g.do(ctx, func(a *groupActor) error { return a.leave(s.id) })
}

// LeaveAll ends all memberships.
func (g *Group) LeaveAll(ctx context.Context) error {
	if err := g.do(ctx, func(a *groupActor) error { a.leaveAll(); return nil }); err != nil {
		return err
	}
	return g.tellGates(ctx, groupLeaveAll)
}

// Contains says whether a session is a member.
func (g *Group) Contains(ctx context.Context, s *Ref) (bool, error) {
	if g.elsewhere(s) {
		_, err := g.memberFar(ctx, s.id)
		if errors.Is(err, ErrNoMember) {
			return false, nil
		}
		return err == nil, err
	}
	return askGroup(ctx, g, func(a *groupActor) (bool, error) { return a.state.find(s.id) != nil, nil })
}

// Member returns the member with a session id, ErrNoMember when there is none.
func (g *Group) Member(ctx context.Context, id uint64) (GroupMember, error) {
	if g.elsewhere(&Ref{id: id}) {
		return g.memberFar(ctx, id)
	}
	return askGroup(ctx, g, func(a *groupActor) (GroupMember, error) {
		if m := a.state.find(id); m != nil {
			return m.copy(), nil
		}
		return GroupMember{}, ErrNoMember
	})
}

// Members returns the members in no particular order. The slice is the caller's.
func (g *Group) Members(ctx context.Context) ([]GroupMember, error) {
	here, err := askGroup(ctx, g, func(a *groupActor) ([]GroupMember, error) { return a.state.list(), nil })
	if err != nil || !g.spans() {
		return here, err
	}
	far, err := g.membersFar(ctx)
	return append(here, far...), err
}

// Count returns the number of members.
func (g *Group) Count(ctx context.Context) (int, error) {
	here, err := askGroup(ctx, g, func(a *groupActor) (int, error) { return len(a.state.members), nil })
	if err != nil || !g.spans() {
		return here, err
	}
	far, err := g.countFar(ctx)
	return here + far, err
}

// Close ends all memberships and the group; its name is free again. Whatever is
// asked of it from then on returns ErrGroupClosed, on all nodes.
func (g *Group) Close(ctx context.Context) error {
	if err := g.do(ctx, func(a *groupActor) error { a.close(); return nil }); err != nil {
		return err
	}
	return g.tellGates(ctx, groupClose)
}

// Sent is what became of one push to a group.
type Sent struct {
	Sent    int   // members that have it in their socket or queue
	Dropped int   // members that were about to go
	Unheard int   // other nodes that did not say what became of it there
	Err     error // ErrGroupClosed or ErrBusy: nobody of this node has it
}

// Broadcast pushes v to all members, in order with everything else the group sends
// them. V is written once for all, before Broadcast returns; an error says that it
// cannot be. Done, if not nil, is called once, from any goroutine, and must not
// block. One member that is gone, or slow, takes nothing from the others.
func (g *Group) Broadcast(route string, v any, done func(Sent)) error {
	return g.push(nil, route, v, done)
}

// Multicast is Broadcast to the members that pass a filter. Where a group may have
// members on other nodes a FilterFunc is ErrFunction, and nothing is sent.
func (g *Group) Multicast(to Filter, route string, v any, done func(Sent)) error {
	return g.push(to, route, v, done)
}

// Send is Multicast to one session; to one that is no member nothing is sent.
func (g *Group) Send(s *Ref, route string, v any, done func(Sent)) error {
	return g.push(oneSession(s.id), route, v, done)
}
