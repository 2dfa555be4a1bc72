package transport

import (
	"sync/atomic"

	"github.com/shaddock-game/shaddock/protocol"
)

// tally is what a loop counts while it works, without atomics; counters is where
// it adds them at the end of each turn.
type tally struct {
	packetsIn, bytesIn, reads                uint64
	messagesOut, bytesOut, writes            uint64
	walks, skipped, paused                   uint64
	droppedClosed, droppedSlow, droppedStale uint64
}

// counters are one loop's share of Stats.
type counters struct {
	open                                     atomic.Int64
	packetsIn, bytesIn, reads                atomic.Uint64
	messagesOut, bytesOut, writes            atomic.Uint64
	broadcasts, walks, skipped, paused       atomic.Uint64
	droppedClosed, droppedSlow, droppedStale atomic.Uint64
	droppedFull                              atomic.Uint64
	upgraded, handedOff                      atomic.Uint64
	closed                                   [protocol.NumReasons]atomic.Uint64
}

func (s *counters) add(t *tally) {
	if *t == (tally{}) {
		return
	}
	s.packetsIn.Add(t.packetsIn)
	s.bytesIn.Add(t.bytesIn)
	s.reads.Add(t.reads)
	s.messagesOut.Add(t.messagesOut)
	s.bytesOut.Add(t.bytesOut)
	s.writes.Add(t.writes)
	s.walks.Add(t.walks)
	s.skipped.Add(t.skipped)
	s.paused.Add(t.paused)
	s.droppedClosed.Add(t.droppedClosed)
	s.droppedSlow.Add(t.droppedSlow)
	s.droppedStale.Add(t.droppedStale)
}

// lost counts messages that an audience could not even post.
func (s *counters) lost(n int) { s.droppedFull.Add(uint64(n)) }

func (s *counters) addTo(sum *Stats) {
	sum.Open += s.open.Load()
	sum.PacketsIn += s.packetsIn.Load()
	sum.BytesIn += s.bytesIn.Load()
	sum.Reads += s.reads.Load()
	sum.MessagesOut += s.messagesOut.Load()
	sum.BytesOut += s.bytesOut.Load()
	sum.Writes += s.writes.Load()
	sum.Broadcasts += s.broadcasts.Load()
	sum.Walks += s.walks.Load()
	sum.Skipped += s.skipped.Load()
	sum.Paused += s.paused.Load()
	sum.DroppedClosed += s.droppedClosed.Load()
	sum.DroppedSlow += s.droppedSlow.Load()
	sum.DroppedReplaced += s.droppedStale.Load()
	sum.DroppedFull += s.droppedFull.Load()
	sum.Upgraded += s.upgraded.Load()
	sum.HandedOff += s.handedOff.Load()
	for r := range protocol.Reasons() {
		if n := s.closed[r].Load(); n > 0 {
			sum.Closed[r.Name()] += n
		}
	}
}
