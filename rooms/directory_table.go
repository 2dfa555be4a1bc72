package rooms

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Labels say what sort of room a room is (map=desert, mode=ranked), for the
// directory and for matchmaking. Whoever is given Labels does not change them.
type Labels map[string]string

// has says whether l has all of want.
func (l Labels) has(want Labels) bool {
	for k, v := range want {
		if have, ok := l[k]; !ok || have != v {
			return false
		}
	}
	return true
}

// Info is what the directory knows of one room: a snapshot, at most reportEvery
// behind the room.
type Info struct {
	Key     Key
	Members int
	Seats   int // 0: without limit
	Labels  Labels
}

// report is what a room tells the directory of itself.
type report struct {
	Info    Info
	Run     string // which activation of the key speaks
	Matched int    // joins sent by the directory that the room has handled since its last report
	Ended   bool

	node string // that the room runs on, "" for this one
}

// promiseTime is how long a seat is kept for a join that was told to go there.
const promiseTime = 10 * time.Second

// table is the directory as a value: which rooms there are, and which of their
// seats are promised to joins that are under way.
type table struct {
	name  func() string // of the rooms that it makes
	rooms map[Key]*entry
	open  map[string]map[Key]*entry // by kind: those with free seats
	swept time.Time
	born  uint64 // counts rooms, to tell the older
}

type entry struct {
	info     Info
	run      string // "" while no room has spoken for the key
	node     string
	heard    time.Time
	promises []time.Time
	born     uint64
}

func newTable(name func() string) *table {
	return &table{name: name, rooms: make(map[Key]*entry), open: make(map[string]map[Key]*entry)}
}

// report takes in what a room says. A word of an earlier activation, which may
// come after the first of its successor, is not about the room that is there.
func (t *table) report(now time.Time, r *report) {
	e := t.rooms[r.Info.Key]
	switch {
	case r.Ended && e != nil && e.run == r.Run:
		t.remove(r.Info.Key)
		return
	case r.Ended:
		return
	case e == nil:
		e = t.add(r.Info)
	}
	e.info, e.run, e.node, e.heard = r.Info, r.Run, r.node, now
	e.promises = e.promises[min(r.Matched, len(e.promises)):]
	t.sort(e)
}

func (t *table) add(i Info) *entry {
	t.born++
	e := &entry{info: i, born: t.born}
	t.rooms[i.Key] = e
	return e
}

// list returns the rooms of a kind that have these labels, the oldest first.
func (t *table) list(kind string, labels Labels) []Info {
	var found []*entry
	for key, e := range t.rooms {
		if key.Kind == kind && e.info.Labels.has(labels) && e.run != "" {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(a.born, b.born) })
	infos := make([]Info, len(found))
	for i, e := range found {
		infos[i] = e.info
	}
	return infos
}

// find returns what is known of one room, nil when no room has that key.
func (t *table) find(key Key) *Info {
	e := t.rooms[key]
	if e == nil || e.run == "" {
		return nil
	}
	info := e.info
	return &info
}

// match promises a seat: in the fullest room of the kind that has these labels
// and a free one, the older of two; else in a new room, which will have them.
// Only rooms with free seats are looked at, and filling the fullest first keeps
// those few.
func (t *table) match(now time.Time, kind string, seats int, labels Labels) Key {
	t.sweep(now)
	var best *entry
	for _, e := range t.open[kind] {
		if e.info.Labels.has(labels) && (best == nil || e.before(best)) {
			best = e
		}
	}
	if best == nil {
		best = t.add(Info{Key: Key{kind, t.name()}, Seats: seats, Labels: maps.Clone(labels)})
	}
	best.promises = append(best.promises, now.Add(promiseTime))
	t.sort(best)
	return best.info.Key
}

// before says whether e is to be filled before o.
func (e *entry) before(o *entry) bool {
	if e.taken() != o.taken() {
		return e.taken() > o.taken()
	}
	return e.born < o.born
}

func (e *entry) taken() int { return e.info.Members + len(e.promises) }

// sort puts e among the rooms with free seats, or takes it out.
func (t *table) sort(e *entry) {
	key := e.info.Key
	if e.info.Seats > 0 && e.taken() >= e.info.Seats {
		delete(t.open[key.Kind], key)
		return
	}
	if t.open[key.Kind] == nil {
		t.open[key.Kind] = make(map[Key]*entry)
	}
	t.open[key.Kind][key] = e
}

func (t *table) remove(key Key) {
	delete(t.rooms, key)
	delete(t.open[key.Kind], key)
}

// sweep drops, now and then, the promises that have run out because their joins
// never arrived, and the rooms that were promised but never made.
func (t *table) sweep(now time.Time) {
	if now.Before(t.swept.Add(promiseTime)) {
		return
	}
	t.swept = now
	for key, e := range t.rooms {
		if len(e.promises) == 0 {
			continue
		}
		e.promises = slices.DeleteFunc(e.promises, func(until time.Time) bool { return until.Before(now) })
		if e.run == "" && len(e.promises) == 0 {
			t.remove(key)
			continue
		}
		t.sort(e)
	}
}

// retain drops the rooms that keep does not want.
func (t *table) retain(keep func(*entry) bool) {
	for key, e := range t.rooms {
		if !keep(e) {
			t.remove(key)
		}
	}
}
