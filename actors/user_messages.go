package actors

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Messages to a user, carried by a UserPlacement. Nobody changes one after
// sending it.
type (
	// UserBind asks that Session be logged in as the user; a *UserBound answers it.
	UserBind struct {
		Session *Ref
		Token   uint32 // of this bind, counted up by the session
	}

	// UserGone says that a session's binds up to Token are void: because it has
	// ended, was told to go, or has become another user's.
	UserGone struct {
		Session uint64
		Token   uint32

		again func() // says it again when a full mailbox refused it
	}

	// UserPush is for all sessions of the user.
	UserPush struct {
		Frame protocol.Frame
		Route string // with Value what sessions of text endpoints write themselves
		Value any

		fate *fate // nil: nobody asks

		// In a cluster: who asked for it, and as what.
		node   string
		number uint64
	}

	// UserKick ends all sessions of the user.
	UserKick struct {
		Reason protocol.Reason
		Text   string
		Done   func(kicked int) // not nil; called once, from any goroutine
	}

	// UserQuery asks for the sessions of the user that are live.
	UserQuery struct {
		Done func(live []*Ref, online bool, err error) // as UserKick.Done
	}
)

// Messages from a user to a session.
type (
	// UserBound answers a UserBind.
	UserBound struct {
		UID   string
		Token uint32
		Err   error
	}

	// userEvict voids a session's uid, tells the client and closes. It is answered
	// with a UserGone.
	userEvict struct {
		uid   string
		token uint32
		why   protocol.Reason
		text  string
	}

	// framePush is a push that is written already, save for text endpoints.
	framePush struct {
		frame protocol.Frame
		route string
		v     any
		fate  *fate
	}
)

// Refused implements Refusable.
func (m *UserBind) Refused(err error) {
	m.Session.send(&UserBound{Token: m.Token, Err: protocol.Errorf(protocol.CodeUnavailable, "login is not available").With(err)})
}

// Refused implements Refusable. A goodbye that is lost would leave a ghost.
func (m *UserGone) Refused(err error) {
	if m.again != nil && errors.Is(err, ErrBusy) {
		m.again()
	}
}

// until returns a goodbye that is said to p again as long as it is refused.
func (m *UserGone) until(p UserPlacement, uid string) *UserGone {
	if m.again != nil {
		return m
	}
	return &UserGone{Session: m.Session, Token: m.Token, again: func() {
		time.AfterFunc(goodbyeAgain, func() { p.Deliver(uid, m) })
	}}
}

// Refused implements Refusable.
func (m *UserPush) Refused(error) { m.fate.add(0, 1) }

// Refused implements Refusable.
func (m *UserKick) Refused(error) { m.Done(0) }

// Refused implements Refusable.
func (m *UserQuery) Refused(err error) { m.Done(nil, false, err) }

// Refused implements Refusable.
func (m *framePush) Refused(error) { m.fate.add(0, 1) }

// fate counts what became of one push to several sessions; nil counts nothing.
type fate struct {
	done          func(sent, dropped int)
	parts         atomic.Int32 // that have not reported yet
	sent, dropped atomic.Int32
}

// newFate begins with one part, for whoever hands the push out.
func newFate(done func(sent, dropped int)) *fate {
	if done == nil {
		return nil
	}
	f := &fate{done: done}
	f.parts.Store(1)
	return f
}

// split says that one part has become n.
func (f *fate) split(n int) {
	switch {
	case f == nil:
	case n == 0:
		f.add(0, 0)
	default:
		f.parts.Add(int32(n) - 1)
	}
}

// add reports one part.
func (f *fate) add(sent, dropped int) {
	if f == nil {
		return
	}
	f.sent.Add(int32(sent))
	f.dropped.Add(int32(dropped))
	if f.parts.Add(-1) == 0 {
		f.done(int(f.sent.Load()), int(f.dropped.Load()))
	}
}
