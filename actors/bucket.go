package actors

import "time"

// bucket is a token bucket: it lets rate units a second pass, and as many at once
// after a pause. Who goes on regardless is remembered: excess grows with what was
// refused and shrinks at the rate.
type bucket struct {
	tokens, excess float32
	at             time.Duration
}

// abuse is how many seconds' worth of refused messages end a session.
const abuse = 10

// take spends n units at now.
func (b *bucket) take(now time.Duration, rate, n float32) (ok, abused bool) {
	refill := rate * float32((now - b.at).Seconds())
	if b.at == 0 {
		refill = rate
	}
	b.at = now
	b.tokens = min(b.tokens+refill, rate)
	b.excess = max(b.excess-refill, 0)
	if b.tokens >= n {
		b.tokens -= n
		return true, false
	}
	b.excess += n
	return false, b.excess > abuse*rate
}
