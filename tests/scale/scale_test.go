package main

import (
	"io"
	"testing"
	"time"
)

// A small room keeps the program true: everyone hears everything, merged.
func TestScale(t *testing.T) {
	r, err := run(t.Context(), config{sessions: 5000, burst: 50, window: 20 * time.Millisecond}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if perSession := float64(r.merged.writes) / float64(r.sessions); perSession > 5 {
		t.Errorf("%.1f writes for %d messages to a session, want a few", perSession, r.burst)
	}
	if r.heap <= 0 {
		t.Errorf("%v bytes on the heap for %d sessions", r.heap, r.sessions)
	}
}
