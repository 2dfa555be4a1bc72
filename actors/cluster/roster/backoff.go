package roster

import (
	"context"
	"time"

	"github.com/shaddock-game/shaddock/actors/timer"
)

// backoff is the growing pause of one goroutine between attempts.
type backoff struct {
	least, most time.Duration
	next        time.Duration
}

func (b *backoff) reset() { b.next = 0 }

// wait pauses, each time twice as long; false: ctx has ended.
func (b *backoff) wait(ctx context.Context) bool {
	b.next = min(max(2*b.next, b.least), b.most)
	return timer.Sleep(ctx, b.next)
}
