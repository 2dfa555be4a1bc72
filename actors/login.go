package actors

import (
	"github.com/shaddock-game/shaddock/protocol"
)

// Identified is what a handshake validator returns to log the session in: it is
// bound before its first message is handled. Where the policy for duplicate logins
// refuses it the client is told so, and the session ends.
type Identified interface{ UserID() string }

// handshakeLogin stands for the route in a login by handshake.
var handshakeLogin = &route{name: "handshake", serializer: protocol.Raw}

// login binds a session whose handshake said who it is. The session handles
// nothing of its client until that is settled.
func (s *Session) login() {
	id, is := s.validated().(Identified)
	if !is || id.UserID() == "" {
		return
	}
	token := s.await(&Ctx{s: s, route: handshakeLogin})
	s.ask(id.UserID(), &Answer{Token: token})
}
