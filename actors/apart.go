package actors

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Blocking says that the handler waits for something: a database, another service,
// a file. It then runs on a goroutine of its own, beside its session, which in the
// meantime answers heartbeats, passes pushes on, can be kicked and keeps its
// client's next messages for later: their order holds. This is how work that
// takes longer than a moment is to be done; the handler itself is written as any
// other, with the same Ctx.
//
// When the route's deadline passes the client is answered 408 and Ctx.Context is
// cancelled, as it is when the session ends; the session takes up the next message
// once the handler has returned, so that two handlers of a session never run at
// once. Past Config.MaxBlocking handlers at work the request is answered 503.
func Blocking() RouteOption { return func(r *route) { r.blocking = true } }

// apart is a call whose handler runs on another goroutine than its session: on
// one of its own, or on a component's actor.
type apart struct {
	// Set at birth, read-only afterwards.
	token   Token
	ctx     context.Context
	cancel  context.CancelFunc
	members []Membership // as they were at the call
}

// beside makes a handler run on a goroutine of its own.
func beside(f RouteFunc) RouteFunc {
	return func(c *Ctx, in Inbound) {
		a := c.s.app
		if n := a.besides.Add(1); a.cfg.MaxBlocking > 0 && n > int64(a.cfg.MaxBlocking) {
			a.besides.Add(-1)
			c.ReplyError(protocol.Errorf(protocol.CodeUnavailable, "too busy"))
			return
		}
		d, in := c.part(in)
		go func() { // App.Shutdown waits for it
			defer a.besides.Add(-1)
			d.run(f, in)
		}()
	}
}

// part makes the session wait and returns what another goroutine handles the call
// with, by run: it is that goroutine's own.
func (c *Ctx) part(in Inbound) (*Ctx, Inbound) {
	s := c.s
	p := &apart{token: c.Await(), members: slices.Clone(s.members)}
	p.ctx, p.cancel = context.WithTimeout(context.Background(), s.app.patience(c.route))
	s.waiting.apart = p
	in.Body = bytes.Clone(in.Body)
	return &Ctx{s: s, route: c.route, id: c.id, now: c.now, apart: p}, in
}

// run calls the handler of a call that was parted from its session.
func (c *Ctx) run(f RouteFunc, in Inbound) {
	defer func() {
		if p := recover(); p != nil {
			c.answered = true
			c.s.Answer(Answer{Token: c.apart.token, Err: c.s.panicked(c.route.name, p)})
		}
		c.apart.cancel()
		c.s.send(c.apart) // behind the answer
	}()
	f(c, in)
	if !c.answered {
		c.Reply(nil)
	}
}

// carry is how the session learns that the handler has returned.
func (p *apart) carry(s *Session, _ *turn) {
	if s.waiting.apart == p {
		s.waiting.apart = nil
	}
}

// busy reports whether a message of the client is still being handled.
func (s *Session) busy() bool { return s.waiting.pending || s.waiting.apart != nil }

// patience is how long the answer of a route may take.
func (a *App) patience(r *route) time.Duration {
	if r.deadline > 0 {
		return r.deadline
	}
	return a.cfg.RequestTimeout
}

// Context ends with the route's deadline and with the call; in a handler that is
// Blocking, or on a component's actor, also when the session ends.
func (c *Ctx) Context() context.Context {
	switch {
	case c.apart != nil:
		return c.apart.ctx
	case c.scope == nil:
		ctx, cancel := context.WithDeadline(context.Background(), c.now.Add(c.s.app.patience(c.route)))
		c.scope = &scope{ctx, cancel}
	}
	return c.scope.ctx
}

// scope is the context of a call that asked for one.
type scope struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// answerApart sends the answer of a call that was parted to the session. The value
// is encoded here and now: it may belong to the goroutine that the handler runs on.
func (c *Ctx) answerApart(v any, err error) {
	if c.answered {
		return
	}
	if err == nil {
		c.bindApart()
	}
	c.bind, c.answered = "", true
	a := Answer{Token: c.apart.token, Err: err}
	if err == nil && c.id != 0 && v != nil {
		b, fault := appendBody(c.route.serializer, nil, v)
		if a.Value = Raw(b); fault != nil {
			c.Log().Error("reply could not be written", "error", fault)
			a.Err = protocol.Errorf(protocol.CodeInternal, "internal error")
		}
	}
	c.s.Answer(a)
}

// pushApart is Push from a call that was parted, for the same reason.
func (c *Ctx) pushApart(route string, v any) {
	b, err := c.s.app.cfg.Serializer.Append(nil, v)
	if err != nil {
		c.s.app.stats.Unwritable.Add(1)
		c.Log().Error("push could not be written", "route", route, "error", err)
		return
	}
	c.s.Push(route, Raw(b))
}

// carry has the session change something of its own, and returns when the handler
// can see it.
func (c *Ctx) carry(o order) {
	if c.apart == nil {
		o.carry(c.s, c.turn)
		return
	}
	p := &pause{order: o, done: make(chan struct{})}
	c.s.send(p)
	select {
	case <-p.done:
	case <-c.apart.ctx.Done(): // the session has ended: nobody is to see it
	}
}

// pause lets whoever sent it know that the session has carried out an order.
type pause struct {
	order order
	done  chan struct{}
}

func (p *pause) carry(s *Session, t *turn) {
	p.order.carry(s, t)
	close(p.done)
}

// enterOrder records a membership.
type enterOrder struct{ m Membership }

func (o *enterOrder) carry(s *Session, _ *turn) {
	switch {
	case s.ended:
		s.farewellTo(o.m, protocol.ReasonClientGone)
	case s.membership(o.m.Kind, o.m.Room) < 0:
		s.members = append(s.members, o.m)
	}
}
