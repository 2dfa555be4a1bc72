package push

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// gate bounds what requests may hold together. Any goroutine.
type gate struct {
	// Set at birth, read-only afterwards.
	limit int64 // bytes, 0: none
	rate  float64

	held atomic.Int64

	// Under mu.
	mu   sync.Mutex
	left float64 // items that may be pushed now
	at   time.Time
}

func (g *gate) init(limit, rate int) {
	g.limit, g.rate, g.left = int64(limit), float64(rate), float64(rate)
}

// enter charges a request before its body is read: with its size, or when it does
// not say, with the largest there may be.
func (g *gate) enter(size int64, most int) (charge int64, err error) {
	if size > int64(most) {
		return 0, refused(http.StatusRequestEntityTooLarge, 0, "the request is too large")
	}
	if size < 0 {
		size = int64(most)
	}
	if now := g.held.Add(size); g.limit > 0 && now > g.limit {
		g.held.Add(-size)
		return 0, retry(http.StatusServiceUnavailable, 0, time.Second, "too many requests are being worked on")
	}
	return size, nil
}

func (g *gate) leave(charge int64) { g.held.Add(-charge) }

// spend takes n items off the allowance, which refills at the rate; a request may
// overdraw it, so that one larger than a second's worth is not refused for ever.
// When it may not, wait says how long that will last.
func (g *gate) spend(now time.Time, n int) (wait time.Duration, ok bool) {
	if g.rate <= 0 {
		return 0, true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.at.IsZero() {
		g.left = min(g.left+g.rate*now.Sub(g.at).Seconds(), g.rate)
	}
	g.at = now
	if g.left <= 0 {
		return time.Duration((1 - g.left) / g.rate * float64(time.Second)), false
	}
	g.left -= float64(n)
	return 0, true
}
