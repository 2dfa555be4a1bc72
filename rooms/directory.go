package rooms

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// Messages of the directory besides *report. Answers go to channels of size one,
// so that the directory never waits for whoever asked.
type (
	matchRequest struct {
		kind   string
		seats  int
		labels Labels
		answer chan<- Key
	}
	listRequest struct {
		kind   string
		labels Labels
		answer chan<- []Info
	}
	findRequest struct {
		key    Key
		answer chan<- *Info // nil when there is none
	}
	nameRequest struct {
		kind   string
		answer chan<- Key
	}
)

// directory is the actor that knows the rooms of this node as they describe
// themselves: it is asked for lists and free seats. Which room is where is not
// its business but the Placement's; a room can be reached by its key without it.
type directory struct {
	// Owned by Receive.
	table *table
}

// Receive implements actor.Actor.
func (d *directory) Receive(c actor.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *report:
		d.table.report(m)
	case *matchRequest:
		m.answer <- d.table.match(now, m.kind, m.seats, m.labels)
	case *listRequest:
		m.answer <- d.table.list(m.kind, m.labels)
	case *findRequest:
		m.answer <- d.table.find(m.key)
	case *nameRequest:
		m.answer <- d.table.name(m.kind)
	}
}

// startDirectory spawns the directory of h.
func (h *Host) startDirectory() {
	system := h.app.System()
	props := actor.PropsFromProducer(func() actor.Actor { return &directory{newTable(newRoomPrefix())} },
		actor.WithMailbox(h.app.Mailbox(0))) // rooms report at a bounded rate, and who asks waits
	pid, err := system.Root.SpawnNamed(props, "directory/"+system.ID)
	if err != nil {
		panic(fmt.Sprintf("rooms: two hosts on one application: %v", err))
	}
	h.directory = pid
}

// List returns the rooms of a kind that have all of these labels (nil: any), the
// oldest first. It waits for the directory: call it from handlers, tools and
// Async work, not from a room's own methods.
func (h *Host) List(ctx context.Context, kind string, labels Labels) ([]Info, error) {
	answer := make(chan []Info, 1)
	return query(ctx, h, &listRequest{kind, labels, answer}, answer)
}

// Find returns what is known of one room, and false when it is not active. It
// waits, see List.
func (h *Host) Find(ctx context.Context, key Key) (info Info, ok bool, err error) {
	answer := make(chan *Info, 1)
	found, err := query(ctx, h, &findRequest{key, answer}, answer)
	if err != nil || found == nil {
		return Info{}, false, err
	}
	return *found, true, nil
}

// Create opens a room with labels, which its OnInit can read. An empty id makes
// one up; an id that is active is CodeConflict. A room that nobody joins is put
// away after the kind's Idle time. It waits until OnInit has returned, see List.
func (h *Host) Create(ctx context.Context, kind, id string, labels Labels) (Key, error) {
	if h.kinds[kind] == nil {
		return Key{}, fmt.Errorf("no room kind %q", kind)
	}
	key := Key{kind, id}
	if id == "" {
		var err error
		answer := make(chan Key, 1)
		if key, err = query(ctx, h, &nameRequest{kind, answer}, answer); err != nil {
			return Key{}, err
		}
	}
	opened := make(chan error, 1)
	h.place.Deliver(key, &create{labels, opened})
	select {
	case err := <-opened:
		return key, err
	case <-ctx.Done():
		return Key{}, fmt.Errorf("create room %s: %w", key, ctx.Err())
	}
}

// create asks for a room that is not there yet. Opened, of size one, gets the
// one answer.
type create struct {
	labels Labels
	opened chan<- error
}

// Refused answers when no room could be asked.
func (m *create) Refused(err error) {
	m.opened <- protocol.Errorf(protocol.CodeUnavailable, "room is not available: %v", err)
}

// match returns the room that a join of kind k goes to.
func (h *Host) match(ctx context.Context, k *Kind, labels Labels) (Key, error) {
	answer := make(chan Key, 1)
	return query(ctx, h, &matchRequest{k.name, k.seats, labels, answer}, answer)
}

// query sends m to the directory and waits for its answer, which comes as long as
// the host runs.
func query[T any](ctx context.Context, h *Host, m any, answer <-chan T) (v T, err error) {
	h.app.System().Root.Send(h.directory, m)
	select {
	case v = <-answer:
		return v, nil
	case <-ctx.Done():
		return v, fmt.Errorf("asking the directory of rooms: %w", ctx.Err())
	}
}
