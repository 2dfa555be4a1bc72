package rooms

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// panicWindow and the length of state.panics bound how often a room may panic
// before it is closed.
const panicWindow = 10 * time.Second

// guarded runs code of the behaviour. A panic becomes error 500 after the room
// has been brought into a state that can go on, or has been closed.
func (st *state) guarded(f func(c *Ctx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			st.stats.Panics.Add(1)
			st.log.Error("room behaviour panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = protocol.Errorf(protocol.CodeInternal, "internal error")
			st.recoverFrom()
		}
	}()
	return f(&Ctx{st})
}

// recoverFrom applies the kind's panic policy. It runs behaviour code of its own
// (Restore, OnInit); a panic in there closes the room.
func (st *state) recoverFrom() {
	if st.closed {
		return
	}
	oldest := st.panics[0]
	copy(st.panics[:], st.panics[1:])
	st.panics[len(st.panics)-1] = st.now
	if !oldest.IsZero() && st.now.Sub(oldest) < panicWindow {
		st.closeWith(protocol.ReasonInternal, "")
		return
	}
	switch st.kind.panicPolicy() {
	case PanicContinue:
	case PanicRestore:
		st.restore()
	default:
		st.closeWith(protocol.ReasonInternal, "")
	}
}

// restore brings the game back from the last snapshot, or anew when none was
// taken yet; members keep their seats.
func (st *state) restore() {
	defer func() {
		if p := recover(); p != nil {
			st.log.Error("room restore panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			st.closeWith(protocol.ReasonInternal, "")
		}
	}()
	if st.snapshot == nil {
		if err := st.fresh(); err != nil {
			st.log.Error("room could not start anew", "error", err)
			st.closeWith(protocol.ReasonInternal, "")
		}
		return
	}
	st.reset()
	if err := st.kind.restore(st.room, &Ctx{st}, st.snapshot); err != nil {
		st.log.Error("room snapshot could not be restored", "error", err)
		st.closeWith(protocol.ReasonInternal, "")
		return
	}
	st.stats.Restores.Add(1)
}

// saveIfDue takes a snapshot once enough operations have been handled.
func (st *state) saveIfDue() {
	if st.kind.save == nil || st.closed {
		return
	}
	if st.done++; st.done-st.taken >= uint64(st.kind.saveEvery) {
		st.takeSnapshot()
	}
}

// takeSnapshot replaces the snapshot by one of the game as it is.
func (st *state) takeSnapshot() {
	st.taken = st.done                // what cannot be taken is not tried again: the next may be another
	_ = st.guarded(func(*Ctx) error { // logged and counted where it is caught
		b, err := st.kind.save(st.room)
		if err != nil {
			st.stats.Unsaveable.Add(1)
			st.log.Error("room snapshot could not be taken", "error", err)
			return nil // the last good one stays
		}
		st.snapshot = b
		return nil
	})
}

// lastSnapshot takes the snapshot with which the room's next activation begins:
// none when the game has ended the room, and the last good one when a panic has.
func (st *state) lastSnapshot(over bool) {
	switch {
	case st.closed && st.why == protocol.ReasonInternal:
	case over:
		st.snapshot = nil
	default:
		st.takeSnapshot()
	}
}

func (k *Kind) panicPolicy() PanicPolicy {
	switch {
	case k.onPanic != PanicDefault:
		return k.onPanic
	case k.restore != nil:
		return PanicRestore
	case k.size == 0:
		return PanicContinue
	}
	return PanicClose
}

// guard runs work off the room's goroutine and turns its panic into an error.
func guard[T any](ctx context.Context, work func(ctx context.Context) (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("async work panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return work(ctx)
}
