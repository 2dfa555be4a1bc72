package proof

import (
	"fmt"
	"slices"
)

// streams proves, for each caller, that what it heard of the room came once, in the
// room's order and without a gap, or that it was told.
func (r *room) streams() {
	by := make(map[int][]Event)
	most := make(map[string]uint64) // the highest number of each life that anybody heard of
	for _, c := range r.callers {
		by[c.From] = append(by[c.From], c)
		if c.What == Heard || c.What == Got {
			most[c.Life] = max(most[c.Life], c.Seq)
		}
	}
	callers := make([]int, 0, len(by))
	for c := range by {
		callers = append(callers, c)
	}
	slices.Sort(callers)
	for _, c := range callers {
		s := stream{room: r, most: most}
		for _, e := range by[c] {
			s.take(e)
		}
		s.settle(1<<63 - 1)
	}
}

// stream is what one caller has heard, event by event.
type stream struct {
	room *room
	most map[string]uint64

	in      bool   // it is a member
	known   bool   // at is what the caller has
	at      Event  // the last that it has heard, or its join
	told    int64  // when it was last told to resync, 0: never
	pending *Event // heard across a gap that has not been reported yet
	gap     string
}

func (s *stream) take(e Event) {
	s.settle(e.At)
	switch e.What {
	case Joined:
		s.in, s.known, s.at = true, true, e
	case Cut, Went:
		s.in, s.known, s.pending = false, false, nil
	case Resync:
		s.told, s.pending = e.At, nil
	case Heard:
		if s.in {
			s.heard(e)
		}
	case Refused:
		if s.in && e.Note == NotIn {
			s.room.fault(Expelled, "%v", e)
		}
	case Got:
		if s.in && s.known && e.Life == s.at.Life && e.Seq > s.at.Seq && e.Note != Repeated && !s.reported() {
			s.room.fault(Early, "%v, when %v was the last it had heard", e, s.at)
		}
	}
}

func (s *stream) heard(e Event) {
	was := s.at
	if !s.known {
		s.known, s.at = true, e
		return
	}
	switch {
	case e.Life == was.Life && e.Seq <= was.Seq, e.Life != was.Life && e.Epoch < was.Epoch:
		s.room.fault(Order, "%v came after %v", e, was)
		return
	case e.Life == was.Life && e.Seq > was.Seq+1:
		s.missed("something", e)
	case e.Life != was.Life && s.most[was.Life] > was.Seq:
		s.missed("the end of life "+was.Life, e)
	case e.Life != was.Life && e.Seq > s.room.opened[e.Life].Seq+1:
		s.missed("the beginning of life "+e.Life, e)
	}
	s.at = e
}

// reported says whether the caller was told to resync since the last that it heard.
func (s *stream) reported() bool { return s.told != 0 && s.told >= s.at.At }

// missed notes a gap, unless it has been reported.
func (s *stream) missed(what string, e Event) {
	if !s.reported() && s.pending == nil {
		s.pending, s.gap = &e, fmt.Sprintf("%s was missed between %v and %v", what, s.at, e)
	}
}

// settle ends the wait for the report of a gap.
func (s *stream) settle(now int64) {
	if s.pending != nil && now-s.pending.At > int64(grace) {
		s.room.fault(Gap, "%s", s.gap)
		s.pending = nil
	}
}
