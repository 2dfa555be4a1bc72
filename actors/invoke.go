package actors

import (
	"fmt"

	"github.com/shaddock-game/shaddock/protocol"
)

// Late is a request whose answer is still due. It may be kept and given away; its
// methods are usable from any goroutine, and only the first answer counts. For a
// notify an answer only lets the session go on.
type Late struct {
	ref   *Ref
	token Token
}

// Later lets the handler return without an answer, which is to come by the Late.
// What Await says about waiting holds here as well.
func (c *Ctx) Later() Late { return Late{c.Session(), c.Await()} }

// Session returns the reference to the session that waits.
func (l Late) Session() *Ref { return l.ref }

// Reply answers; nil is an empty body. Whoever calls must not change v any more.
func (l Late) Reply(v any) { l.ref.Answer(Answer{Token: l.token, Value: v}) }

// ReplyError answers with an error.
func (l Late) ReplyError(err error) { l.ref.Answer(Answer{Token: l.token, Err: err}) }

// Invoke has the session call the handler of a route, an internal one or not, as
// if its client had sent v as a notify: in turn with the client's own messages, on
// the session's goroutine, with the session's Ctx. This is how other parts of the
// server act for a player without racing with what the player does. The client's
// rate does not count, nor do inbound stages. V is encoded before Invoke returns;
// the error is that of an unknown route or of the encoding.
//
// On another node it calls the handler that is registered there: a route is what can
// be named across nodes, a function is not. All nodes register the same routes; one
// that lacks this one counts it in Stats.FarUnreadable.
func (r *Ref) Invoke(route string, v any) error {
	to := r.app.routes[route]
	if to == nil {
		return fmt.Errorf("invoke %s: no such route", route)
	}
	var body []byte
	if v != nil {
		var err error
		if body, err = appendBody(to.serializer, nil, v); err != nil {
			return fmt.Errorf("invoke %s: %w", route, err)
		}
	}
	r.send(&invocation{to, body})
	return nil
}

// invocation is a message for a route that does not come from the client.
type invocation struct {
	route *route
	body  []byte
}

// invoke calls the handler, unless there is no session any more.
func (s *Session) invoke(t *turn, o *invocation) {
	if s.state.phase == phaseWorking {
		s.call(t, o.route, &protocol.Message{Type: protocol.Notify, Route: o.route.name, Body: o.body}, false)
	}
}
