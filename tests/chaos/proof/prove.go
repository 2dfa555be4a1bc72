package proof

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Fault is one thing that must never happen.
type Fault struct {
	Rule string
	Room string
	Text string
}

func (f Fault) String() string { return fmt.Sprintf("%s: room %s: %s", f.Rule, f.Room, f.Text) }

// The rules, as they are named in a Fault.
const (
	Double   = "two activations answer at the same time"
	Forged   = "an answer that no room has given"
	Twice    = "a message is carried out twice by one activation"
	Lost     = "an acknowledged message of a kept room is lost"
	Order    = "messages out of order"
	Gap      = "a gap that was not reported"
	Early    = "an answer ahead of what was said before it"
	Expelled = "a member was put out without a word"
	Dropped  = "a connection lost though its gate lived"
)

// grace is how much later than the gap its report may come, to a caller: the two
// take different ways through a gate.
const grace = 2 * time.Second

// Outage is a time in which callers may lose their connections to a gate.
type Outage struct {
	Gate     string
	From, To int64
}

// Prove returns what is wrong with a run. Rooms are the events of all rooms, callers
// those of all callers, each caller's in the order in which it wrote them.
func Prove(rooms, callers []Event, outages []Outage) (faults []Fault) {
	for _, r := range sorted(rooms, callers) {
		r.answers(outages)
		r.streams()
		faults = append(faults, r.faults...)
	}
	return faults
}

// ProveAnswers is Prove for rooms that answer and tell nobody else what they do.
func ProveAnswers(rooms, callers []Event, outages []Outage) (faults []Fault) {
	for _, r := range sorted(rooms, callers) {
		r.answers(outages)
		faults = append(faults, r.faults...)
	}
	return faults
}

func (r *room) answers(outages []Outage) {
	r.index()
	r.activations()
	r.acknowledged()
	r.connections(outages)
}

// sorted gives every room its events.
func sorted(rooms, callers []Event) []*room {
	byRoom := make(map[string]*room)
	get := func(name string) *room {
		if byRoom[name] == nil {
			byRoom[name] = &room{name: name, said: make(map[message]Event), opened: make(map[string]Event)}
		}
		return byRoom[name]
	}
	for _, e := range rooms {
		get(e.Room).events = append(get(e.Room).events, e)
	}
	for _, e := range callers {
		get(e.Room).callers = append(get(e.Room).callers, e)
	}
	return slices.SortedFunc(maps.Values(byRoom), func(a, b *room) int { return cmp.Compare(a.name, b.name) })
}

// message is one of a caller as one life of the room has met it.
type message struct {
	life string
	by   int
	n    uint64
}

func (e Event) message() message { return message{e.Life, e.By, e.N} }

// room is all that is known of one room.
type room struct {
	name    string
	events  []Event
	callers []Event
	said    map[message]Event
	opened  map[string]Event // by life
	faults  []Fault
}

func (r *room) fault(rule, format string, args ...any) {
	r.faults = append(r.faults, Fault{rule, r.name, fmt.Sprintf(format, args...)})
}

// index orders what the room did, and finds what it did twice.
func (r *room) index() {
	slices.SortStableFunc(r.events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	done := make(map[message]bool)
	for _, e := range r.events {
		switch e.What {
		case Opened:
			r.opened[e.Life] = e
		case Again:
			if done[e.message()] {
				r.fault(Twice, "%v", e)
			}
			if _, ok := r.said[e.message()]; !ok {
				r.said[e.message()] = e
			}
		case Done:
			if done[e.message()] {
				r.fault(Twice, "%v", e)
			}
			done[e.message()], r.said[e.message()] = true, e
		}
	}
}

// activations proves that one activation ends before the next begins, by what
// callers have had of each: what a room did and could not tell anybody was nothing.
func (r *room) activations() {
	type span struct {
		first, last Event
	}
	spans := make(map[uint64]*span)
	for _, c := range r.callers {
		if c.What != Got && c.What != Heard {
			continue
		}
		e, ok := r.said[c.message()]
		if !ok {
			r.fault(Forged, "%v", c)
			continue
		}
		s := spans[e.Epoch]
		if s == nil {
			spans[e.Epoch] = &span{e, e}
			continue
		}
		if e.At < s.first.At {
			s.first = e
		}
		if e.At > s.last.At {
			s.last = e
		}
		if e.Life != s.first.Life {
			r.fault(Double, "lives %s and %s have one epoch, %d", e.Life, s.first.Life, e.Epoch)
			return
		}
	}
	epochs := make([]uint64, 0, len(spans))
	for e := range spans {
		epochs = append(epochs, e)
	}
	slices.Sort(epochs)
	for i := 1; i < len(epochs); i++ {
		a, b := spans[epochs[i-1]], spans[epochs[i]]
		if a.last.At > b.first.At {
			r.fault(Double, "epoch %d (%s) answered %v after epoch %d (%s) had begun to", epochs[i-1], a.last.Life,
				time.Duration(a.last.At-b.first.At), epochs[i], b.first.Life)
		}
	}
}

// acknowledged proves that whatever a caller was told of a kept room is in all that
// the room was later.
func (r *room) acknowledged() {
	type known struct {
		epoch uint64
		by    int
		n     uint64
		seq   uint64
	}
	var told []known
	var later []Event // the room as it began anew, and as it was in the end
	for _, c := range r.callers {
		e := r.said[c.message()]
		switch {
		case c.What == Final && c.Kept:
			c.Epoch = 1<<64 - 1
			later = append(later, c)
		case e.Kept && (c.What == Got || c.What == Heard):
			told = append(told, known{e.Epoch, e.By, e.N, e.Seq})
		}
	}
	for _, o := range r.opened {
		if o.Kept {
			later = append(later, o)
		}
	}
	slices.SortFunc(later, func(a, b Event) int { return cmp.Compare(a.Epoch, b.Epoch) })
	for _, l := range later {
		for _, k := range told {
			if k.epoch < l.Epoch && (l.Last[k.by] < k.n || l.Seq < k.seq) {
				r.fault(Lost, "message %d of caller %d, number %d of epoch %d, is not in %v", k.n, k.by, k.seq, k.epoch, l)
				return // those behind it are lost with it
			}
		}
	}
}

// connections proves that no caller lost its connection to a gate that lived.
func (r *room) connections(outages []Outage) {
	for _, c := range r.callers {
		if c.What == Cut && !slices.ContainsFunc(outages, func(o Outage) bool {
			return o.Gate == c.Gate && o.From <= c.At && c.At <= o.To+int64(grace)
		}) {
			r.fault(Dropped, "%v", c)
		}
	}
}
