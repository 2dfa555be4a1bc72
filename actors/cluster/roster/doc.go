// Package roster says who is in the cluster, and to this process whether it still
// is.
//
// Each process writes one record with a lease of its own and reads those of the
// others. The lease is held on the process's own clock: a renewal counts from the
// moment it was sent, and only four fifths of the granted time are used, so that
// this process stops before any other may believe that it has (Held). It does not
// matter what the clocks of the others show.
//
//	grant ─► put record ─► held ──deadline passed──► lapsed
//	  ▲                     ▲ │                        │  the store answers again
//	  │                     │ └── renew, every third    ├─ lease lives: held, the same lease
//	  └─────────────────────┼──── lease has ended ◄────┘
//	                        └──── grant, put: held, another lease
//
// Who loses its lease does not leave: connections live on, and what the lease
// covers (the ownership of rooms) is taken up again with the next one. That is why
// a process keeps its id through all leases of its life.
package roster
