package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Row is one line of a comparison.
type Row struct {
	Value    Value
	A, B     float64
	HasA     bool // false: A has no such value
	HasB     bool
	Ratio    float64 // B / A
	HasRatio bool    // false where one is missing or A is 0 and B is not
}

// Comparison puts two results side by side, B as a ratio of A.
type Comparison struct {
	A, B  *Result
	Names [2]string // column heads
	Rows  []Row
}

// stats are what a comparison shows of each metric.
var stats = []string{"count", "errors", "p50", "p99", "p99.9", "max"}

// compared lists the plain values that a comparison shows, beside the metrics.
var compared = []string{
	"expected", "received", "lost", "duplicated", "out_of_order", "dropped", "late", "packages_in", "bytes_in",
	"server.cores", "server.cpu_per_op", "server.rss", "server.rss_per_session", "bot.cores", "bot.cpu_per_push",
}

// Compare lists what both results, or one of them, have. Rows in which both are
// 0 are left out, but for losses.
func Compare(a, b *Result, names [2]string) (*Comparison, error) {
	k := Known{Metrics: append(a.Names(), b.Names()...), Server: a.Server != nil || b.Server != nil}
	slices.SortFunc(k.Metrics, ByLife)
	c := &Comparison{A: a, B: b, Names: names}
	for _, metric := range slices.Compact(k.Metrics) {
		for _, stat := range stats {
			if err := c.add(k, metric+"."+stat); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range compared {
		if !k.Server && strings.HasPrefix(name, "server.") {
			continue
		}
		if err := c.add(k, name); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Comparison) add(k Known, name string) error {
	v, err := k.Lookup(name)
	if err != nil {
		return err
	}
	row := Row{Value: v}
	if row.A, row.HasA, err = valueOf(v, c.A); err != nil {
		return err
	}
	if row.B, row.HasB, err = valueOf(v, c.B); err != nil {
		return err
	}
	if !row.HasA && !row.HasB || row.A == 0 && row.B == 0 && name != "lost" {
		return nil
	}
	if row.HasA && row.HasB {
		switch {
		case row.A != 0:
			row.Ratio, row.HasRatio = row.B/row.A, true
		case row.B == 0:
			row.Ratio, row.HasRatio = 1, true
		}
	}
	c.Rows = append(c.Rows, row)
	return nil
}

func valueOf(v Value, r *Result) (x float64, ok bool, err error) {
	x, err = v.Of(r)
	if errors.Is(err, ErrNothing) {
		return 0, false, nil
	}
	return x, err == nil, err
}

// Keep leaves only the values of that name or below it: "push" keeps push.p99
// and push[onMessage].p99, "server" what is known of the server. Nothing keeps
// all.
func (c *Comparison) Keep(names []string) {
	if len(names) == 0 {
		return
	}
	c.Rows = slices.DeleteFunc(c.Rows, func(row Row) bool {
		return !slices.ContainsFunc(names, func(name string) bool {
			rest, ok := strings.CutPrefix(row.Value.Name, name)
			return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
		})
	})
}

// Differences says what makes the two runs hard to compare, a sentence each.
func (c *Comparison) Differences() (out []string) {
	a, b := c.A.Run, c.B.Run
	for _, d := range []struct {
		what string
		a, b any
	}{
		{"scenario", a.Scenario, b.Scenario},
		{"sessions", a.Sessions, b.Sessions},
		{"rooms", a.Rooms, b.Rooms},
		{"rate", a.Rate, b.Rate},
		{"machine", a.Machine.String(), b.Machine.String()},
		{"commit of the bot", a.Commit, b.Commit},
	} {
		if d.a != d.b {
			out = append(out, fmt.Sprintf("%s differs: %v, %v", d.what, d.a, d.b))
		}
	}
	return out
}

func (c *Comparison) grid() *grid {
	g := &grid{head: []string{"", c.Names[0], c.Names[1], "ratio"}, left: 1}
	for _, row := range c.Rows {
		g.add(row.Value.Name, orDash(row.HasA, row.Value.Unit.Format(row.A)), orDash(row.HasB, row.Value.Unit.Format(row.B)),
			orDash(row.HasRatio, formatRatio(row.Ratio)))
	}
	return g
}

// Write prints the comparison for people.
func (c *Comparison) Write(w io.Writer) {
	c.grid().write(w)
	for _, d := range c.Differences() {
		fmt.Fprintf(w, "\nwarning: %s\n", d)
	}
}

// WriteMarkdown prints the table in Markdown.
func (c *Comparison) WriteMarkdown(w io.Writer) { c.grid().markdown(w) }

// formatRatio keeps two digits behind the point, or three digits in all.
func formatRatio(v float64) string {
	if v >= 10 || v == 0 {
		return "×" + significant(v)
	}
	return fmt.Sprintf("×%.2f", v)
}
