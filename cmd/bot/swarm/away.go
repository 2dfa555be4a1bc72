package swarm

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// goAway is for a server that says it will stop: with Reconnect the session leaves
// by itself, at a moment of its own before the server ends the connection.
func (s *session) goAway(h *hand, body []byte, now int64) {
	if !h.worker.Reconnect {
		return
	}
	var away protocol.Away
	if json.Unmarshal(body, &away) != nil || away.After < 0 {
		return // the server ends the connection when it wants to
	}
	// A fifth of the time is for the answers that are on their way by then.
	within := away.After * int64(time.Millisecond) * 4 / 5
	s.link.leaveAt, s.link.next = now+h.env.Rand.Int64N(within+1), away.URL
	s.rearm(h.worker)
}

// awayAgain is the pause before a session that was busy looks again.
const awayAgain = int64(20 * time.Millisecond)

// moveOn leaves the connection for another when nobody notices: between two acts, or
// while the program thinks, and without an answer on its way. What is planned
// meanwhile is skipped, and counted as that.
func (s *session) moveOn(h *hand, now int64) {
	idle := s.stage == atRest || s.stage == inRun && s.wait == forTime
	if !idle || len(s.asked) > 0 {
		s.link.leaveAt = now + awayAgain
		return
	}
	s.url = s.elsewhere(h.worker)
	s.hangUp(h)
	s.stage, s.ops, s.pc = inSetup, setupOf(s.kind), 0
	s.wait, s.until, s.due = forNothing, 0, now
	s.advance(h, now)
}

// elsewhere is where the server sends the session, or else the next of the
// addresses, where a room is behind all of them.
func (s *session) elsewhere(w *worker) string {
	if scheme, rest, ok := strings.Cut(s.link.next, "://"); ok {
		return strings.Replace(scheme, "http", "ws", 1) + "://" + rest
	}
	if w.layout.byRoom {
		return s.url
	}
	return w.Addr[(slices.Index(w.Addr, s.url)+1)%len(w.Addr)]
}
