package rooms

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/protocol"
)

// Kind describes one kind of room: its behaviour, its routes and its limits.
// It is a value: the methods that set something return a changed copy, so a
// kind can be a package-level function and be adapted by whoever installs it.
// The zero Kind is refused by Install.
type Kind struct {
	name string
	new  func() any
	size uintptr // of the behaviour's type; 0 means that it has no state to lose

	join     *operation
	ops      []*operation
	init     func(room any, c *Ctx) error
	leave    func(room any, c *Ctx, m *Member, why protocol.Reason)
	tick     func(room any, c *Ctx)
	tickRate time.Duration
	save     func(room any) ([]byte, error)
	restore  func(room any, c *Ctx, snapshot []byte) error
	back     func(room any, c *Ctx, m *Member, req any) error
	closing  func(room any, c *Ctx, why protocol.Reason)
	told     func(room any, c *Ctx, msg any) error
	toldFrom func(body []byte) (any, error) // what another node was told

	joinRoute  string
	match      func(req any) (Labels, error) // nil: joins that name no room go to room 1
	listed     bool
	selector   func(s protocol.Serializer, body []byte) (string, error)
	serializer protocol.Serializer
	text       func(dst []byte, route string, vs []any) ([]byte, error)
	saveEvery  int
	kept       bool
	keepRule   bool // keepEvery and keepAfter say when, not saveEvery
	keepEvery  int
	keepAfter  time.Duration
	idle       time.Duration
	seats      int
	mailbox    int
	merge      Merge
	inline     bool
	perSession int // rooms of the kind that one session may be in, 0: any number
	also       Key // where everyone who joins a room of the kind enters as well
	roomBy     func(c *actors.Ctx) (string, error)
	rule       places.Rule // which nodes of a cluster may run the rooms
	onPanic    PanicPolicy
	errs       []error
}

// PanicPolicy says what becomes of a room whose behaviour panicked. In every
// case the request that caused it is answered 500, the stack is logged and the
// panic is counted; past five panics in ten seconds the room is closed.
type PanicPolicy uint8

// The policies. PanicDefault restores the last snapshot when the kind has
// Save and Restore, carries on when the behaviour has no fields, and otherwise
// closes the room: a half-changed game state must not be played on.
const (
	PanicDefault PanicPolicy = iota
	PanicRestore
	PanicContinue
	PanicClose
)

// operation is one thing that members can ask of a room.
type operation struct {
	name     string
	notify   bool
	req, rep reflect.Type
	decode   func(s protocol.Serializer, body []byte) (any, error)
	zero     func() any // a request that says nothing
	run      func(room any, c *Ctx, m *Member, req any) (any, error)
}

// Part is one piece of the behaviour of rooms of type R, made by OnJoin,
// OnRequest, OnNotify and their like.
type Part[R any] func(k *Kind)

// KindOf makes the kind of rooms whose behaviour is R. Name is the part of
// their routes before the dot. Each room starts as new(R); OnInit sets it up.
// A kind without OnJoin, a duplicate operation and an unusable name are
// reported by Install.
func KindOf[R any](name string, parts ...Part[R]) Kind {
	k := Kind{
		name:      name,
		joinRoute: name + ".join",
		new:       func() any { return new(R) },
		size:      reflect.TypeFor[R]().Size(),
		selector:  roomField,
		idle:      defaultIdle,
		mailbox:   defaultMailbox,
	}
	if name == "" || strings.Contains(name, ".") {
		k.errs = append(k.errs, fmt.Errorf("room kind %q: the name is the first part of a route: it must not be empty or hold a dot", name))
	}
	for _, p := range parts {
		p(&k)
	}
	if k.join == nil {
		k.errs = append(k.errs, fmt.Errorf("room kind %q: no rooms.OnJoin: nobody could enter", name))
	}
	return k
}

const (
	defaultIdle    = 30 * time.Second
	defaultMailbox = 4096
)

// OnJoin sets what happens when a session asks to enter; it serves the request
// <kind>.join, or the route of Kind.JoinRoute. While join runs, m is not a member yet: what the room broadcasts
// does not reach m, what it sends to m does. An error refuses m and is the
// answer. A member that joins again gets the answer of its first join.
func OnJoin[R, Req, Rep any](join func(r *R, c *Ctx, m *Member, req *Req) (*Rep, error)) Part[R] {
	return func(k *Kind) {
		if k.join != nil {
			k.errs = append(k.errs, fmt.Errorf("room kind %q: rooms.OnJoin given twice", k.name))
		}
		k.join = request("join", join)
	}
}

// OnRequest serves the request <kind>.<name> of members: exactly one answer,
// the reply or the error. Req and its parts are the room's own to keep.
func OnRequest[R, Req, Rep any](name string, f func(r *R, c *Ctx, m *Member, req *Req) (*Rep, error)) Part[R] {
	return func(k *Kind) { k.add(request(name, f)) }
}

