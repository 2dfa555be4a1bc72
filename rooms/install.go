package rooms

import (
	"reflect"

	"bytes"
	"context"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// route registers what the sessions ask of rooms of kind k.
func (h *Host) route(k *Kind) {
	joining := actors.Inline()
	if k.match != nil {
		joining = actors.Blocking() // the session asks the directory first
	}
	h.app.Route(k.joinRoute, func(c *actors.Ctx, in actors.Inbound) { h.join(k, c, in) }, joining, k.join.describe())
	h.app.Route(k.name+".leave", func(c *actors.Ctx, in actors.Inbound) { h.ask(k, nil, c, in) }, actors.Inline(),
		actors.Describe(actors.FormNotify, reflect.TypeFor[Anything](), nil))
	for _, op := range k.ops {
		h.app.Route(k.name+"."+op.name, func(c *actors.Ctx, in actors.Inbound) { h.ask(k, op, c, in) }, actors.Inline(), op.describe())
	}
	if k.listed {
		actors.Handle(h.app, k.name+".list", h.list(k), actors.Blocking())
	}
}

// describe says what the route of an operation takes and gives.
func (op *operation) describe() actors.RouteOption {
	form := actors.FormRequest
	if op.notify {
		form = actors.FormNotify
	}
	return actors.Describe(form, op.req, op.rep)
}

// join sends a session to the room that the body names. The session records at
// once that it is on its way in, with the placement as the address: should its
// connection end before the answer, the room still hears of it, behind the join.
func (h *Host) join(k *Kind, c *actors.Ctx, in actors.Inbound) {
	cl := &call{from: c.Session(), id: c.Session().ID(), uid: c.UID(), verb: verbJoin, op: k.join}
	id, err := k.selector(k.serializer, in.Body)
	if err != nil {
		c.ReplyError(badBody(err))
		return
	}
	if err = h.load(c, cl, k, in.Body); err != nil {
		c.ReplyError(err)
		return
	}
	if id == "" && k.roomBy != nil {
		id, err = k.roomBy(c)
	}
	if id == "" && err == nil {
		id, err = h.choose(k, c, cl)
	}
	if err != nil {
		c.ReplyError(err)
		return
	}
	cl.key = Key{k.name, id}
	if err := h.mayEnter(k, c, id); err != nil {
		c.ReplyError(err)
		return
	}
	h.also(k, c)
	c.Enter(actors.Membership{Kind: k.name, Room: id, PID: h.local.pid})
	cl.token = c.Await()
	h.place.Deliver(cl.key, cl)
}

// mayEnter refuses one room too many.
func (h *Host) mayEnter(k *Kind, c *actors.Ctx, id string) error {
	if k.perSession <= 0 {
		return nil
	}
	in := c.Memberships(k.name)
	if len(in) < k.perSession || slices.ContainsFunc(in, func(m actors.Membership) bool { return m.Room == id }) {
		return nil
	}
	return protocol.Errorf(protocol.CodeRefused, "in %d rooms of kind %s already, which is as many as there may be", len(in), k.name)
}

// also lets the session into the room that goes with a kind. It waits for no
// answer: should the room refuse, the session forgets the membership again.
func (h *Host) also(k *Kind, c *actors.Ctx) {
	other := h.kinds[k.also.Kind]
	if other == nil || len(c.Memberships(k.also.Kind)) > 0 {
		return
	}
	req, err := decode(other, other.join, nil)
	if err != nil {
		return // a join that needs a body is not one to enter along with another
	}
	c.Enter(actors.Membership{Kind: k.also.Kind, Room: k.also.ID, PID: h.local.pid})
	h.place.Deliver(k.also, &call{from: c.Session(), id: c.Session().ID(), uid: c.UID(), verb: verbJoin, op: other.join, key: k.also, req: req})
}

// choose finds the room of a join that names none: where matches are made, the
// room of the kind that the session is in already, or one with a free seat.
func (h *Host) choose(k *Kind, c *actors.Ctx, cl *call) (id string, err error) {
	if k.match == nil {
		return firstRoom, nil
	}
	if in := c.Memberships(k.name); len(in) > 0 {
		return in[0].Room, nil
	}
	if cl.labels, err = k.match(cl.req); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), matchTimeout)
	defer cancel()
	key, err := h.match(ctx, k, cl.labels)
	cl.matched = true
	return key.ID, err
}

// matchTimeout bounds the wait for the directory, which only an overloaded
// machine can make long.
const matchTimeout = 2 * time.Second

// ask sends an operation, or the wish to leave when op is nil, to the room of
// this kind that the session is in.
func (h *Host) ask(k *Kind, op *operation, c *actors.Ctx, in actors.Inbound) {
	at, err := h.roomOf(k, c, in.Body)
	if err != nil {
		c.ReplyError(err)
		return
	}
	cl := &call{from: c.Session(), id: c.Session().ID(), verb: verbOp, op: op}
	if op == nil {
		cl.verb = verbLeave
	} else if err = h.load(c, cl, k, in.Body); err != nil {
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
		if k.perSession <= 1 {
			return in[0], nil // no need to look into the body
		}
	}
	id, err := k.selector(k.serializer, body)
	if err != nil {
		return actors.Membership{}, badBody(err)
	}
	if id == "" && len(in) == 1 {
		return in[0], nil
	}
	for _, m := range in {
		if m.Room == id {
			return m, nil
		}
	}
	if id != "" {
		return actors.Membership{}, protocol.Errorf(protocol.CodeRefused, "not in room %s %s", k.name, id)
	}
	return actors.Membership{}, protocol.Errorf(protocol.CodeConflict, "in %d rooms of kind %s: the body must name one of them", len(in), k.name)
}

// load gives a call its request: decoded, or, when the room may be on another node,
// as it came.
func (h *Host) load(c *actors.Ctx, cl *call, k *Kind, body []byte) (err error) {
	if h.spread != nil {
		cl.body = bytes.Clone(body)
		if (cl.verb != verbJoin || k.match == nil) && !c.Checks() { // a match is made from what the join says
			return nil
		}
	}
	if cl.req, err = decode(k, cl.op, body); err != nil {
		return err
	}
	return c.Check(cl.req)
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
