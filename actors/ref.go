package actors

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// Ref is the reference to a session: usable from any goroutine, for as long as
// one likes. What is sent to a session that has ended is dropped. Refs of the
// same session of this node are the same pointer.
//
// A session of another node (App.Find, rooms.Member.Session) takes the same calls.
// What is sent to it arrives once and in the order of one goroutine's calls, or is
// counted: in Stats.FarRefused when it could not be sent, in FarEnded when the session
// was no more, in the post's Unconfirmed when its node left the cluster meanwhile.
// Values travel as bodies of pushes do, attributes as JSON. UID, Value and State are
// what was brought last, see Refresh.
type Ref struct {
	id   uint64
	pid  *actor.PID
	wire Wire
	app  *App
	uid  atomic.Pointer[string]
	more atomic.Pointer[more] // nil for most

	// local is the session itself when it lives on this node: it takes messages
	// also when it has ended and its PID leads nowhere.
	local *Session
}

// ID returns the session's id: not zero, below 2^53 (JavaScript counts no
// further), unique across nodes and restarts.
func (r *Ref) ID() uint64 { return r.id }

// UID returns the user that the session is bound to, "" when it is not.
func (r *Ref) UID() string {
	if uid := r.uid.Load(); uid != nil {
		return *uid
	}
	return ""
}

// PID returns the address of the session's actor; of one on another node that of who
// passes messages on to it, nil when they go from node to node.
func (r *Ref) PID() *actor.PID { return r.pid }

// Wire returns the session's connection, for an Audience. Do not write to it:
// the session owns what it says, and in which order. Nil when the session is
// another node's.
func (r *Ref) Wire() Wire { return r.wire }

// RemoteAddr returns the client's address; zero for one in memory or on another
// node.
func (r *Ref) RemoteAddr() netip.AddrPort {
	if r.wire == nil {
		return netip.AddrPort{}
	}
	return r.wire.RemoteAddr()
}

// Push sends v to the client, in order with what this goroutine pushed before.
// Whoever calls must not change v any more. A v that cannot be written is logged
// and counted.
func (r *Ref) Push(route string, v any) { r.send(&pushMsg{route, v}) }

// Kick tells the client why, flushes and closes. An empty text is the reason's.
func (r *Ref) Kick(why protocol.Reason, text string) { r.send(&kickMsg{why, text}) }

// Answer delivers a late answer, see Ctx.Await. Rooms answer through their
// audience instead, which keeps the answer in order with their pushes.
func (r *Ref) Answer(a Answer) { r.send(&a) }

func (r *Ref) send(msg any) {
	if r.local != nil {
		r.local.SendUserMessage(r.pid, msg)
		return
	}
	r.sendFar(msg)
}

// Messages of a session's own.
type (
	pushMsg struct {
		route string
		v     any
	}
	kickMsg struct {
		why  protocol.Reason
		text string
	}
)

// Token names one request that is waiting for its answer. The zero Token is no
// request's.
type Token struct{ n uint32 }

// NewToken returns a token for whoever stands in for a session, in simulations.
// A session's own are made by Ctx.Await; another node knows them by Number.
func NewToken(n uint32) Token { return Token{n} }

// Answer is what an actor sends back to a session that waits for it.
type Answer struct {
	Token Token
	Value any   // the reply, when Err is nil; nil is an empty body
	Err   error // *protocol.Error or any other, which reads as CodeInternal

	// Joined and Left change the session's memberships, whatever became of the
	// request; nil changes nothing.
	Joined, Left *Membership
}

// Membership is a session's place in a group of any sort, mostly a room. When
// the session ends, PID gets a *SessionEnded.
type Membership struct {
	Kind, Room string
	PID        *actor.PID
}

// SessionEnded tells the actor behind a membership that the session is no more.
type SessionEnded struct {
	ID         uint64
	Kind, Room string // of the membership
	Reason     protocol.Reason

	again func() // says it again when a full mailbox refused it, nil: nobody does
}

// Refused implements Refusable. A goodbye that is lost would leave a ghost.
func (m *SessionEnded) Refused(err error) {
	if m.again != nil && errors.Is(err, ErrBusy) {
		time.AfterFunc(goodbyeAgain, m.again)
	}
}
