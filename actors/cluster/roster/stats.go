package roster

import "sync/atomic"

type stats struct {
	failures, lapses, relists, crashed atomic.Int64
}

// Stats is a snapshot of a roster's counters.
type Stats struct {
	Members  int   // now
	Failures int64 // tasks of the lease that failed
	Lapses   int64 // times that the hold ended
	Relists  int64 // watches that were lost
	Crashed  int64 // leases ended for members that nobody listens for
}

// Stats returns the counters.
func (r *Roster) Stats() Stats {
	return Stats{
		Members:  len(r.View().Members()),
		Failures: r.stats.failures.Load(),
		Lapses:   r.stats.lapses.Load(),
		Relists:  r.stats.relists.Load(),
		Crashed:  r.stats.crashed.Load(),
	}
}
