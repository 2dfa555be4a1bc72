package actors

import (
	"bytes"

	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/protocol"
)

// seat is what a session knows of the user it is logged in as. It is owned by the
// session's run; nil until the first bind.
type seat struct {
	uid     string  // confirmed, "" when none is
	known   *string // what Ref.uid holds for it
	token   uint32  // of the newest bind
	asked   string  // the uid whose user has not answered yet, "" when none
	request Token   // the request that binds, until it has been answered
	fresh   bool    // uid was confirmed for that request
	held    *Answer // its answer, waiting for that of the user
}

// evictedUID is what Ref.uid holds once the uid has been taken from outside, so
// that a bind that is confirmed too late cannot set it.
var evictedUID = new(string)

// Bind logs the session in as a user once the handler has answered without an
// error. The answer leaves when the user's actor has agreed: an error of its
// own, such as 409 of RefuseNew, takes the place of the reply. If the handler
// answers with an error, nothing is bound. A session that was another user's
// before is that user's no longer. An empty uid does nothing.
//
// Bind works as well for a notify and together with Await; then the answer has to
// be free of errors, too. It does nothing once the request has been answered.
func (c *Ctx) Bind(uid string) { c.bind = uid }

// Unbind logs the session out; it stays connected.
func (c *Ctx) Unbind() {
	c.bind = ""
	c.carry(unbindOrder{})
}

type unbindOrder struct{}

func (unbindOrder) carry(s *Session, _ *turn) { s.unbind() }

// bindApart starts the bind that a handler on another goroutine wished for: ahead
// of its answer, which then waits for the user's.
func (c *Ctx) bindApart() {
	if c.bind != "" && !c.answered {
		c.s.send(&bindOrder{c.apart.token, c.bind})
		c.bind = ""
	}
}

type bindOrder struct {
	request Token
	uid     string
}

func (o *bindOrder) carry(s *Session, _ *turn) {
	if w := &s.waiting; w.pending && w.token == o.request.n {
		s.ask(o.uid, nil)
	}
}

// rebound takes the wish to bind, when there is one, and starts it: held is the
// answer to give once it is confirmed, nil when that is still to come. It reports
// whether there was one.
func (c *Ctx) rebound(held *Answer) bool {
	uid := c.bind
	if uid == "" || c.answered {
		return false
	}
	c.bind = ""
	if held != nil {
		if b, raw := held.Value.(Raw); raw {
			held.Value = Raw(bytes.Clone(b))
		}
		c.answered = true
		held.Token = c.s.await(c)
	}
	c.s.ask(uid, held)
	return true
}

// ask sends the bind of the request that is waiting.
func (s *Session) ask(uid string, held *Answer) {
	if s.seat == nil {
		s.seat = &seat{}
	}
	b := s.seat
	b.token++
	b.asked, b.held, b.fresh, b.request = uid, held, false, Token{s.waiting.token}
	s.app.users.place.Deliver(uid, &UserBind{Session: &s.Ref, Token: b.token})
}

// carry implements order: the answer of a user's actor.
func (m *UserBound) carry(s *Session, t *turn) {
	b := s.seat
	if b == nil || b.asked == "" || b.token != m.Token || s.ended || s.state.phase != phaseWorking {
		if m.Err == nil {
			s.quit(m.UID, m.Token) // nobody waits for it any more
		}
		return
	}
	if m.Err != nil {
		b.asked = ""
		s.answer(t, &Answer{Token: b.request, Err: m.Err})
		return
	}
	uid := b.asked
	if !s.uid.CompareAndSwap(b.known, &uid) { // evicted from outside
		s.answer(t, &Answer{Token: b.request, Err: errLoggedIn})
		return
	}
	old := b.uid
	b.uid, b.known, b.asked, b.fresh = uid, &uid, "", true
	if old != "" && old != uid {
		s.quit(old, b.token)
	}
	if held := b.held; held != nil {
		b.held = nil
		s.answer(t, held)
	}
}

// binding deals with a login when the answer to its request comes: it reports
// true when that has to wait for the user's actor, and undoes the bind when the
// request has failed.
func (s *Session) binding(a *Answer) (wait bool) {
	b := s.seat
	if b == nil || b.request != a.Token {
		return false
	}
	switch {
	case a.Err == nil && b.asked != "":
		b.held = &Answer{Token: a.Token, Value: a.Value}
		return true
	case a.Err != nil && b.fresh:
		s.unbind()
	case a.Err != nil:
		s.abandon()
	}
	b.request, b.held = Token{}, nil
	return false
}

// abandon forgets a bind that is under way. One for the uid that the session has
// already leaves things as they are.
func (s *Session) abandon() {
	b := s.seat
	if b.asked != "" && b.asked != b.uid {
		s.quit(b.asked, b.token)
	}
	b.asked = ""
}

// unbind makes the session nobody's, and forgets a bind that is under way.
func (s *Session) unbind() {
	b := s.seat
	if b == nil {
		return
	}
	s.abandon()
	if b.uid != "" && s.uid.CompareAndSwap(b.known, nil) {
		s.quit(b.uid, b.token)
	}
	*b = seat{token: b.token}
}

// carry implements order. The session leaves a user, for another session or
// because it was kicked: first the uid is void and the client is told, then the
// user's actor is.
func (m *userEvict) carry(s *Session, t *turn) {
	if b := s.seat; b != nil && b.uid == m.uid && !s.ended {
		s.uid.Store(evictedUID)
		b.uid, b.known = "", evictedUID
		if s.state.close(m.why) == actClose {
			s.farewell(t, m.why, m.text)
		}
	}
	s.quit(m.uid, m.token)
}

// quitAll tells the users that the session has ended. The uid stays readable.
func (s *Session) quitAll() {
	b := s.seat
	if b == nil {
		return
	}
	if b.uid != "" {
		s.quit(b.uid, b.token)
	}
	if b.asked != "" && b.asked != b.uid {
		s.quit(b.asked, b.token)
	}
}

func (s *Session) quit(uid string, token uint32) {
	s.app.users.place.Deliver(uid, &UserGone{Session: s.id, Token: token})
}

// carry implements order.
func (p *framePush) carry(s *Session, t *turn) {
	if s.ended || s.state.phase != phaseWorking {
		p.fate.add(0, 1)
		return
	}
	if s.codec != nil {
		t.push(s, p.route, p.v)
		p.fate.add(1, 0)
		return
	}
	start := len(t.out)
	t.out = append(t.out, p.frame.Payload()...)
	if start > protocol.Headroom && len(t.out) > mergeLimit {
		t.split(s, start)
	}
	p.fate.add(1, 0)
}

// force takes the uid from a session that does not answer, and cuts its
// connection: from any goroutine, on any node.
func (r *Ref) force(why protocol.Reason) {
	r.uid.Store(evictedUID)
	if r.wire == nil {
		r.post(talk.PutUint([]byte{farForce}, r.id), talk.PutUint(nil, uint64(why)))
		return
	}
	r.wire.Close(why)
}