// OnNotify serves <kind>.<name> of members when no answer is due. A client that
// sends it as a request is answered with an empty object once f has returned.
func OnNotify[R, Req any](name string, f func(r *R, c *Ctx, m *Member, req *Req)) Part[R] {
	return func(k *Kind) {
		op := request(name, func(r *R, c *Ctx, m *Member, req *Req) (*Empty, error) {
			f(r, c, m, req)
			return &Empty{}, nil
		})
		op.notify, op.rep = true, nil
		k.add(op)
	}
}

// OnInit is called once before the first join, also after a restart that had no
// snapshot to restore. An error closes the room and answers the join 503.
func OnInit[R any](f func(r *R, c *Ctx) error) Part[R] {
	return func(k *Kind) { k.init = func(room any, c *Ctx) error { return f(room.(*R), c) } }
}

// OnLeave is called when a member has left, by its own wish or because its
// connection ended; m is no longer in the room and cannot be sent to.
func OnLeave[R any](f func(r *R, c *Ctx, m *Member, why protocol.Reason)) Part[R] {
	return func(k *Kind) {
		k.leave = func(room any, c *Ctx, m *Member, why protocol.Reason) { f(room.(*R), c, m, why) }
	}
}

// OnTick calls f every d while the room lives, without drift; ticks that a slow
// room misses are skipped, not made up for.
func OnTick[R any](d time.Duration, f func(r *R, c *Ctx)) Part[R] {
	return func(k *Kind) {
		if d <= 0 {
			k.errs = append(k.errs, fmt.Errorf("room kind %q: rooms.OnTick(%v): the interval must be positive", k.name, d))
			return
		}
		k.tickRate = d
		k.tick = func(room any, c *Ctx) { f(room.(*R), c) }
	}
}

// OnClose is called last, while the members can still be sent to; then they are
// told, see Closed, and let go.
func OnClose[R any](f func(r *R, c *Ctx, why protocol.Reason)) Part[R] {
	return func(k *Kind) {
		k.closing = func(room any, c *Ctx, why protocol.Reason) { f(room.(*R), c, why) }
	}
}

// Snapshots makes rooms of the kind restartable: save is called after every n
// operations (1 when n is less), and restore on a fresh R after a panic, in place
// of OnInit. The members keep their seats and attributes across a restart. Save
// must not keep r; restore must not keep snapshot.
//
// Members may have come and gone since the snapshot, by as much as n operations
// and the one that panicked: a game that keeps something for each member has
// restore compare it with c.Members.
func Snapshots[R any](n int, save func(r *R) ([]byte, error), restore func(r *R, c *Ctx, snapshot []byte) error) Part[R] {
	return func(k *Kind) {
		k.saveEvery = max(n, 1)
		k.save = func(room any) ([]byte, error) { return save(room.(*R)) }
		k.restore = func(room any, c *Ctx, b []byte) error { return restore(room.(*R), c, b) }
	}
}

// Empty is the reply that has nothing to say: {}.
type Empty struct{}

func request[R, Req, Rep any](name string, f func(*R, *Ctx, *Member, *Req) (*Rep, error)) *operation {
	return &operation{
		name: name,
		req:  reflect.TypeFor[Req](),
		rep:  reflect.TypeFor[Rep](),
		decode: func(s protocol.Serializer, body []byte) (any, error) {
			req := new(Req)
			if len(body) == 0 {
				return req, nil
			}
			return req, s.Unmarshal(body, req)
		},
		zero: func() any { return new(Req) },
		run: func(room any, c *Ctx, m *Member, req any) (any, error) {
			rep, err := f(room.(*R), c, m, req.(*Req))
			if err != nil || rep == nil {
				return nil, err // not a nil *Rep, which would be written as null
			}
			return rep, nil
		},
	}
}

func (k *Kind) add(op *operation) {
	for _, have := range k.ops {
		if have.name == op.name {
			k.errs = append(k.errs, fmt.Errorf("room kind %q: operation %q given twice", k.name, op.name))
			return
		}
	}
	switch {
	case op.name == "" || strings.Contains(op.name, "."):
		k.errs = append(k.errs, fmt.Errorf("room kind %q: operation %q: the name is the last part of a route: it must not be empty or hold a dot", k.name, op.name))
	case op.name == "join" || op.name == "leave":
		k.errs = append(k.errs, fmt.Errorf("room kind %q: operation %q: use rooms.OnJoin and rooms.OnLeave", k.name, op.name))
	default:
		k.ops = append(k.ops, op)
	}
}

// Anything is a request whose body does not matter: every body is accepted.
type Anything struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*Anything) UnmarshalJSON([]byte) error { return nil }

// op returns an operation by its name, nil when there is none.
func (k *Kind) op(name string) *operation {
	for _, op := range k.ops {
		if op.name == name {
			return op
		}
	}
	return nil
}
