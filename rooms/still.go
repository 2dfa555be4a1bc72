package rooms

import (
	"errors"
	"time"

	"github.com/shaddock-game/shaddock/actors"
)

// ErrPaused says that a room stands still and takes nothing new: what it has said
// cannot be saved, or its node cannot be sure of owning it.
var ErrPaused = errors.New("the room stands still")

// heldLimit is how much of what a room has to say may wait for a save. Past it the
// room stands still as one does whose save takes too long: its gates keep what is for
// it, and push back.
const heldLimit = 8 << 20 // bytes

// still says whether the game has to stand still.
func (r *farRoom) still(now time.Time) bool {
	return r.suspended || r.safe.stalled(now) || r.full()
}

func (r *farRoom) full() bool { return r.far.bytes > heldLimit && r.holds() }

// tell hands the game what it is told from outside, or puts it off until it has
// begun; false: there is nothing to settle. A room that stands still refuses: it may
// do so for as long as a store is away, and whoever tells it has a better place to
// keep what it has to say.
func (r *farRoom) tell(m *told, now time.Time) bool {
	begun := r.opened && r.rollEnd.IsZero()
	switch {
	case r.still(now):
		r.refuse(m, ErrPaused)
	case !begun && len(r.deferred) >= r.st.kind.mailbox:
		r.refuse(m, actors.ErrBusy)
	case !begun:
		r.deferred = append(r.deferred, m)
	default:
		r.room.told(m, now)
		return true
	}
	return false
}

// create opens the room for who asks for a new one, or puts that off until the room
// knows that it is new: it may have been saved, and there may be members that think
// of it as theirs. False: it was put off or refused.
func (r *farRoom) create(m *create, now time.Time) bool {
	switch {
	case r.still(now) || !r.spread.mesh.Held():
		r.st.stats.Paused.Add(1)
		m.Refused(ErrPaused)
	case r.opened || r.called && r.rollEnd.IsZero():
		r.room.create(m, now)
		return true
	case len(r.deferred) >= r.st.kind.mailbox:
		m.Refused(actors.ErrBusy)
	default:
		r.deferred = append(r.deferred, m)
		if !r.called && !r.safe.claiming {
			r.callRoll(now)
		}
	}
	return false
}

func (r *farRoom) refuse(m *told, err error) {
	r.st.stats.Paused.Add(1)
	m.Refused(err)
}
