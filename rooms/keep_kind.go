package rooms

import (
	"fmt"
	"time"
)

// Kept has the rooms of this kind saved outside of themselves, where the host keeps
// snapshots: a room that comes back, after it was put away, on another node or
// after a restart, begins with what was saved last, by the restore of Snapshots,
// in place of OnInit. A room that closes itself is over; the next one begins anew.
//
// What may be lost when a node is lost depends on when a room is saved:
//
//	Kept                as often as Snapshots says, see SaveEvery
//	Kept, SaveEvery(1)  after every operation: nothing that the room has said. It
//	                    says nothing before what led to it is saved; what is
//	                    handled during one save shares the next. While the store
//	                    does not answer, the room answers 503 and stands still.
//	SaveEvery(n)        the last n-1 operations, and those during the last save
//	SaveAfter(d)        the operations of the last d, and of the last save
//	SaveOnStop          all since the room opened
//
// With several of them each saves when it is due. Rooms that are not saved after
// every operation go on while the store does not answer, and may lose what that
// time brought as well. In an orderly end nothing is lost: a room is saved when it
// is put away, when it moves and when its node stops.
//
// An operation is whatever a behaviour is called for: a call of a member, a join, a
// leave, a timer, a tick, the result of Async, a message of Tell. A snapshot that is
// equal to the last one is not saved again.
//
// A save function that fails is an error of the game: it is logged and counted, and
// the room goes on as if there had been nothing to save.
func (k Kind) Kept() Kind {
	k.kept = true
	if k.save == nil {
		k.errs = append(k.errs, fmt.Errorf("room kind %q: kept without rooms.Snapshots: there is nothing to save", k.name))
	}
	return k
}

// SaveEvery is Kept, saved after n operations at the latest.
func (k Kind) SaveEvery(n int) Kind {
	if n < 1 {
		k.errs = append(k.errs, fmt.Errorf("room kind %q: SaveEvery(%d): give at least 1", k.name, n))
	}
	k.keepEvery, k.keepRule = n, true
	return k.Kept()
}

// SaveAfter is Kept, saved d after the first operation that is not saved, at the
// latest.
func (k Kind) SaveAfter(d time.Duration) Kind {
	if d <= 0 {
		k.errs = append(k.errs, fmt.Errorf("room kind %q: SaveAfter(%v): give a time", k.name, d))
	}
	k.keepAfter, k.keepRule = d, true
	return k.Kept()
}

// SaveOnStop is Kept, saved only when a room is put away, moves, or its node stops.
func (k Kind) SaveOnStop() Kind {
	k.keepRule = true
	return k.Kept()
}

// saveRule says when a room is saved outside of itself.
type saveRule struct {
	every int           // operations, 0: does not matter
	after time.Duration // 0: does not matter
}

// strict says whether nothing may be said before it is saved.
func (r saveRule) strict() bool { return r.every == 1 }

func (k *Kind) saveRule() saveRule {
	if !k.keepRule {
		return saveRule{every: k.saveEvery}
	}
	return saveRule{every: k.keepEvery, after: k.keepAfter}
}
