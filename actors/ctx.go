package actors

import (
	"log/slog"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Ctx is what a handler knows of the message it handles. It is valid only until
// the handler returns and only on its goroutine; what outlives that is Session.
type Ctx struct {
	turn  *turn
	s     *Session
	route *route

	id       uint64 // of the request, 0 for a notify
	answered bool   // Reply, ReplyError or Await was called
	bind     string // the uid to bind once the handler has answered
	now      time.Time
	scope    *scope // of Context, when it was asked for
	apart    *apart // nil while the handler runs on the session's goroutine
}

// Session returns the reference to the session, to be kept as long as one likes.
func (c *Ctx) Session() *Ref { return &c.s.Ref }

// Route returns the name of the route that was called.
func (c *Ctx) Route() string { return c.route.name }

// Public reports whether the route is open to those who are not logged in.
func (c *Ctx) Public() bool { return c.route.public }

// Now returns when the message was taken up.
func (c *Ctx) Now() time.Time { return c.now }

// Log returns the session's logger.
func (c *Ctx) Log() *slog.Logger { return c.s.log() }

// UID returns the user that the session is bound to, or is about to be by Bind,
// "" when it is not.
func (c *Ctx) UID() string {
	if c.bind != "" {
		return c.bind
	}
	return c.s.UID()
}

// User returns what the handshake validator returned for this session.
func (c *Ctx) User() any { return c.s.validated() }

// Push sends v to this client, ahead of the answer to the request being handled.
func (c *Ctx) Push(route string, v any) {
	if c.apart != nil {
		c.pushApart(route, v)
		return
	}
	c.turn.push(c.s, route, v)
}

// Kick ends the session once the handler has returned.
func (c *Ctx) Kick(why protocol.Reason, text string) { c.s.send(&kickMsg{why, text}) }

// Reply answers the request; a value that cannot be written answers 500. Only
// the first of Reply, ReplyError and Await counts. For a notify it does nothing.
func (c *Ctx) Reply(v any) {
	if c.apart != nil {
		c.answerApart(v, nil)
		return
	}
	if c.bind != "" && c.rebound(&Answer{Value: v}) || !c.settle() {
		return
	}
	c.turn.respond(c.s, c.route, c.id, v)
	c.s.app.stats.outcome(protocol.CodeOK)
}

func (c *Ctx) replyRaw(b []byte) {
	if c.apart != nil {
		c.answerApart(Raw(b), nil)
		return
	}
	if c.bind != "" && c.rebound(&Answer{Value: Raw(b)}) || !c.settle() {
		return
	}
	c.turn.respondRaw(c.s, c.route, c.id, b)
	c.s.app.stats.outcome(protocol.CodeOK)
}

// ReplyError answers the request with an error. The failure of a notify, which
// nobody waits for, is counted and logged.
func (c *Ctx) ReplyError(err error) {
	if c.apart != nil {
		c.answerApart(nil, err)
		return
	}
	if c.id == 0 && !c.answered {
		c.answered = true
		c.s.app.stats.NotifyErrors.Add(1)
		c.Log().Debug("notify failed", "route", c.route.name, "error", err)
		return
	}
	if c.settle() {
		c.turn.refuse(c.s, c.route.name, c.id, err)
	}
}

// Await says that the answer will come from elsewhere, with Token, by Ref.Answer
// or through an Audience. Until then, or until Config.RequestTimeout has passed
// and answered 408, the session handles no further message of its client: this
// is what keeps responses in the order of the requests. It works for a notify as
// well, where it only keeps the order.
func (c *Ctx) Await() Token {
	if c.answered {
		return Token{}
	}
	if c.apart != nil { // the session waits already
		c.bindApart()
		c.answered = true
		return c.apart.token
	}
	token := c.s.await(c)
	c.rebound(nil)
	c.answered = true
	return token
}

// Pace counts a notify that is being passed on to another actor, and reports true
// for every nth: then call Await and let that actor answer, so that no client can
// send faster than its messages are handled.
func (c *Ctx) Pace(n int) bool {
	if c.apart != nil {
		return true
	}
	c.s.paced++
	return int(c.s.paced)%n == 0
}

// Enter records a membership, so that its PID hears of the session's end. One of
// the same kind and room that exists is left as it is.
func (c *Ctx) Enter(m Membership) { c.carry(&enterOrder{m}) }

// Memberships returns the session's memberships of one kind. The slice is the
// caller's.
func (c *Ctx) Memberships(kind string) []Membership {
	all := c.s.members
	if c.apart != nil {
		all = c.apart.members
	}
	return slices.DeleteFunc(slices.Clone(all), func(m Membership) bool { return m.Kind != kind })
}

// settle claims the one answer of a request.
func (c *Ctx) settle() bool {
	if c.answered {
		return false
	}
	c.answered = true
	return c.id != 0
}

// decode reads a body into *v, which is fresh, and has the stages look at it; an
// empty body leaves it zero.
func (c *Ctx) decode(body []byte, v any) error {
	if len(body) > 0 {
		if err := c.route.serializer.Unmarshal(body, v); err != nil {
			return protocol.Errorf(protocol.CodeBadRequest, "bad body: %v", err)
		}
	}
	return c.Check(v)
}
