package measure

import (
	"math/rand/v2"
	"testing"
)

// dumbSeen is the obvious twin of seen: it remembers everything.
type dumbSeen struct {
	got   map[uint32]bool
	tops  map[uint32]uint32
	start uint32
}

func (d *dumbSeen) add(n, sender uint32) Verdict {
	if d.got[n] {
		return Repeated
	}
	d.got[n] = true
	if n < d.start {
		return InOrder
	}
	if top, ok := d.tops[sender]; ok && top > n {
		return Reordered
	}
	d.tops[sender] = n
	return InOrder
}

func (d *dumbSeen) count(lo, hi uint32) int {
	n := 0
	for g := range d.got {
		if g >= lo && g < hi {
			n++
		}
	}
	return n
}

func TestSeenAgreesWithItsDumbTwin(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 9))
		start := r.Uint32N(20)
		dumb := &dumbSeen{got: map[uint32]bool{}, tops: map[uint32]uint32{}, start: start}
		var s seen
		s.startAt(start)
		senders := 1 + r.Uint32N(5)
		lossy := r.Float64() < 0.5
		var late []uint32
		deliver := func(n uint32) {
			sender := n * 7 % senders
			if got, want := s.add(n, sender), dumb.add(n, sender); got != want {
				t.Fatalf("seed %d: add(%d, %d) = %d, want %d", seed, n, sender, got, want)
			}
		}
		for n := start - min(start, r.Uint32N(4)); n < 300; n++ {
			switch p := r.Float64(); {
			case lossy && p < 0.05:
				continue
			case p < 0.15:
				late = append(late, n)
			case p < 0.20:
				deliver(n)
				deliver(n)
			default:
				deliver(n)
			}
			if len(late) > 0 && r.Float64() < 0.3 {
				i := r.IntN(len(late))
				deliver(late[i])
				late = append(late[:i], late[i+1:]...)
			}
			if r.Float64() < 0.02 {
				deliver(r.Uint32N(n + 1))
			}
		}
		for range 20 {
			lo := r.Uint32N(320)
			hi := lo + r.Uint32N(320)
			if got, want := s.count(lo, hi), dumb.count(lo, hi); got != want {
				t.Fatalf("seed %d: count(%d, %d) = %d, want %d", seed, lo, hi, got, want)
			}
		}
	}
}

func TestSeenForgetsHolesThatWereFilled(t *testing.T) {
	var s seen
	for _, n := range []uint32{0, 1, 4, 3, 2, 5} {
		s.add(n, 1)
	}
	if s.gaps != nil || s.head != (span{0, 6}) {
		t.Fatalf("after the hole was filled: head %v, gaps %v; want one run and no memory", s.head, s.gaps)
	}
}

func TestSeenInOrderAllocatesNothing(t *testing.T) {
	var s seen
	var n uint32
	if got := testing.AllocsPerRun(1000, func() { s.add(n, n%7); n++ }); got != 0 {
		t.Fatalf("an arrival in order allocates %v times, want 0", got)
	}
}
