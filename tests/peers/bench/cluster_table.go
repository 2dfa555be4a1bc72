package main

import (
	"fmt"
	"io"
)

// print writes the result as one page of text.
func (b *clusterBench) print(w io.Writer, m machine) {
	fmt.Fprintf(w, "\na room on one server and across three nodes\n%s\n", m)
	fmt.Fprintln(w, "median of the rounds (least–most), arrangements in turn; CPU is user + system time of all server processes")
	for _, l := range clusterLoads {
		fmt.Fprintf(w, "\n%s\n", l.title())
		b.printLoad(w, l)
	}
	fmt.Fprintln(w, "\nremote is messages from the room's node to others, for each push and gate.")
	for _, f := range b.failures {
		fmt.Fprintf(w, "FAILED  %s, %s, round %d: %s\n", f.Load, f.Server, f.Round+1, f.Text)
	}
	for _, s := range b.samples {
		if s.Lost+s.Faults > 0 {
			fmt.Fprintf(w, "LOST  %s, %s, round %d: %d messages; doubled, reordered or cut off: %d\n", s.Load, s.Server, s.Round+1, s.Lost, s.Faults)
		}
	}
}

func (b *clusterBench) printLoad(w io.Writer, l clusterLoad) {
	t := newTable(w, "", "CPU µs", "to alone", "p50 ms", "p99 ms", "p99 added", "remote", "msgs/write", "servers", "bot", "")
	for _, a := range arrangements {
		got := b.of(l.name, a.name)
		if len(got) == 0 {
			t.row(a.name, "–", "–", "–", "–", "–", "–", "–", "–", "–", "failed")
			continue
		}
		plain := make([]sample, len(got))
		for i, s := range got {
			plain[i] = s.sample
		}
		var cost, added, remote spread
		note := marks(plain)
		if a.gates > 0 {
			cost = b.against(l.name, a.name, func(a, b sample) float64 { return a.CPUMicros / b.CPUMicros })
			added = b.against(l.name, a.name, func(a, b sample) float64 { return a.P99 - b.P99 })
			remotes := make([]float64, len(got))
			for i, s := range got {
				remotes[i] = s.Remote
			}
			remote = spreadOf(remotes)
			note = clusterVerdict(l, cost, added, remote) + " " + note
		}
		t.row(a.name, column(plain, func(s sample) float64 { return s.CPUMicros }).text(2), cost.text(2),
			column(plain, func(s sample) float64 { return s.P50 }).text(1),
			column(plain, func(s sample) float64 { return s.P99 }).text(1), added.text(1), remote.text(2),
			perWriteText(column(plain, func(s sample) float64 { return s.PerWrite })),
			percent(column(plain, func(s sample) float64 { return s.Shares.Server })),
			percent(column(plain, func(s sample) float64 { return s.Shares.Bot })), note)
	}
	t.flush()
}

// clusterVerdict compares with the goal that a load is for: cost where there is much
// to do, latency where there is little.
func clusterVerdict(l clusterLoad, cost, added, remote spread) string {
	if l.name == "rest" {
		return verdict(added.Median, goalClusterP99, "%.0f ms more")
	}
	return verdict(cost.Median, goalClusterCPU, "%.2f of alone") + "; " + verdict(remote.Median, goalRemote, "%.2f remote")
}

// against compares an arrangement with the server alone, round by round.
func (b *clusterBench) against(load, name string, f func(a, alone sample) float64) spread {
	var out []float64
	for _, s := range b.of(load, name) {
		for _, alone := range b.of(load, arrangements[0].name) {
			if alone.Round == s.Round {
				out = append(out, f(s.sample, alone.sample))
			}
		}
	}
	return spreadOf(out)
}

func (b *clusterBench) of(load, name string) (out []clusterSample) {
	for _, s := range b.samples {
		if s.Load == load && s.Server == name {
			out = append(out, s)
		}
	}
	return out
}
