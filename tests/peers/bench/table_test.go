package main

import (
	"strings"
	"testing"
)

// TestPageSaysWhatAReaderNeeds prints a made-up run: ratios and goals, marks,
// losses and failures must be on the page.
func TestPageSaysWhatAReaderNeeds(t *testing.T) {
	b := &bench{servers: servers, timing: full}
	for round, cpu := range []float64{5.0, 5.2, 5.4} {
		b.samples = append(b.samples,
			sample{Load: "room1000", Server: "shaddock", Round: round, CPUMicros: cpu, P99: 2, PerWrite: 1.01, Shares: shares{0.1, 0.1, 0}},
			sample{Load: "room1000", Server: "bare", Round: round, CPUMicros: cpu / 1.05, P99: 2, Shares: shares{0.5, 0.4, 0}},
			sample{Load: "room1000", Server: "nano", Round: round, CPUMicros: cpu * 2, P99: 9, Lost: 3, Shares: shares{0.1, 0.1, 0.2}},
		)
	}
	b.samples = append(b.samples, sample{Load: "idle", Server: "shaddock", SessionKB: 2.5, ProcessKB: 5})
	b.failures = []failure{{"echo", "nano", 1, "it fell over"}}
	var page strings.Builder
	b.print(&page, machine{CPU: "abacus", Cores: 2, Commit: "abc"}, loads)

	for _, want := range []string{
		"2 cores of abacus", "commit abc",
		"10,000 idle sessions", "2.50", "goal ≤ 2.0 KB: not reached",
		"one room of 1,000: 60 messages/s, 60,000 deliveries/s",
		"5.20 (5.00–5.40)", "1.05 (1.05–1.05)", "goal ≤ 1.10 of bare: reached",
		"LOST  room1000, nano, round 1: 3 messages",
		"FAILED  echo, nano, round 2: it fell over",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for server, mark := range map[string]string{"bare": "!", "nano": "~"} {
		if got := marks(b.of("room1000", server)); got != mark {
			t.Errorf("%s is marked %q, want %q", server, got, mark)
		}
	}
	if t.Failed() {
		t.Log(page.String())
	}
}

func TestOutcomeForgivesTimesAndNothingElse(t *testing.T) {
	slow := &bench{samples: []sample{{Load: "echo", Server: "shaddock", CPUMicros: 1e6}}}
	if err := slow.outcome(); err != nil {
		t.Errorf("a slow run: %v", err)
	}
	peer := &bench{samples: []sample{{Load: "echo", Server: "nano", Lost: 1}}}
	if err := peer.outcome(); err != nil {
		t.Errorf("a peer that lost messages: %v", err)
	}
	lost := &bench{samples: []sample{{Load: "echo", Server: "shaddock", Lost: 1}}}
	if lost.outcome() == nil {
		t.Error("lost messages were forgiven")
	}
	failed := &bench{failures: []failure{{}}}
	if failed.outcome() == nil {
		t.Error("a failed run was forgiven")
	}
}
