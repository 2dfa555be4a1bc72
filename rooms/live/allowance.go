package live

import "time"

// allowance is how many messages a member may send at once; it refills at the
// member's rate, up to two seconds' worth.
type allowance struct {
	left float64
	at   time.Time
}

func (a *allowance) take(now time.Time, rate float64) bool {
	a.left = min(a.left+rate*now.Sub(a.at).Seconds(), 2*rate)
	a.at = now
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}
