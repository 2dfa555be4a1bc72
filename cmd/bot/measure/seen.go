package measure

import "slices"

// Verdict says what one delivery was.
type Verdict uint8

// A delivery is exactly one of these.
const (
	InOrder   Verdict = iota // nothing later of this sender had come before
	Reordered                // something later of this sender had come before
	Repeated                 // it had come before
)

// span is the half-open range [lo, hi) of stream positions.
type span struct{ lo, hi uint32 }

// seen is the set of positions of one stream that one session has received,
// exact for any loss, duplication and reordering. What arrives in order costs
// one comparison and one increment; a session that never missed anything needs
// no memory beyond the value itself. Holes cost eight bytes each.
//
// The zero value expects the stream from position 0; startAt moves that. It has
// one owner and no locks.
type seen struct {
	head span   // the highest run of received positions
	gaps *holes // nil until something was skipped
}

// holes is what a seen needs while positions below its head are missing.
type holes struct {
	// runs are the received runs below head, ascending, never touching.
	runs []span
	// tops holds the highest position received from each sender since the first
	// open hole: only such a message can make a later arrival a late one.
	tops map[uint32]uint32
	// early holds what arrived from before the start: published while the join
	// response was under way.
	early []uint32
	start uint32
}

// startAt says that nothing below position n is owed, before the first add.
func (s *seen) startAt(n uint32) {
	s.head = span{n, n}
}

// add records the arrival of position n, published by sender.
func (s *seen) add(n, sender uint32) Verdict {
	if n == s.head.hi && s.gaps == nil {
		s.head.hi++
		return InOrder
	}
	return s.addSlow(n, sender)
}

func (s *seen) addSlow(n, sender uint32) Verdict {
	if s.gaps == nil {
		s.gaps = &holes{start: s.head.lo, tops: make(map[uint32]uint32)}
	}
	g := s.gaps
	if n < g.start {
		return g.addEarly(n)
	}
	if !s.insert(n) {
		return Repeated
	}
	verdict := InOrder
	if top, ok := g.tops[sender]; ok && top > n {
		verdict = Reordered
	} else {
		g.tops[sender] = n
	}
	if len(g.runs) == 0 {
		clear(g.tops) // no hole is left: whatever comes next lies above all
		if len(g.early) == 0 {
			s.gaps = nil
		}
	}
	return verdict
}

// addEarly handles positions from before the start. Their order among each
// other cannot be judged: what lay before them was never owed.
func (g *holes) addEarly(n uint32) Verdict {
	if slices.Contains(g.early, n) {
		return Repeated
	}
	g.early = append(g.early, n)
	return InOrder
}

// insert adds n to the runs and reports whether it was new.
func (s *seen) insert(n uint32) bool {
	g := s.gaps
	switch {
	case n == s.head.hi:
		s.head.hi++
		return true
	case n > s.head.hi:
		g.runs = append(g.runs, s.head)
		s.head = span{n, n + 1}
		return true
	case n >= s.head.lo:
		return false
	case n+1 == s.head.lo:
		s.head.lo--
		if last := len(g.runs) - 1; last >= 0 && g.runs[last].hi == s.head.lo {
			s.head.lo = g.runs[last].lo
			g.runs = g.runs[:last]
		}
		return true
	}
	return g.insert(n)
}

// insert adds n, which lies below the head without touching it.
func (g *holes) insert(n uint32) bool {
	// i is the first run that ends at or above n.
	i, _ := slices.BinarySearchFunc(g.runs, n, func(r span, n uint32) int {
		if r.hi < n {
			return -1
		}
		return 1
	})
	if i == len(g.runs) || n+1 < g.runs[i].lo {
		g.runs = slices.Insert(g.runs, i, span{n, n + 1})
		return true
	}
	r := &g.runs[i]
	switch {
	case n+1 == r.lo:
		r.lo--
		return true
	case n < r.hi:
		return false
	}
	r.hi++
	if i+1 < len(g.runs) && g.runs[i+1].lo == r.hi {
		r.hi = g.runs[i+1].hi
		g.runs = slices.Delete(g.runs, i+1, i+2)
	}
	return true
}

// count returns how many positions of [lo, hi) were received.
func (s *seen) count(lo, hi uint32) int {
	n := s.head.overlap(lo, hi)
	if s.gaps == nil {
		return n
	}
	for _, r := range s.gaps.runs {
		n += r.overlap(lo, hi)
	}
	for _, e := range s.gaps.early {
		n += span{e, e + 1}.overlap(lo, hi)
	}
	return n
}

func (r span) overlap(lo, hi uint32) int {
	lo, hi = max(lo, r.lo), min(hi, r.hi)
	if lo >= hi {
		return 0
	}
	return int(hi - lo)
}
