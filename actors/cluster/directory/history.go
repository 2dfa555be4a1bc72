package directory

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// Move is one change of the place where a room runs, for people: nothing is decided
// by it. Nodes that have seen the same move tell it alike but for At and Took.
type Move struct {
	Room  string        `json:"room"`
	From  string        `json:"from"`         // name of a node
	To    string        `json:"to,omitempty"` // empty: it runs nowhere now
	Why   string        `json:"why"`          // one of the words below
	Epoch uint64        `json:"epoch"`        // from now on; the last one when it runs nowhere
	At    time.Time     `json:"at"`           // when it was over
	Took  time.Duration `json:"took_ns"`      // from when it was not to be reached; of one that ends: from the order to stop
}

// Why a room moved, or ended.
const (
	MoveDrain      = "drain"      // its node takes its leave
	MoveLost       = "node lost"  // its node was killed, or has vanished
	MoveEnded      = "ended"      // it ended there, and was called again
	MovePassivated = "passivated" // nobody was in it
	MoveFenced     = "fenced"     // it runs elsewhere, found out by who thought to have it
	MoveReclaimed  = "reclaimed"  // the same room under another lease
)

var moveWhys = []string{MoveDrain, MoveLost, MoveEnded, MovePassivated, MoveFenced, MoveReclaimed}

const (
	historySize   = 256              // moves that a node remembers
	departedMost  = 4096             // rooms that are looked for, of which the past is known
	departedAfter = 30 * time.Second // such a search is none for what had been there
	brokenFor     = 5 * time.Second  // that calls in vain belong together
	noteAge       = 10 * time.Minute // that a node is remembered which has left
)

// history is what this node has seen of moves, in a ring. Any goroutine uses it.
type history struct {
	moves  chan []Move              // holds the ring, the latest last; whoever takes it puts it back
	counts map[string]*atomic.Int64 // by why; the map is read-only

	departed sync.Map // Key → departure: rooms that are not where they were
	departs  atomic.Int64
	broken   sync.Map // address → time.Time of the connection's end
	notes    atomic.Pointer[map[string]note]

	// Owned by the directory's loop.
	endings map[Key]ending // rooms that run here
}

// departure is a room that was not where it had been seen.
type departure struct {
	from Place
	at   time.Time
	why  string
}

// note is what is remembered of a node, also after it has left.
type note struct {
	name     string
	draining bool
	gone     time.Time // zero while it is a member
}

// ending is how and since when a room of this node ends.
type ending struct {
	why string
	at  time.Time
}

func newHistory() *history {
	h := &history{moves: make(chan []Move, 1), counts: make(map[string]*atomic.Int64), endings: make(map[Key]ending)}
	for _, why := range moveWhys {
		h.counts[why] = new(atomic.Int64)
	}
	h.moves <- nil
	h.notes.Store(&map[string]note{})
	return h
}

func (h *history) add(m Move) {
	h.counts[m.Why].Add(1)
	all := <-h.moves
	if len(all) >= historySize {
		all = slices.Delete(all, 0, 1)
	}
	h.moves <- append(all, m)
}

func (h *history) list() []Move {
	all := <-h.moves
	got := slices.Clone(all)
	h.moves <- all
	return got
}

// name is the operator's for a node, or else its id.
func (h *history) name(id string) string { return cmp.Or((*h.notes.Load())[id].name, id) }

// members takes in who is there, from one goroutine.
func (h *history) members(now time.Time, view *roster.View) {
	notes := maps.Clone(*h.notes.Load())
	for id, n := range notes {
		if n.gone.IsZero() {
			n.gone = now
			notes[id] = n
		} else if now.Sub(n.gone) > noteAge {
			delete(notes, id)
		}
	}
	for _, m := range view.Members() {
		notes[m.ID] = note{name: m.Name, draining: m.State == roster.Draining}
	}
	h.notes.Store(&notes)
	for addr, at := range h.broken.Range {
		if now.Sub(at.(time.Time)) > departedAfter {
			h.broken.Delete(addr)
		}
	}
	for key, d := range h.departed.Range {
		if now.Sub(d.(departure).at) > departedAfter {
			h.forget(key.(Key))
		}
	}
}

