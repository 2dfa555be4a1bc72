package timer

import "time"

// Sooner is the earlier of two instants, of which zero is never: how a state that
// waits for several things says when to look at it again.
func Sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
