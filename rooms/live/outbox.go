package live

import (
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/rooms"
)

// outbox is what a room has taken and not said yet. A burst, ten thousand posted
// items, would fill every member's connection at once, and those of good readers
// would be closed as slow; so a room says no more than its pace allows, and the rest
// waits here, once for all members, within the room's budget.
//
// It belongs to one room.
type outbox struct {
	rate, burst float64       // bytes a second, and at once; rate 0: no pace
	budget      int           // bytes that may wait here and in the transport together
	stats       *atomic.Int64 // messages that wait, over all rooms
	history     *history      // of what was said; nil: none is kept

	left  float64 // bytes that may be said now
	at    time.Time
	queue []words
	bytes int // in queue
	timer *rooms.Timer
}

// words are messages of one route that were taken together.
type words struct {
	route  string
	items  [][]byte
	latest uint64
}

func newOutbox(cfg *Config, stats *atomic.Int64) outbox {
	return outbox{rate: float64(cfg.Pace), burst: float64(cfg.Burst), left: float64(cfg.Burst), budget: cfg.Budget, stats: stats}
}

// packageRoom is about what a package adds to its item.
const packageRoom = 32

func (w *words) size() (n int) {
	for _, item := range w.items {
		n += w.sizeOf(item)
	}
	return n
}

func (w *words) sizeOf(item []byte) int { return len(item) + len(w.route) + packageRoom }

// push says w, in order with all before, or refuses it when too much is on its way
// already. A room with nothing on its way takes anything, so that nothing is refused
// for ever.
func (o *outbox) push(c *rooms.Ctx, w words) error {
	_, pending := c.Pending()
	size := w.size()
	if waits := pending + o.bytes; o.budget > 0 && waits > 0 && waits+size > o.budget {
		return errOverload
	}
	o.queue = append(o.queue, w)
	o.bytes += size
	o.stats.Add(int64(len(w.items)))
	o.flush(c)
	return nil
}

// flush says what the pace allows and comes back for the rest.
func (o *outbox) flush(c *rooms.Ctx) {
	o.left = min(o.left+o.rate*c.Now().Sub(o.at).Seconds(), o.burst)
	o.at = c.Now()
	for len(o.queue) > 0 && (o.left > 0 || o.rate <= 0) {
		o.left -= float64(o.say(c))
	}
	if len(o.queue) == 0 {
		o.queue = nil
		return
	}
	if o.timer == nil {
		wait := time.Duration((atOnce - o.left) / o.rate * float64(time.Second))
		o.timer = c.After(wait, func(c *rooms.Ctx) {
			o.timer = nil
			o.flush(c)
		})
	}
}

// atOnce is about how many bytes of one batch are said together: what fits into a
// message.
const atOnce = maxMerge

// say broadcasts the next messages and returns their size.
func (o *outbox) say(c *rooms.Ctx) (size int) {
	w := &o.queue[0]
	n := 0
	for n < len(w.items) && (n == 0 || size+w.sizeOf(w.items[n]) <= atOnce) {
		size += w.sizeOf(w.items[n])
		n++
	}
	if n == 1 {
		c.Broadcast(w.route, w.items[0], rooms.Latest(w.latest))
	} else {
		vs := make([]any, n)
		for i, item := range w.items[:n] {
			vs[i] = item
		}
		c.BroadcastBatch(w.route, vs)
	}
	if o.history != nil && w.route == OnMessage && w.latest == 0 {
		for _, item := range w.items[:n] {
			o.history.add(item)
		}
	}
	o.stats.Add(-int64(n))
	o.bytes -= size
	if w.items = w.items[n:]; len(w.items) == 0 {
		o.queue[0] = words{}
		o.queue = o.queue[1:]
	}
	return size
}

// drain says all the rest: the room closes.
func (o *outbox) drain(c *rooms.Ctx) {
	for len(o.queue) > 0 {
		o.say(c)
	}
}
