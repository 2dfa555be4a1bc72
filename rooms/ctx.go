package rooms

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Ctx is what a behaviour knows of its room. It is valid only inside the call
// it was given to, on that goroutine; to act later use After and its like, or Async.
type Ctx struct{ st *state }

// ID returns the room's name within its kind.
func (c *Ctx) ID() string { return c.st.id }

// Kind returns the name of the room's kind.
func (c *Ctx) Kind() string { return c.st.kind.name }

// Epoch is the room's fencing token in a cluster, and of a room that is Kept; 0 for
// others on a server alone. Whoever owns the room after another has a higher one. A game that writes to a store of its own
// should have that store refuse what comes with a lower one than it has seen. It
// can rise while the room goes on, when this node regains a room it was not sure of.
func (c *Ctx) Epoch() uint64 { return c.st.epoch }

// Now returns the time of the message being handled. A behaviour takes the time
// from here, so that a test can drive it.
func (c *Ctx) Now() time.Time { return c.st.now }

// Rand returns the room's random source: seeded once per room, from the test's
// seed when a test drives the room.
func (c *Ctx) Rand() *rand.Rand { return c.st.rand }

// Log returns the room's logger.
func (c *Ctx) Log() *slog.Logger { return c.st.log }

// Count returns the number of members.
func (c *Ctx) Count() int { return len(c.st.members) }

// Members returns the members, in no particular order. The slice is the room's:
// do not change it, and copy it to keep it beyond the call.
func (c *Ctx) Members() []*Member { return c.st.members }

// Member returns the member of a session.
func (c *Ctx) Member(session uint64) (m *Member, ok bool) {
	m, ok = c.st.seats[session]
	return m, ok
}

// Labels returns what the directory shows of the room. Do not change them; use
// SetLabel.
func (c *Ctx) Labels() Labels { return c.st.labels }

// SetLabel changes one label of the room; "" removes it. Whoever lists rooms or
// looks for a match sees it within 50 ms.
func (c *Ctx) SetLabel(key, value string) {
	if c.st.labels[key] == value {
		return
	}
	labels := maps.Clone(c.st.labels)
	if labels == nil {
		labels = make(Labels)
	}
	labels[key] = value
	if value == "" {
		delete(labels, key)
	}
	c.st.labels, c.st.changed = labels, true
}

// A SendOption changes how one push is sent.
type SendOption struct {
	except *Member
	where  func(*Member) bool
	latest uint64
}

// Except leaves m out of a broadcast.
func Except(m *Member) SendOption { return SendOption{except: m} }

// Where limits a broadcast to the members that f says yes to, by their attributes,
// say. F is called at once.
func Where(f func(m *Member) bool) SendOption { return SendOption{where: f} }

// Latest marks a push as replaceable: to a member that is slow, only the newest
// push with this key of those still waiting is sent, the older are counted as
// replaced. Key 0 means not replaceable.
func Latest(key uint64) SendOption { return SendOption{latest: key} }

// Broadcast pushes v to all members, in order with everything else the room
// sends them. V is written once, at the call; a v that cannot be written is
// logged and counted, and nobody gets it.
func (c *Ctx) Broadcast(route string, v any, opts ...SendOption) {
	o := merge(opts)
	f, ok := c.st.frame(route, v, o.latest)
	if !ok {
		return
	}
	switch {
	case o.where != nil:
		c.st.out.multicast(c.st.those(func(m *Member) bool { return m != o.except && o.where(m) }), f)
	case c.st.joining == nil || c.st.joining == o.except:
		c.st.out.broadcast(f, 1, o.except)
	case o.except == nil:
		c.st.out.broadcast(f, 1, c.st.joining)
	default:
		c.st.out.multicast(c.st.those(func(m *Member) bool { return m != o.except }), f)
	}
}

// BroadcastBatch pushes each of vs to all members, in order, in as few frames as
// fit: thousands of messages cost few more writes than one. It must not be called
// from OnJoin.
func (c *Ctx) BroadcastBatch(route string, vs []any) {
	c.st.batch(route, vs, func(f protocol.Frame, messages int) { c.st.out.broadcast(f, messages, nil) })
}

// Pending returns how many pushes to all members, and how many bytes of them, are
// still being delivered: what a room that is pushed to faster than its members can
// be written to should look at before it takes more.
func (c *Ctx) Pending() (pushes, bytes int) { return c.st.out.pending() }

// Multicast pushes v to the members listed; those that have left are skipped.
// The slice is not kept.
func (c *Ctx) Multicast(ms []*Member, route string, v any, opts ...SendOption) {
	if f, ok := c.st.frame(route, v, merge(opts).latest); ok {
		c.st.out.multicast(ms, f)
	}
}

// Send pushes v to one member. While OnJoin runs, the one who joins can be sent
// to as well: it arrives before the answer.
func (c *Ctx) Send(m *Member, route string, v any, opts ...SendOption) {
	if m.index < 0 && m != c.st.joining {
		return
	}
	if f, ok := c.st.frame(route, v, merge(opts).latest); ok {
		c.st.out.send(m, f)
	}
}

// SetMerge changes how what this room broadcasts is gathered into messages, from
// the next broadcast on.
func (c *Ctx) SetMerge(m Merge) { c.st.out.setMerge(m) }

// Remove ends m's membership; OnLeave is called with ReasonKicked, and the
// session lives on.
func (c *Ctx) Remove(m *Member) { c.st.remove(m, protocol.ReasonKicked) }

// Close closes the room once the call has returned: OnClose, then the members are
// told why, see Closed, and leave. Their sessions live on. A later join to the
// same id makes a new room.
func (c *Ctx) Close(why protocol.Reason) { c.st.closeWith(why, "") }

// CloseWith is Close with a text of the game's own for the players.
func (c *Ctx) CloseWith(why protocol.Reason, text string) { c.st.closeWith(why, text) }

// Async runs work on a goroutine of its own, for what may block (a database, an
// HTTP call), and then, as a message of the room, calls then with its result.
// The context ends with the room. If the room has closed by then, the result is
// dropped. A panic of work arrives as its error.
func Async[T any](c *Ctx, work func(ctx context.Context) (T, error), then func(c *Ctx, v T, err error)) {
	c.st.async(func(ctx context.Context) func(*Ctx) {
		v, err := guard(ctx, work)
		return func(c *Ctx) { then(c, v, err) }
	})
}

func merge(opts []SendOption) (o SendOption) {
	for _, opt := range opts {
		if opt.except != nil {
			o.except = opt.except
		}
		if opt.where != nil {
			o.where = opt.where
		}
		if opt.latest != 0 {
			o.latest = opt.latest
		}
	}
	return o
}
