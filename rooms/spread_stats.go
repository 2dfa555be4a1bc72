package rooms

import (
	"sync"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// farStats is what rooms and annexes of a cluster count.
type farStats struct {
	talks, returns, pauses atomic.Int64
	refused, fanouts       atomic.Int64
	lostUp, lostDown       atomic.Int64
	resyncs, lateGates     atomic.Int64
	unwritable, unreadable atomic.Int64

	keptBytes, forgottenDown atomic.Int64
	repairs                  talk.Tally
	toGates                  sync.Map // id of a gate → *atomic.Int64: bytes
}

// SpreadStats is a snapshot of what the conversations between gates and rooms
// count, over all of this node.
type SpreadStats struct {
	Talks     int64 // conversations that a gate began
	Returns   int64 // members that a gate brought to a room that did not know them
	Pauses    int64 // times that a room could not answer for want of a sure lease
	Refused   int64 // calls answered 503 here, because the room was paused or too far behind
	Fanouts   int64 // broadcasts that arrived for the sessions of this gate
	LostUp    int64 // batches for rooms of this node that nobody could send again
	LostDown  int64 // batches for this gate that nobody could send again; its sessions were told to resync
	Resyncs   int64 // times that the sessions of this gate in one room were told so
	LateGates int64 // gates that a room of this node did not wait for any longer
	KeptBytes int64 // that rooms of this node keep for gates that have not acknowledged them
	// ForgottenDown is how many batches rooms of this node had to let go before their
	// gates acknowledged them. LostDown of the gates says which were missed.
	ForgottenDown int64
	Unreadable    int64 // batches of a version that this node cannot read
	Gaps          int64 // times that something was missing, and asked for
	Repaired      int64 // batches that were sent again, since the other end asked
	// ToGates are the bytes that rooms of this node had for each gate, by the gate's
	// boot id.
	ToGates map[string]int64
}

// SpreadStats returns the counters, zero for a host that is not spread.
func (h *Host) SpreadStats() SpreadStats {
	if h.spread == nil {
		return SpreadStats{}
	}
	s := &h.spread.stats
	toGates := make(map[string]int64)
	for gate, n := range s.toGates.Range {
		toGates[gate.(string)] = n.(*atomic.Int64).Load()
	}
	return SpreadStats{
		Gaps: s.repairs.Gaps.Load(), Repaired: s.repairs.Repaired.Load(), ToGates: toGates,
		Talks: s.talks.Load(), Returns: s.returns.Load(), Pauses: s.pauses.Load(),
		Refused: s.refused.Load(), Fanouts: s.fanouts.Load(),
		LostUp: s.lostUp.Load(), LostDown: s.lostDown.Load(), Resyncs: s.resyncs.Load(), LateGates: s.lateGates.Load(), Unreadable: s.unreadable.Load(),
		KeptBytes: s.keptBytes.Load(), ForgottenDown: s.forgottenDown.Load(),
	}
}

// toGate sends what a room has for a gate, and counts it.
func (s *spread) toGate(to link.Peer, e *wire.Envelope) error {
	bytes, says := int64(len(e.Body)), e.Op == wire.OpFromRoom+wire.TalkSay
	err := s.mesh.Send(to, e)
	if err != nil || !says {
		return err
	}
	n, ok := s.stats.toGates.Load(to.ID)
	if !ok {
		n, _ = s.stats.toGates.LoadOrStore(to.ID, new(atomic.Int64))
	}
	n.(*atomic.Int64).Add(bytes)
	return nil
}
