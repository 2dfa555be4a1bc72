package rooms

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrNoRoom says that no room with this key is active, or that its kind takes no
// messages from outside.
var ErrNoRoom = errors.New("no such room")

// ErrUnsure says that a message may have been carried out: the room failed while it
// had it, or its node was lost. Whoever repeats it may do it twice.
var ErrUnsure = errors.New("it may have been carried out")

// OnTold lets rooms of the kind take messages of type M that come from outside of
// any session, from Host.Tell: an HTTP API, another room, a job. The error is the
// teller's verdict. In a cluster M is something that encoding/json reads as it wrote
// it, for rooms of other nodes.
func OnTold[R, M any](f func(r *R, c *Ctx, m M) error) Part[R] {
	return func(k *Kind) {
		k.toldFrom = func(body []byte) (any, error) {
			var m M
			err := json.Unmarshal(body, &m)
			return m, err
		}
		k.told = func(room any, c *Ctx, msg any) error {
			m, ok := msg.(M)
			if !ok {
				return ErrNoRoom
			}
			return f(room.(*R), c, m)
		}
	}
}

// told is a message from outside. Nobody changes it after sending.
type told struct {
	msg     any
	verdict func(err error)
}

// Refused passes on why the message did not reach the room.
func (t *told) Refused(err error) { t.verdict(err) }

// Tell hands msg to a room that is active; it starts none. It never blocks.
// Verdict is called exactly once, from any goroutine, and must not block: with
// what OnTold returned, or with ErrNoRoom; with ErrUnsure when nobody knows what
// became of it; with any other error, such as actors.ErrBusy, actors.ErrStopped or
// ErrPaused, when the room would certainly not take it. From another node only the
// codes and texts of errors come back.
func (h *Host) Tell(key Key, msg any, verdict func(err error)) {
	if k, ok := h.kinds[key.Kind]; !ok || k.told == nil {
		verdict(ErrNoRoom)
		return
	}
	if h.spread != nil {
		h.spread.tell(key, &told{msg, verdict})
		return
	}
	h.place.Deliver(key, &told{msg, verdict})
}

// told runs OnTold and returns its verdict.
func (st *state) told(now time.Time, msg any) error {
	if st.closed {
		return errClosing
	}
	st.now = now
	failed := true
	err := st.guarded(func(c *Ctx) error {
		err := st.kind.told(st.room, c, msg)
		failed = false
		return err
	})
	if failed { // half way
		err = fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	st.saveIfDue()
	return err
}
