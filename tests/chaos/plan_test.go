package main

import (
	"slices"
	"testing"
	"time"
)

// Of a thousand schedules each keeps the rules, and together they have all deeds.
func TestPlans(t *testing.T) {
	const length, ttl = time.Minute, 3 * time.Second
	members := topology(1)
	seen := make(map[deed]int)
	for seed := range uint64(1000) {
		steps := plan(seed, length, ttl, members, true)
		if !slices.EqualFunc(steps, plan(seed, length, ttl, members, true), func(a, b step) bool { return a.String() == b.String() }) {
			t.Fatalf("seed %d: drawn twice, the plan differs", seed)
		}
		if len(steps) < 4 {
			t.Errorf("seed %d: a minute with %d steps only", seed, len(steps))
		}
		if s := steps[0]; s.do != kill || !slices.ContainsFunc(members, func(m member) bool { return m.host && m.name == s.nodes[0] }) {
			t.Errorf("seed %d: begins with %v, want the loss of a host", seed, s)
		}
		for i, s := range steps {
			seen[s.do]++
			if s.end() > length {
				t.Errorf("seed %d: %v is not over after %v", seed, s, length)
			}
			for _, o := range steps[:i] {
				if overlap(o, s) && slices.ContainsFunc(s.nodes, func(n string) bool { return slices.Contains(o.nodes, n) }) {
					t.Errorf("seed %d: %v, and meanwhile %v", seed, o, s)
				}
			}
		}
	}
	for _, d := range []deed{kill, freeze, drain, stopEtcd, freezeEtcd, cutEtcd, cutPeer, deafPeer, vanish} {
		if seen[d] < 100 {
			t.Errorf("%q was drawn %d times in 1000 plans", d, seen[d])
		}
	}
	for _, s := range plan(7, time.Hour, ttl, members, false) {
		if s.do == cutEtcd || s.do == cutPeer || s.do == deafPeer || s.do == vanish {
			t.Fatalf("%v on a machine without partitions", s)
		}
	}
}

// Always somebody takes players, and somebody runs rooms.
func TestPlansLeaveSomebody(t *testing.T) {
	for seed := range uint64(300) {
		members := topology(seed)
		steps := plan(seed, time.Minute, 3*time.Second, members, true)
		for _, at := range steps {
			gates, hosts := 0, 0
			for _, m := range members {
				if slices.ContainsFunc(steps, func(s step) bool {
					return s.takesDown() && s.at <= at.at && at.at < s.end() && slices.Contains(s.nodes, m.name)
				}) {
					continue
				}
				if m.gate {
					gates++
				}
				if m.host {
					hosts++
				}
			}
			if gates == 0 || hosts == 0 {
				t.Fatalf("seed %d: at %v %d gates and %d hosts are up", seed, at.at, gates, hosts)
			}
		}
	}
}
