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

// Group is a set of sessions of this node that are spoken to together: an actor,
// so that its methods are usable from any goroutine and happen one after another.
// A session that ends leaves by itself. What has rules of its own, or members on
// other nodes, is a room.
//
// Broadcast, Multicast and Send never wait. The other methods ask the actor, which
// takes microseconds unless a filter is slow; they return ctx's error when it ends
// first, and what they asked for may happen all the same.
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

	// Text writes a push for members on text endpoints, appended to dst; they get
	// none without it.
	Text func(dst []byte, route string, v any) ([]byte, error)
}

// NewGroup makes a group of that name, unless there is one.
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
	if _, exists := a.groups.LoadOrStore(name, g); exists {
		a.system.Root.Stop(pid)
		return nil, fmt.Errorf("group %q: %w", name, ErrGroupExists)
	}
	return g, nil
}

// Group finds the group of that name that is not closed.
func (a *App) Group(name string) (g *Group, ok bool) {
	v, ok := a.groups.Load(name)
	g, _ = v.(*Group)
	return g, ok
}

// Name returns the group's name.
func (g *Group) Name() string { return g.name }

// Add makes a session a member, with attributes that filters can look at; attrs
// belongs to the group from now on and may be nil. It returns ErrMember for one
// that is a member already. A session that has ended is added and leaves at once.
func (g *Group) Add(ctx context.Context, s *Ref, attrs map[string]any) error {
	return g.do(ctx, func(a *groupActor) error { return a.add(s, attrs) })
}

// Set changes an attribute of a member; nil removes it.
func (g *Group) Set(ctx context.Context, s *Ref, key string, v any) error {
	return g.do(ctx, func(a *groupActor) error { return a.state.set(s.id, key, v) })
}

// Leave ends a membership; the session lives on. It returns ErrNoMember when there
// is none.
func (g *Group) Leave(ctx context.Context, s *Ref) error {
	return g.do(ctx, func(a *groupActor) error { return a.leave(s.id) })
}

// LeaveAll ends all memberships.
func (g *Group) LeaveAll(ctx context.Context) error {
	return g.do(ctx, func(a *groupActor) error { a.leaveAll(); return nil })
}

// Contains says whether a session is a member.
func (g *Group) Contains(ctx context.Context, s *Ref) (bool, error) {
	return askGroup(ctx, g, func(a *groupActor) (bool, error) { return a.state.find(s.id) != nil, nil })
}

// Member returns the member with a session id, ErrNoMember when there is none.
func (g *Group) Member(ctx context.Context, id uint64) (GroupMember, error) {
	return askGroup(ctx, g, func(a *groupActor) (GroupMember, error) {
		if m := a.state.find(id); m != nil {
			return m.copy(), nil
		}
		return GroupMember{}, ErrNoMember
	})
}

// Members returns the members in no particular order. The slice is the caller's.
func (g *Group) Members(ctx context.Context) ([]GroupMember, error) {
	return askGroup(ctx, g, func(a *groupActor) ([]GroupMember, error) { return a.state.list(), nil })
}

// Count returns the number of members.
func (g *Group) Count(ctx context.Context) (int, error) {
	return askGroup(ctx, g, func(a *groupActor) (int, error) { return len(a.state.members), nil })
}

// Close ends all memberships and the group; its name is free again. Whatever is
// asked of it from then on returns ErrGroupClosed.
func (g *Group) Close(ctx context.Context) error {
	return g.do(ctx, func(a *groupActor) error { a.close(); return nil })
}

// Sent is what became of one push to a group.
type Sent struct {
	Sent    int   // members that have it in their socket or queue
	Dropped int   // members that were about to go
	Err     error // ErrGroupClosed or ErrBusy: nobody has it
}

// Broadcast pushes v to all members, in order with everything else the group sends
// them. V is written once for all, before Broadcast returns; an error says that it
// cannot be. Done, if not nil, is called once, from any goroutine, and must not
// block. One member that is gone, or slow, takes nothing from the others.
func (g *Group) Broadcast(route string, v any, done func(Sent)) error {
	return g.push(route, v, done, func(a *groupActor, f protocol.Frame, report func(sent, dropped int)) {
		a.state.audience.Broadcast(f, nil, report)
	})
}

// Multicast is Broadcast to the members that pass a filter. The filter runs in the
// group's actor: it must be quick, must not call the group, and must not keep m.
func (g *Group) Multicast(filter func(m GroupMember) bool, route string, v any, done func(Sent)) error {
	return g.push(route, v, done, func(a *groupActor, f protocol.Frame, report func(sent, dropped int)) {
		a.state.audience.Multicast(a.state.wires(filter), f, report)
	})
}

// Send is Multicast to one session; to one that is no member nothing is sent.
func (g *Group) Send(s *Ref, route string, v any, done func(Sent)) error {
	return g.Multicast(func(m GroupMember) bool { return m.ID() == s.id }, route, v, done)
}

// Where returns the filter for members whose attribute key has that value.
func Where[T comparable](key string, v T) func(m GroupMember) bool {
	return func(m GroupMember) bool {
		have, ok := m.Value(key).(T)
		return ok && have == v
	}
}
