package transport

import (
	"fmt"
	"testing"
)

// sink is a socket that takes everything, so that what is measured is the way
// there.
type sink struct{ memory }

func (*sink) write(b []byte) (int, error) { return len(b), nil }

// BenchmarkBroadcast is one broadcast to all members of a loop, all but the
// system call.
func BenchmarkBroadcast(b *testing.B) {
	for _, members := range []int{100, 1000, 5000, 100_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			h := sinks(b, members)
			f := saying("a message of a usual length, as they are said in rooms")
			b.ReportAllocs()
			for b.Loop() {
				h.audience.Broadcast(f, nil, nil)
				for h.turn(turnWrites) > 0 {
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/delivery")
		})
	}
}

// sinks is a loop by hand whose audience has that many members who take everything.
func sinks(t testing.TB, members int) *hand {
	h := newHand(t, settings{})
	for range members {
		c, _ := h.open(kindSocket)
		c.sock = &sink{}
		h.audience.Join(c)
	}
	for h.runOps() > 0 {
	}
	return h
}

// "no per-member allocation"
func TestDeliveriesDoNotAllocate(t *testing.T) {
	perBroadcast := func(members int) float64 {
		h := sinks(t, members)
		f := saying("x")
		return testing.AllocsPerRun(100, func() {
			h.audience.Broadcast(f, nil, nil)
			for h.turn(turnWrites) > 0 {
			}
		})
	}
	if few, many := perBroadcast(10), perBroadcast(1000); many > few || few > 2 {
		t.Errorf("%v allocations for a broadcast to 10, %v to 1,000: want 2 at most, and no more for more members", few, many)
	}
	// Merged and with an exception it is the same.
	merged := func(members int) float64 {
		h := sinks(t, members)
		f, one := saying("x"), saying("y")
		return testing.AllocsPerRun(100, func() {
			for range 10 {
				h.audience.Broadcast(f, nil, nil)
			}
			h.audience.Broadcast(one, h.audience.shards[0].members[0].conn, nil)
			for h.turn(turnWrites) > 0 {
			}
		})
	}
	if few, many := merged(10), merged(1000); many > few {
		t.Errorf("%v allocations for a flush to 10, %v to 1,000", few, many)
	}
}
