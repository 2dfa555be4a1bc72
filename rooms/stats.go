package rooms

import "sync/atomic"

// counters are what rooms count, over all rooms of a host.
type counters struct {
	Rooms, Members                         atomic.Int64 // now
	Opened, Closed, Joins, Leaves, Refused atomic.Int64
	NotifyErrors, Unwritable               atomic.Int64
	Panics, Restores                       atomic.Int64
}

// Stats is a snapshot of a host's counters.
type Stats struct {
	Rooms, Members int64 // now
	Opened, Closed int64 // rooms, ever
	Joins, Leaves  int64
	Refused        int64 // joins that a room refused
	NotifyErrors   int64 // notifies that failed, with nobody to tell
	Unwritable     int64 // pushes that could not be encoded
	Panics         int64 // of behaviours
	Restores       int64 // from a snapshot, after a panic
}

// Stats returns the counters of all rooms of this node.
func (h *Host) Stats() Stats {
	s := &h.stats
	return Stats{
		Rooms: s.Rooms.Load(), Members: s.Members.Load(),
		Opened: s.Opened.Load(), Closed: s.Closed.Load(),
		Joins: s.Joins.Load(), Leaves: s.Leaves.Load(), Refused: s.Refused.Load(),
		NotifyErrors: s.NotifyErrors.Load(), Unwritable: s.Unwritable.Load(),
		Panics: s.Panics.Load(), Restores: s.Restores.Load(),
	}
}
