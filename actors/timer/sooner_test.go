package timer_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/timer"
)

func TestSoonerTakesZeroForNever(t *testing.T) {
	var never time.Time
	early := time.Unix(1, 0)
	late := early.Add(time.Second)
	for _, row := range []struct{ a, b, want time.Time }{
		{never, never, never},
		{early, never, early},
		{never, early, early},
		{early, late, early},
		{late, early, early},
	} {
		if got := timer.Sooner(row.a, row.b); got != row.want {
			t.Errorf("Sooner(%v, %v) = %v, want %v", row.a, row.b, got, row.want)
		}
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		for _, row := range []struct {
			pause, at time.Duration
			whole     bool
		}{
			{time.Second, time.Second, true},
			{-time.Second, time.Second, true},
			{time.Hour, 3 * time.Second, false},
			{0, 3 * time.Second, false},
		} {
			whole := timer.Sleep(ctx, row.pause)
			if at := time.Since(began); whole != row.whole || at != row.at {
				t.Errorf("a sleep of %v ends at %v, whole: %v; want at %v, %v", row.pause, at, whole, row.at, row.whole)
			}
		}
	})
}