func (h *history) forget(key Key) (departure, bool) {
	v, ok := h.departed.LoadAndDelete(key)
	if !ok {
		return departure{}, false
	}
	h.departs.Add(-1)
	return v.(departure), true
}

// left takes in that a room is not where it was seen. That is noticed at the latest
// when its node is given up, but a connection that broke tells since when.
func (h *history) left(now time.Time, key Key, from Place) {
	d := departure{from: from, at: now, why: MoveEnded}
	switch n, known := (*h.notes.Load())[from.Node]; {
	case n.draining:
		d.why = MoveDrain
	case !known || !n.gone.IsZero():
		d.why = MoveLost
		if at, ok := h.broken.Load(from.Addr); ok {
			d.at = at.(time.Time)
		}
	}
	if h.departs.Load() >= departedMost {
		return
	}
	if _, twice := h.departed.LoadOrStore(key, d); !twice {
		h.departs.Add(1)
	}
}

// arrived takes in where a room was found.
func (h *history) arrived(now time.Time, key Key, at Place) {
	d, ok := h.forget(key)
	if !ok || d.from.Epoch >= at.Epoch || now.Sub(d.at) > departedAfter {
		return
	}
	h.add(Move{
		Room: key.String(), From: h.name(d.from.Node), To: h.name(at.Node), Why: d.why,
		Epoch: at.Epoch, At: now, Took: now.Sub(d.at),
	})
}

// done takes in what has been done about a room of this node, on the directory's
// loop.
func (h *history) done(now time.Time, self string, e effect) {
	switch e.do {
	case start:
		h.endings[e.key] = ending{why: MoveEnded, at: now}
	case stop:
		if _, runs := h.endings[e.key]; runs {
			h.endings[e.key] = ending{[...]string{"", MovePassivated, MoveDrain, MoveFenced}[e.why], now}
		}
	case resume:
		if e.next != e.epoch {
			h.add(Move{Room: e.key.String(), From: self, To: self, Why: MoveReclaimed, Epoch: e.next, At: now})
		}
	}
}

// released takes in the end of a room of this node, on the directory's loop.
func (h *history) released(now time.Time, self string, key Key, epoch uint64) {
	e, ok := h.endings[key]
	if !ok {
		return // it never ran
	}
	delete(h.endings, key)
	m := Move{Room: key.String(), From: self, Why: e.why, Epoch: epoch, At: now}
	if e.why != MoveEnded { // else at is its beginning
		m.Took = now.Sub(e.at)
	}
	h.add(m)
}

// Broke tells that the connection to an address broke, for the history.
// The first time of several counts: a host that is gone is called in vain for a while.
func (d *Directory) Broke(addr string) {
	now := time.Now()
	if at, ok := d.history.broken.Load(addr); !ok || now.Sub(at.(time.Time)) > brokenFor {
		d.history.broken.Store(addr, now)
	}
}

// Seen tells where a room was met that was not looked for: it may have moved there.
func (d *Directory) Seen(key Key, p Place) {
	d.places.later(key, p)
	d.history.arrived(time.Now(), key, p)
}

// Moves returns what this node has seen of moves, the latest last.
func (d *Directory) Moves() []Move { return d.history.list() }

func (d *Directory) serveMoves(c *link.Call) {
	body, err := json.Marshal(d.Moves())
	if err != nil {
		panic(err) // strings, numbers and times of this century
	}
	c.Answer(&wire.Envelope{Body: body})
}

// MergeMoves puts together what several nodes have seen: each move once, with the
// longest time that any of them had to wait, the latest first.
func MergeMoves(seen ...[]Move) []Move {
	type what struct {
		room, to string
		epoch    uint64
	}
	byWhat := make(map[what]Move)
	for _, m := range slices.Concat(seen...) {
		w := what{m.Room, m.To, m.Epoch}
		if was, ok := byWhat[w]; !ok || m.Took > was.Took {
			byWhat[w] = m
		}
	}
	return slices.SortedFunc(maps.Values(byWhat), func(a, b Move) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Epoch, a.Epoch), cmp.Compare(a.Room, b.Room))
	})
}
