package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// WriteTable prints the result for people: what was run, a row per metric, what
// became of the deliveries, and who used how much. Warnings come last.
func (r *Result) WriteTable(w io.Writer) {
	fmt.Fprintf(w, "%s against %s: %d sessions, %.1f s%s\n\n", r.Run.Scenario, r.Run.Target, r.Run.Sessions,
		r.Run.Seconds, r.interrupted())
	g := grid{head: []string{"latency", "count", "p50", "p90", "p99", "p99.9", "max", "errors"}, left: 1, tail: true}
	for _, name := range r.Names() {
		m := r.Metrics[name]
		if m.Count == 0 && len(m.Errors) == 0 {
			continue
		}
		row := []string{name, fmt.Sprint(m.Count)}
		for _, v := range []float64{m.P50, m.P90, m.P99, m.P999, m.Max} {
			row = append(row, orDash(m.Count > 0, formatLatency(v)))
		}
		g.add(append(row, ErrorsText(m.Errors))...)
	}
	g.write(w)
	fmt.Fprintln(w)
	for _, f := range r.Facts() {
		fmt.Fprintf(w, "%-10s  %s\n", f.Name, f.Text)
	}
	for _, text := range r.Warnings() {
		fmt.Fprintf(w, "\nwarning: %s\n", text)
	}
}

func (r *Result) interrupted() string {
	if r.Run.Interrupted {
		return ", interrupted"
	}
	return ""
}

// Fact is a line of what a run came to, beside its latencies.
type Fact struct{ Name, Text string }

// Facts says what became of deliveries, sessions and the schedule, and who used
// how much.
func (r *Result) Facts() (out []Fact) {
	add := func(name, format string, args ...any) { out = append(out, Fact{name, fmt.Sprintf(format, args...)}) }
	d, t, s, g := r.Deliveries, r.Traffic, r.Sessions, r.Generator
	if d.Expected > 0 || d.Duplicated > 0 {
		add("deliveries", "%d expected, %d received, %d lost, %d duplicated, %d out of order",
			d.Expected, d.Received, d.Lost, d.Duplicated, d.OutOfOrder)
	}
	add("sessions", "%d opened, %d dropped, %s", s.Opened, s.Dropped, plural(s.Reconnects, "reconnect", "reconnects"))
	add("traffic", "in %s packages/s, %s; out %s packages/s, %s",
		significant(t.PackagesInPerSecond), Flow.Format(t.BytesInPerSecond),
		significant(t.PackagesOutPerSecond), Flow.Format(t.BytesOutPerSecond))
	if c := r.Schedule; c.Planned > 0 {
		add("schedule", "%d acts planned, %d sent, %d skipped, %d late (at worst %s)",
			c.Planned, c.Sent, c.Skipped, c.Late, formatLatency(c.WorstLag))
	}
	text := fmt.Sprintf("%s in %s, %s", Cores.Format(g.Cores), plural(int64(g.Processes), "process", "processes"), formatBytes(float64(g.RSS)))
	if g.CPUPerPushUS > 0 {
		text += fmt.Sprintf(", %s per push", Micros.Format(g.CPUPerPushUS))
	}
	add("generator", "%s", text)
	if v := r.Server; v != nil {
		text := fmt.Sprintf("%s, %s per %s, %s", Cores.Format(v.Cores), Micros.Format(v.CPUPerOpUS), v.Op, formatBytes(float64(v.RSSEnd)))
		if v.RSSPerSession > 0 { // a warm server may have had the memory already
			text += fmt.Sprintf(", %s per session", formatBytes(v.RSSPerSession))
		}
		add("server", "%s", text)
	}
	return out
}

// Limits of a generator that is to be trusted.
const (
	trustedLate  = 0.01 // of all acts
	trustedCores = 0.8  // of the machine
)

// Warnings says why the numbers may be the generator's and not the server's.
func (r *Result) Warnings() (out []string) {
	s := r.Schedule
	if late := per(float64(s.Late), float64(s.Planned)); late > trustedLate {
		out = append(out, fmt.Sprintf("the generator could not keep up: %s of all acts began more than 5 ms behind their plan", Ratio.Format(late)))
	}
	if s.Skipped > 0 {
		out = append(out, plural(s.Skipped, "act was", "acts were")+" skipped: no session was free or open")
	}
	if n := r.Run.Machine.Cores; n > 0 && r.Generator.Cores > trustedCores*float64(n) {
		out = append(out, fmt.Sprintf("the generator used %s of %d: it may have measured itself", Cores.Format(r.Generator.Cores), n))
	}
	return out
}

// ErrorsText writes errors by code on one line, "-" for none.
func ErrorsText(errs map[string]int64) string {
	if len(errs) == 0 {
		return "-"
	}
	var out []string
	for _, code := range slices.Sorted(maps.Keys(errs)) {
		out = append(out, fmt.Sprintf("%s: %d", code, errs[code]))
	}
	return strings.Join(out, ", ")
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func orDash(ok bool, text string) string {
	if ok {
		return text
	}
	return "-"
}
