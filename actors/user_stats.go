package actors

import (
	"sync/atomic"

	"github.com/shaddock-game/shaddock/actors/cluster/talk"
)

// farUserStats is what the clerks and shards of a node count.
type farUserStats struct {
	starts, talks, twice, lateNodes   atomic.Int64
	paused, busy, undecided, unplaced atomic.Int64
	lostUp, lostDown                  atomic.Int64
	repairs                           talk.Tally
}

// UserStats is a snapshot of what a node counts about the users of its cluster. It is
// zero for a node alone.
type UserStats struct {
	Shards int64 // parts of the users that this node keeps now
	Starts int64 // that have come to this node, ever
	Talks  int64 // conversations that this node began with shards: one each, and one for each that was lost or moved

	// What was asked about users here and refused: the shard was paused for want of a
	// sure lease, too much was on hand, a login was not decided in time, or no node had
	// the shard and none would take it.
	Paused, Busy, Undecided, Unplaced int64

	FoundTwice       int64 // sessions that had to go because another was let in while a shard could not know of them
	LateNodes        int64 // nodes that a shard which began here did not wait for any longer
	Gaps             int64 // times that something was missing in a conversation, and asked for
	Repaired         int64 // batches that were sent again, since the other end asked
	LostUp, LostDown int64 // batches for shards and for clerks of this node that nobody could send again, or this node not read
}

// Stats returns the counters. It may be called from any goroutine.
func (u *Users) Stats() UserStats {
	f := u.far
	if f == nil {
		return UserStats{}
	}
	st := &f.stats
	s := UserStats{
		Starts: st.starts.Load(), Talks: st.talks.Load(),
		Paused: st.paused.Load(), Busy: st.busy.Load(), Undecided: st.undecided.Load(), Unplaced: st.unplaced.Load(),
		FoundTwice: st.twice.Load(), LateNodes: st.lateNodes.Load(),
		Gaps: st.repairs.Gaps.Load(), Repaired: st.repairs.Repaired.Load(),
		LostUp: st.lostUp.Load(), LostDown: st.lostDown.Load(),
	}
	for i := range f.shards {
		if f.shards[i].Load() != nil {
			s.Shards++
		}
	}
	return s
}
