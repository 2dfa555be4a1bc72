package rooms

import (
	"sync/atomic"
	"time"
)

// counters are what rooms count, over all rooms of a host.
type counters struct {
	Rooms, Members                         atomic.Int64 // now
	Opened, Closed, Joins, Leaves, Refused atomic.Int64
	NotifyErrors, Unwritable               atomic.Int64
	Panics, Restores                       atomic.Int64
	Saves, SaveBytes, SaveNanos            atomic.Int64
	SaveFailures, Fenced, ClaimFailures    atomic.Int64
	Unsaveable                             atomic.Int64
	Unsaved                                atomic.Int64 // now
	Paused                                 atomic.Int64
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

	// Of rooms that are kept.
	Saves, SaveBytes int64         // snapshots that the store has taken, and their size
	SaveTime         time.Duration // that these saves took, in all
	SaveFailures     int64         // tries that failed; each is followed by another
	Fenced           int64         // rooms that ended since a later activation had claimed theirs
	ClaimFailures    int64         // tries to fetch what a room begins with that failed
	Unsaveable       int64         // snapshots that the game could not make
	Unsaved          int64         // rooms now whose last save failed
	Paused           int64         // messages from outside that rooms refused since they stood still
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
		Saves: s.Saves.Load(), SaveBytes: s.SaveBytes.Load(), SaveTime: time.Duration(s.SaveNanos.Load()),
		SaveFailures: s.SaveFailures.Load(), Fenced: s.Fenced.Load(), ClaimFailures: s.ClaimFailures.Load(),
		Unsaveable: s.Unsaveable.Load(), Unsaved: s.Unsaved.Load(), Paused: s.Paused.Load(),
	}
}
