package main

import (
	"strings"
	"testing"
)

// A made-up run: ratios are taken within a round, each load has its own goal, and
// losses and failures are on the page.
func TestClusterPage(t *testing.T) {
	b := new(clusterBench)
	for round, cpu := range []float64{8, 12, 10} {
		for _, l := range clusterLoads {
			b.samples = append(b.samples,
				clusterSample{sample: sample{Load: l.name, Server: arrangements[0].name, Round: round, CPUMicros: cpu, P99: 5}},
				clusterSample{sample: sample{Load: l.name, Server: arrangements[1].name, Round: round, CPUMicros: cpu * 1.1, P99: 8, Lost: int64(round / 2)}, Remote: 1.02})
		}
	}
	b.failures = []failure{{"busy", "alone", 1, "it fell over"}}
	var page strings.Builder
	b.print(&page, machine{CPU: "abacus", Cores: 2})
	for _, want := range []string{
		"busy: one room of 2,000, 20 messages/s, 40,000 deliveries/s",
		"1.10 (1.10–1.10)", "goal ≤ 1.15 of alone: reached", "goal ≤ 1.05 remote: reached",
		"3.0 (3.0–3.0)", "goal ≤ 2 ms more: not reached",
		"LOST  rest, 2 gates + 1, round 3: 1 messages",
		"FAILED  busy, alone, round 2: it fell over",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q\n%s", want, page.String())
		}
	}
	if b.outcome() == nil {
		t.Error("losses were forgiven")
	}
}

func TestClusterMembersAreOnEveryGate(t *testing.T) {
	f := &clusterFleet{urls: []string{"ws://a/nano", "ws://b/nano"}}
	args := strings.Join(f.botArgs(clusterLoads[0], "out.json"), " ")
	for _, want := range []string{"--addr ws://a/nano,ws://b/nano --mix", "--sessions 2000 --rooms 1 --rate 20"} {
		if !strings.Contains(args, want) {
			t.Errorf("the bot is told %q, want %q in it", args, want)
		}
	}
}
