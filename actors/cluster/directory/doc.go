// Package directory knows which process runs which room, and sees to it that no
// two do.
//
// A room is owned by whoever created its key in the store: one transaction that
// succeeds for one node and tells the others who it was. The key carries the
// node's lease, so a node that is gone owns nothing, and its revision is the
// epoch of this activation: it only grows, and everything the room says or saves
// carries it, so that what an earlier activation still has under way is known for
// what it is.
//
//	          claim                 created
//	(none) ──────────► claiming ──────────────► active ◄────────────┐
//	                      │ is another's         │    │ hold ends    │ the same lease
//	                      ▼                      │    ▼              │
//	                   elsewhere          stop   │  suspended ───────┤
//	                                             │    │ another lease│ created
//	          key deleted            stopped     ▼    ▼              │
//	(none) ◄──────────── releasing ◄───────── stopping ◄─ lost ─ reclaiming
//
// Ownership is sticky: a node that joins takes no room from another. Rooms move
// when their node drains, ends or loses its lease for good.
//
// A node that cannot be sure of its lease suspends its rooms: they keep their
// state and their members but answer nothing. When the store is back, a lease that
// lived on means that nobody can have taken them, and they go on as they were; with
// another lease each is claimed anew, and goes on under a new epoch or is given up
// to whoever has it by now.
package directory
