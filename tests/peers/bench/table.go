package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// busy is the share of the machine above which a number is marked: a generator
// or server that waits for a core measures the scheduler.
const busy = 0.85

// noisy is the share that other programs may take before a number is marked.
const noisy = 0.10

// print writes the whole result as one page of text.
func (b *bench) print(w io.Writer, m machine, plan []load) {
	fmt.Fprintf(w, "\nshaddock beside nano 0.5.0 and a bare write(2) loop\n%s\n", m)
	fmt.Fprintf(w, "median of %d rounds of %v (least–most), servers in turn; server CPU is user + system time of its process\n",
		b.timing.rounds, b.timing.measure)
	for _, l := range plan {
		fmt.Fprintf(w, "\n%s\n", l.title())
		if l.scenario == "idle" {
			b.printMemory(w, l)
		} else {
			b.printLoad(w, l)
		}
	}
	fmt.Fprintln(w, "\nCPU µs is per delivery, or per request answered. Ratios are taken round by round.")
	fmt.Fprintf(w, "! the generator, the server or both had more than %.0f %% of the machine   ~ other programs had more than %.0f %%\n", 100*busy, 100*noisy)
	for _, f := range b.failures {
		fmt.Fprintf(w, "FAILED  %s, %s, round %d: %s\n", f.Load, f.Server, f.Round+1, f.Text)
	}
	for _, line := range b.losses() {
		fmt.Fprintln(w, line)
	}
}

func (b *bench) printMemory(w io.Writer, l load) {
	t := newTable(w, "", "resident KB per session", "whole process / sessions", "")
	for _, s := range b.servers {
		got := b.of(l.name, s.name)
		if len(got) == 0 {
			t.row(s.name, "–", "–", "failed")
			continue
		}
		kb, note := column(got, func(m sample) float64 { return m.SessionKB }), ""
		if s.name == "shaddock" {
			note = verdict(kb.Median, goalKB, "%.1f KB")
		}
		t.row(s.name, kb.text(2), column(got, func(m sample) float64 { return m.ProcessKB }).text(2), note)
	}
	t.flush()
}

func (b *bench) printLoad(w io.Writer, l load) {
	t := newTable(w, "", "CPU µs", "to bare", "to nano", "p50 ms", "p99 ms", "msgs/write", "server", "bot", "")
	for _, s := range b.servers {
		got := b.of(l.name, s.name)
		if len(got) == 0 {
			t.row(s.name, "–", "–", "–", "–", "–", "–", "–", "–", "failed")
			continue
		}
		cpu := column(got, func(m sample) float64 { return m.CPUMicros })
		row := []string{s.name, cpu.text(2)}
		var notes []string
		for _, other := range []string{"bare", "nano"} {
			r := b.ratio(l.name, s.name, other)
			row = append(row, r.text(2))
			if g, ok := goals[l.name]; ok && s.name == "shaddock" && g.to == other && r.N > 0 {
				notes = append(notes, verdict(r.Median, g.limit, "%.2f of "+other))
			}
		}
		row = append(row,
			column(got, func(m sample) float64 { return m.P50 }).text(1),
			column(got, func(m sample) float64 { return m.P99 }).text(1),
			perWriteText(column(got, func(m sample) float64 { return m.PerWrite })),
			percent(column(got, func(m sample) float64 { return m.Shares.Server })),
			percent(column(got, func(m sample) float64 { return m.Shares.Bot })),
			strings.Join(append(notes, marks(got)), " "))
		t.row(row...)
	}
	t.flush()
}

// ratio compares the CPU time of two servers, round by round; to itself it is empty.
func (b *bench) ratio(load, over, under string) spread {
	if over == under {
		return spread{}
	}
	byRound := func(name string) map[int]float64 {
		m := make(map[int]float64)
		for _, s := range b.of(load, name) {
			m[s.Round] = s.CPUMicros
		}
		return m
	}
	return spreadOf(ratios(byRound(over), byRound(under)))
}

// losses names every run in which something did not arrive.
func (b *bench) losses() (lines []string) {
	for _, s := range b.samples {
		if s.Lost > 0 || s.Faults > 0 {
			lines = append(lines, fmt.Sprintf("LOST  %s, %s, round %d: %d messages; doubled, reordered or cut off: %d",
				s.Load, s.Server, s.Round+1, s.Lost, s.Faults))
		}
	}
	return lines
}

func column(got []sample, value func(sample) float64) spread {
	v := make([]float64, len(got))
	for i, s := range got {
		v[i] = value(s)
	}
	return spreadOf(v)
}

func verdict(got, limit float64, format string) string {
	word := "reached"
	if got > limit {
		word = "not reached"
	}
	return fmt.Sprintf("goal ≤ "+format+": %s", limit, word)
}

func perWriteText(s spread) string {
	if s.Max == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", s.Median)
}

func percent(s spread) string { return fmt.Sprintf("%.0f %%", 100*s.Median) }

// marks warns of rounds whose numbers mean less.
func marks(got []sample) (m string) {
	var full, noise bool
	for _, s := range got {
		full = full || s.Shares.Server+s.Shares.Bot > busy
		noise = noise || s.Shares.Others > noisy
	}
	if full {
		m += "!"
	}
	if noise {
		m += "~"
	}
	return m
}

// table aligns columns.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, head ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(head...)
	return t
}

func (t table) row(cells ...string) { fmt.Fprintln(t.w, "  "+strings.Join(cells, "\t")) }

func (t table) flush() { _ = t.w.Flush() } // the page goes to a terminal or a buffer
