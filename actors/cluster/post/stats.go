package post

import "sync/atomic"

type stats struct {
	posted, refused, delivered atomic.Int64
	unconfirmed, lost          atomic.Int64
	asked, repaired, envelopes atomic.Int64
	unreadable                 atomic.Int64
}

// Stats is a snapshot of an office's counters, over all nodes.
type Stats struct {
	Posted      int64 // messages that were taken
	Refused     int64 // messages that were not: their sender was told
	Delivered   int64 // messages of other nodes that arrived here
	Unconfirmed int64 // messages to nodes that left before they confirmed them
	Lost        int64 // batches of other nodes that never came and never will
	Asked       int64 // times that something was missing here
	Repaired    int64 // batches that were sent again
	Envelopes   int64 // sent, with all words about the flows
	Unreadable  int64 // batches that could not be read to their end
	Waiting     int64 // messages that are not confirmed now

	WaitingBytes int64 // of them
}

// Stats returns the counters.
func (o *Office) Stats() Stats {
	c := &o.stats
	s := Stats{
		Posted: c.posted.Load(), Refused: c.refused.Load(), Delivered: c.delivered.Load(),
		Unconfirmed: c.unconfirmed.Load(), Lost: c.lost.Load(), Asked: c.asked.Load(), Repaired: c.repaired.Load(),
		Envelopes: c.envelopes.Load(), Unreadable: c.unreadable.Load(),
	}
	o.lanes.Range(func(_, v any) bool {
		s.Waiting += v.(*lane).messages.Load()
		s.WaitingBytes += v.(*lane).bytes.Load()
		return true
	})
	return s
}
