package timer

import "time"

// Alarm is the runtime timer of one actor, which alone calls its methods. The zero
// value is off.
type Alarm struct {
	timer *time.Timer
	at    time.Time // when it rings, zero when it does not
}

// Set makes the alarm ring at an instant, or turns it off when ok is false. Ring
// runs on a goroutine of its own: it posts a message, no more. It must be the
// same function each time, since only the first is kept. A ring that was under
// way already comes all the same; an actor that then finds nothing due sets the
// alarm again.
func (a *Alarm) Set(now, at time.Time, ok bool, ring func()) {
	switch {
	case !ok:
		a.Stop()
	case at.Equal(a.at):
	case a.timer == nil:
		a.at, a.timer = at, time.AfterFunc(at.Sub(now), ring)
	default:
		a.at = at
		a.timer.Reset(at.Sub(now))
	}
}

// Rang notes that the message of the ring has arrived.
func (a *Alarm) Rang() { a.at = time.Time{} }

// Stop turns the alarm off.
func (a *Alarm) Stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.at = time.Time{}
}
