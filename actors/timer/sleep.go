package timer

import (
	"context"
	"time"
)

// Sleep blocks for d, or until ctx ends, and returns whether ctx outlived it. It is
// for goroutines that may wait, which an actor's may not.
func Sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
