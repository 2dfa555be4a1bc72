package actors

import (
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// awaiting is the request whose answer is to come from elsewhere.
type awaiting struct {
	token    uint32 // counts up; the pending request's while pending
	pending  bool
	id       uint64
	route    *route
	deadline time.Duration
	apart    *apart // its handler, until that has returned
}

// await makes the session wait for the answer to the request that c handles.
func (s *Session) await(c *Ctx) Token {
	w := &s.waiting
	if w.token++; w.token == 0 {
		w.token = 1
	}
	w.pending, w.id, w.route = true, c.id, c.route
	w.deadline = s.app.since() + s.app.patience(c.route)
	return Token{w.token}
}

// answer carries a late answer to the client. Memberships change in any case: the
// room has seated the session, whether or not the client still waits.
func (s *Session) answer(t *turn, a *Answer) {
	s.rejoin(a)
	w := &s.waiting
	if !w.pending || a.Token.n != w.token {
		if a.Token.n != 0 {
			s.app.stats.LateAnswers.Add(1)
		}
		return
	}
	if s.binding(a) {
		return
	}
	w.pending = false
	switch {
	case w.id == 0 && a.Err != nil:
		s.app.stats.NotifyErrors.Add(1)
		s.log().Debug("notify failed", "route", w.route.name, "error", a.Err)
		if w.route == handshakeLogin && s.state.close(protocol.ReasonHandshakeRefused) == actClose {
			s.farewell(t, protocol.ReasonHandshakeRefused, protocol.AsError(a.Err).Msg)
		}
	case w.id == 0:
	case a.Err != nil:
		t.refuse(s, w.route.name, w.id, a.Err)
	default:
		t.respond(s, w.route, w.id, a.Value)
		s.app.stats.outcome(protocol.CodeOK)
	}
}

// rejoin keeps the memberships in step with what rooms say.
func (s *Session) rejoin(a *Answer) {
	if m := a.Left; m != nil {
		if i := s.membership(m.Kind, m.Room); i >= 0 {
			s.members = slices.Delete(s.members, i, i+1)
		}
	}
	if m := a.Joined; m != nil {
		switch i := s.membership(m.Kind, m.Room); {
		case s.ended:
			s.farewellTo(*m, protocol.ReasonClientGone)
		case i >= 0:
			s.members[i] = *m
		default:
			s.members = append(s.members, *m)
		}
	}
}

func (s *Session) membership(kind, room string) int {
	return slices.IndexFunc(s.members, func(m Membership) bool { return m.Kind == kind && m.Room == room })
}
