package actors

import (
	"sync/atomic"

	"github.com/shaddock-game/shaddock/protocol"
)

// order is a message to a session that knows how to carry itself out, on the
// session's own goroutine. It is also carried out after the session has ended.
type order interface{ carry(s *Session, t *turn) }

// more is what few sessions have, so that the others need no room for it.
type more struct {
	attrs atomic.Pointer[attrs] // stored by the session alone, read by anybody

	// Owned by Session.run.
	user   any // what the handshake validator returned
	closed []func(*Ref, protocol.Reason)
	limits []limited
	tasks  *sessionTasks // nil before the first
}

// rare returns the session's more, made when it is first needed.
func (s *Session) rare() *more {
	m := s.more.Load()
	if m == nil {
		m = new(more)
		s.more.Store(m)
	}
	return m
}

// closedOrder asks to be told of the session's end.
type closedOrder struct{ f func(*Ref, protocol.Reason) }

func (o *closedOrder) carry(s *Session, _ *turn) {
	if s.ended {
		s.callback(o.f, s.state.why)
		return
	}
	m := s.rare()
	m.closed = append(m.closed, o.f)
}

// OnClosed has f called once the session has ended, at once when it has already.
// F runs on the session's goroutine, where it may block: App.Shutdown waits for it.
// The session's uid and attributes are still there. Callbacks run in the order in which they were given,
// and one that panics is logged and keeps nobody else from running.
func (r *Ref) OnClosed(f func(s *Ref, why protocol.Reason)) { r.send(&closedOrder{f}) }

// OnClosed has f called when any session has ended, after the callbacks of the
// session itself. It is for the time before Start.
func (a *App) OnClosed(f func(s *Ref, why protocol.Reason)) { a.closed = append(a.closed, f) }

// validated returns what the handshake validator did.
func (s *Session) validated() any {
	if m := s.more.Load(); m != nil {
		return m.user
	}
	return nil
}

func (s *Session) hasCallbacks() bool {
	m := s.more.Load()
	return len(s.app.closed) > 0 || m != nil && len(m.closed) > 0
}

// callbacks tells whoever asked that the session is no more.
func (s *Session) callbacks(why protocol.Reason) {
	if m := s.more.Load(); m != nil {
		for _, f := range m.closed {
			s.callback(f, why)
		}
		m.closed = nil
	}
	for _, f := range s.app.closed {
		s.callback(f, why)
	}
}

func (s *Session) callback(f func(*Ref, protocol.Reason), why protocol.Reason) {
	defer func() {
		if p := recover(); p != nil {
			_ = s.panicked("closed callback", p) // nobody waits for an answer
		}
	}()
	f(&s.Ref, why)
}

// closeOrder ends a session without a word.
type closeOrder struct{ why protocol.Reason }

func (o *closeOrder) carry(s *Session, t *turn) {
	if s.state.close(o.why) == actClose {
		t.flush(s)
		s.wire.Close(o.why)
	}
}

// Close flushes what was said and ends the connection, without the package that
// Kick sends to tell the client why.
func (r *Ref) Close(why protocol.Reason) { r.send(&closeOrder{why}) }
