package directory

import (
	"sync/atomic"
	"time"
)

type stats struct {
	rooms                                        atomic.Int64
	activations, suspended, resumed, lost        atomic.Int64
	searches, searchNanos, notFound, storeErrors atomic.Int64
	epoch                                        atomic.Uint64
	noHost                                       atomic.Int64
}

func (s *stats) found(d time.Duration) {
	s.searches.Add(1)
	s.searchNanos.Add(int64(d))
}

// Stats is a snapshot of a directory's counters.
type Stats struct {
	Rooms       int64 // now owned, or about to be
	Activations int64 // rooms started here
	Suspended   int64 // times that a room paused for want of a sure lease
	Resumed     int64
	Lost        int64 // rooms given up because they run elsewhere
	Searches    int64 // rooms found
	SearchTime  time.Duration
	NotFound    int64 // searches that failed
	NoHost      int64 // of these, because no node runs the kind, or none with its labels
	StoreErrors int64
	Epoch       uint64           // the greatest of a room of this node
	Moves       map[string]int64 // of rooms, as this node has seen them, by why
}

// Stats returns the counters.
func (d *Directory) Stats() Stats {
	s := &d.stats
	moves := make(map[string]int64, len(d.history.counts))
	for why, n := range d.history.counts {
		moves[why] = n.Load()
	}
	return Stats{
		Epoch: s.epoch.Load(), Moves: moves,
		Rooms: s.rooms.Load(), Activations: s.activations.Load(),
		Suspended: s.suspended.Load(), Resumed: s.resumed.Load(), Lost: s.lost.Load(),
		Searches: s.searches.Load(), SearchTime: time.Duration(s.searchNanos.Load()),
		NotFound: s.notFound.Load(), NoHost: s.noHost.Load(), StoreErrors: s.storeErrors.Load(),
	}
}
