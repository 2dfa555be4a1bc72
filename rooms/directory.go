package rooms

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// query is what the directory can be asked. Its exported fields go over the wire.
type query struct {
	Match  bool   // promise a seat, in a new room if there is none; else list
	Kind   string // of rooms
	ID     string // when not empty, of the one room to list
	Seats  int    // of a new room
	Labels Labels

	answer func(answer) // does not block
}

// answer is what it answers.
type answer struct {
	Key   Key // of a match
	Rooms []Info
}

// directory is the actor that knows the rooms as they describe themselves: it is
// asked for lists and free seats. Which room is where is not its business but the
// Placement's; a room can be reached by its key without it.
type directory struct {
	// Owned by Receive.
	table *table
	share *share // nil for a node alone
}

// Receive implements actor.Actor.
func (d *directory) Receive(c actor.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *report:
		if d.share == nil || d.share.keep(m) {
			d.table.report(now, m)
		}
	case *query:
		m.answer(d.table.answer(now, m))
	case *joinShare:
		d.share = newShare(c, m.spread)
	case *actor.Stopping:
		if d.share != nil {
			d.share.stop()
		}
	default:
		if d.share != nil {
			d.share.receive(d.table, now, m)
		}
	}
}

// answer carries out a query.
func (t *table) answer(now time.Time, q *query) answer {
	switch {
	case q.Match:
		return answer{Key: t.match(now, q.Kind, q.Seats, q.Labels)}
	case q.ID != "":
		if info := t.find(Key{q.Kind, q.ID}); info != nil {
			return answer{Rooms: []Info{*info}}
		}
		return answer{}
	}
	return answer{Rooms: t.list(q.Kind, q.Labels)}
}

// startDirectory spawns the directory of h.
func (h *Host) startDirectory() {
	system := h.app.System()
	h.names.prefix = newRoomPrefix()
	props := actor.PropsFromProducer(func() actor.Actor { return &directory{table: newTable(h.newName)} },
		actor.WithMailbox(h.app.Mailbox(0))) // rooms report at a bounded rate, and who asks waits
	pid, err := system.Root.SpawnNamed(props, "directory/"+system.ID)
	if err != nil {
		panic(fmt.Sprintf("rooms: two hosts on one application: %v", err))
	}
	h.directory = pid
}

// List returns the rooms of a kind that have all of these labels (nil: any), the
// oldest first; in a cluster those of all nodes. It waits for the directory: call
// it from handlers, tools and Async work, not from a room's own methods.
func (h *Host) List(ctx context.Context, kind string, labels Labels) ([]Info, error) {
	a, err := h.query(ctx, &query{Kind: kind, Labels: labels})
	return a.Rooms, err
}

// Find returns what is known of one room, and false when it is not active. It
// waits, see List.
func (h *Host) Find(ctx context.Context, key Key) (info Info, ok bool, err error) {
	a, err := h.query(ctx, &query{Kind: key.Kind, ID: key.ID})
	if err != nil || len(a.Rooms) == 0 {
		return Info{}, false, err
	}
	return a.Rooms[0], true, nil
}

// match returns the room that a join of kind k goes to.
func (h *Host) match(ctx context.Context, k *Kind, labels Labels) (Key, error) {
	a, err := h.query(ctx, &query{Match: true, Kind: k.name, Seats: k.seats, Labels: labels})
	return a.Key, err
}

// query asks the directory, where it is, and waits.
func (h *Host) query(ctx context.Context, q *query) (answer, error) {
	if h.spread != nil {
		if home := h.spread.home(q.Kind); home.ID != h.spread.mesh.Self().ID {
			return h.spread.query(ctx, home, q)
		}
	}
	got := make(chan answer, 1)
	q.answer = func(a answer) { got <- a }
	h.app.System().Root.Send(h.directory, q)
	select {
	case a := <-got:
		return a, nil
	case <-ctx.Done():
		return answer{}, fmt.Errorf("asking the directory of rooms: %w", ctx.Err())
	}
}

// Create opens a room with labels, which its OnInit can read. An empty id makes
// one up; an id that is active is CodeConflict. A room that nobody joins is put
// away after the kind's Idle time. It waits until OnInit has returned, see List.
func (h *Host) Create(ctx context.Context, kind, id string, labels Labels) (Key, error) {
	if h.kinds[kind] == nil {
		return Key{}, fmt.Errorf("no room kind %q", kind)
	}
	if id == "" {
		id = h.newName()
	}
	key := Key{kind, id}
	if h.spread != nil {
		return key, h.spread.create(ctx, key, labels)
	}
	opened := make(chan error, 1)
	h.place.Deliver(key, &create{labels, func(err error) { opened <- err }})
	select {
	case err := <-opened:
		return key, err
	case <-ctx.Done():
		return Key{}, fmt.Errorf("create room %s: %w", key, ctx.Err())
	}
}

// create asks for a room that is not there yet. Opened is called once and must not
// block.
type create struct {
	labels Labels
	opened func(error)
}

// Refused answers when no room could be asked.
func (m *create) Refused(err error) {
	m.opened(protocol.Errorf(protocol.CodeUnavailable, "room is not available: %v", err))
}
