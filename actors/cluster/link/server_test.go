package link

import (
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// A peer's calls are remembered while they may be repeated, and not for ever.
func TestHistory(t *testing.T) {
	h := &history{calls: make(map[uint64]*Call)}
	start := time.Unix(0, 0)
	for i := range uint64(3) {
		h.add(start.Add(time.Duration(i)*time.Second), &Call{Envelope: &wire.Envelope{Call: i}})
	}
	h.expire(start.Add(keepAnswers))
	if len(h.calls) != 3 || len(h.order) != 3 {
		t.Fatalf("forgot what a caller may still repeat: %d calls", len(h.calls))
	}
	h.expire(start.Add(keepAnswers + time.Second + 1))
	if _, ok := h.calls[2]; len(h.calls) != 1 || len(h.order) != 1 || !ok {
		t.Fatalf("keeps %v", h.calls)
	}
	for i := range uint64(2 * keepCalls) {
		h.expire(start)
		h.add(start, &Call{Envelope: &wire.Envelope{Call: 100 + i}})
	}
	if len(h.calls) > keepCalls || len(h.order) > keepCalls {
		t.Fatalf("%d calls of one peer kept", len(h.calls))
	}
}
