package rooms

import (
	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// route registers what the sessions ask of rooms of kind k.
func (h *Host) route(k *Kind) {
	h.app.Route(k.name+".join", func(c *actors.Ctx, in actors.Inbound) { h.join(k, c, in) }, actors.Inline())
	h.app.Route(k.name+".leave", func(c *actors.Ctx, in actors.Inbound) { h.ask(k, nil, c, in) }, actors.Inline())
	for _, op := range k.ops {
		h.app.Route(k.name+"."+op.name, func(c *actors.Ctx, in actors.Inbound) { h.ask(k, op, c, in) }, actors.Inline())
	}
}

// join sends a session to the room that the body names. The session records at
// once that it is on its way in, with the placement as the address: should its
// connection end before the answer, the room still hears of it, behind the join.
func (h *Host) join(k *Kind, c *actors.Ctx, in actors.Inbound) {
	id, err := k.selector(k.serializer, in.Body)
	if err != nil {
		c.ReplyError(badBody(err))
		return
	}
	if id == "" {
		id = firstRoom
	}
	key := Key{k.name, id}
	cl := &call{from: c.Session(), verb: verbJoin, op: k.join, key: key, wants: in.Request}
	if cl.req, err = decode(k, k.join, in.Body); err != nil {
		c.ReplyError(err)
		return
	}
	c.Enter(actors.Membership{Kind: k.name, Room: id, PID: h.local.pid})
	cl.token = c.Await()
	h.place.Deliver(key, cl)
}

// ask sends an operation, or the wish to leave when op is nil, to the room of
// this kind that the session is in.
func (h *Host) ask(k *Kind, op *operation, c *actors.Ctx, in actors.Inbound) {
	at, err := h.roomOf(k, c, in.Body)
	if err != nil {
		c.ReplyError(err)
		return
	}
	cl := &call{from: c.Session(), verb: verbOp, op: op, wants: in.Request}
	if op == nil {
		cl.verb = verbLeave
	} else if cl.req, err = decode(k, op, in.Body); err != nil {
		c.ReplyError(err)
		return
	}
	if in.Request || op == nil || c.Pace(paceNotifies) {
		cl.token = c.Await()
	}
	h.app.System().Root.Send(at.PID, cl)
}

// paceNotifies is how many notifies of one session may be on their way to rooms
// before the session waits until the last one has been handled: a client that
// floods is slowed down by its own socket instead of filling the room's mailbox.
const paceNotifies = 64

// roomOf finds the room a body is for: the only one of the kind that the session
// is in, or, in several, the one that the body names.
func (h *Host) roomOf(k *Kind, c *actors.Ctx, body []byte) (actors.Membership, error) {
	in := c.Memberships(k.name)
	switch len(in) {
	case 0:
		return actors.Membership{}, protocol.Errorf(protocol.CodeRefused, "join a room of kind %s first", k.name)
	case 1:
		return in[0], nil
	}
	id, err := k.selector(k.serializer, body)
	if err != nil {
		return actors.Membership{}, badBody(err)
	}
	for _, m := range in {
		if m.Room == id {
			return m, nil
		}
	}
	return actors.Membership{}, protocol.Errorf(protocol.CodeConflict, "in %d rooms of kind %s: the body must name one of them", len(in), k.name)
}

func decode(k *Kind, op *operation, body []byte) (any, error) {
	req, err := op.decode(k.serializer, body)
	if err != nil {
		return nil, badBody(err)
	}
	return req, nil
}

func badBody(err error) error {
	return protocol.Errorf(protocol.CodeBadRequest, "bad body: %v", err)
}
