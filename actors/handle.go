package actors

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/shaddock-game/shaddock/protocol"
)

// Inbound is a message for a route, as RouteFunc sees it.
type Inbound struct {
	Request bool   // an answer is due
	Body    []byte // stable until the function returns; copy to keep
}

// RouteFunc handles a route in its raw form. For a request it calls exactly one
// of Ctx.Reply, Ctx.ReplyError and Ctx.Await; one that calls none is answered
// as by Reply(nil).
type RouteFunc func(c *Ctx, in Inbound)

// Handle serves a route with a typed function, for requests and notifies alike;
// the reply to a notify is dropped, its error counted. Requests of one session
// are handled one after another, different sessions at the same time. A handler
// that takes its time holds up its own session and nobody else, heartbeats and
// pushes of that session included: for work that waits there is Blocking.
//
// Req is the handler's own to keep, except when it is []byte: that is the raw
// body, stable until the handler returns. Rep is written before the session goes
// on; nil is an empty body, for JSON an empty object. An error answers with its *protocol.Error, or 500.
//
// Handle is for the time before App.Start, which reports what is wrong.
func Handle[Req, Rep any](a *App, name string, h func(*Ctx, *Req) (*Rep, error), opts ...RouteOption) {
	a.add(name, func(c *Ctx, in Inbound) {
		req := new(Req)
		if err := c.decode(in.Body, req); err != nil {
			c.ReplyError(err)
			return
		}
		rep, err := h(c, req)
		switch {
		case err != nil:
			c.ReplyError(err)
		case rep == nil:
			c.Reply(nil)
		default:
			c.Reply(rep)
		}
	}, reflect.TypeFor[Req](), reflect.TypeFor[Rep](), opts)
}

// HandleNotify serves a route that has no reply. A client that sends it as a
// request is answered with an empty object.
func HandleNotify[Req any](a *App, name string, h func(*Ctx, *Req) error, opts ...RouteOption) {
	a.add(name, func(c *Ctx, in Inbound) {
		req := new(Req)
		err := c.decode(in.Body, req)
		if err == nil {
			err = h(c, req)
		}
		c.done(err)
	}, reflect.TypeFor[Req](), nil, opts)
}

// HandleRaw serves a route with the body as it came, without a decode and, where
// the reply aliases the body or long-lived bytes, without an allocation. Body is
// stable until h returns; the reply is written before anything else happens.
func HandleRaw(a *App, name string, h func(c *Ctx, body []byte) ([]byte, error), opts ...RouteOption) {
	a.add(name, rawCall(h), nil, nil, opts)
}

func rawCall(h func(c *Ctx, body []byte) ([]byte, error)) RouteFunc {
	return func(c *Ctx, in Inbound) {
		rep, err := h(c, in.Body)
		if err != nil {
			c.ReplyError(err)
			return
		}
		c.replyRaw(rep)
	}
}

// done ends a call that has no reply, unless the handler has answered itself.
func (c *Ctx) done(err error) {
	if err != nil {
		c.ReplyError(err)
		return
	}
	c.Reply(struct{}{})
}

// Route serves a route whose answer may come from another actor.
func (a *App) Route(name string, f RouteFunc, opts ...RouteOption) { a.add(name, f, nil, nil, opts) }

func (a *App) add(name string, f RouteFunc, req, rep reflect.Type, opts []RouteOption) {
	r := &route{name: name, handle: f, serializer: a.cfg.Serializer, form: formOf(req, rep), req: req, rep: rep}
	for _, o := range opts {
		o(r)
	}
	switch {
	case a.started:
		panic(fmt.Sprintf("actors: route %q registered after Start", name))
	case f == nil:
		a.fail("route %q: the handler is nil", name)
	case name == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "."):
		a.fail("route %q: a route is a name such as room.join", name)
	case len(name) > protocol.MaxRouteLen:
		a.fail("route %q: longer than %d bytes", name, protocol.MaxRouteLen)
	case a.routes[name] != nil:
		a.fail("route %q registered twice: give one of them another name", name)
	case r.blocking && r.inline:
		a.fail("route %q: Blocking and Inline exclude each other: leave out one", name)
	case r.blocking && r.serial:
		a.fail("route %q: Blocking and a Serial component exclude each other: leave out one", name)
	case r.limit.n < 0 || r.limit.n > 0 && r.limit.per <= 0:
		a.fail("route %q: Limit(%d, %v): give a count and the time it is for", name, r.limit.n, r.limit.per)
	case r.deadline < 0:
		a.fail("route %q: Deadline(%v): give a time to answer in", name, r.deadline)
	default:
		if r.blocking {
			r.handle = beside(r.handle)
		}
		a.routes[name] = r
	}
}

func (a *App) fail(format string, args ...any) { a.errs = append(a.errs, fmt.Errorf(format, args...)) }
