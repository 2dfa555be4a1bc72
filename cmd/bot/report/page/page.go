// Package page draws a result as one HTML page that needs nothing else: no
// network, no folder beside it. The charts are drawn by uPlot, which is part of
// the page; without scripts the tables remain.
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// uPlot 1.6.32 as npm serves it; its licence is beside it.
var (
	//go:embed vendor/uPlot.iife.min.js
	plotJS string
	//go:embed vendor/uPlot.min.css
	plotCSS string
)

var (
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
	//go:embed page.html
	pageHTML string

	layout = template.Must(template.New("page").Parse(pageHTML))
)

// view is what the template shows.
type view struct {
	Result   *report.Result
	Command  string
	Began    string
	Tiles    []tile
	Metrics  []metricRow
	Facts    []report.Fact
	Warnings []string
	Breaches []string
	Charts   charts

	CSS template.CSS
	JS  template.JS
}

// metricRow is one line of the table of latencies.
type metricRow struct {
	Name   string
	Count  int64
	Times  []string // p50, p90, p99, p99.9, max
	Errors string
	Failed bool
}

// Write draws r. breaches are the thresholds that the run failed, in words.
func Write(w io.Writer, r *report.Result, breaches []string) error {
	charts, err := newCharts(r)
	if err != nil {
		return err
	}
	tiles, err := newTiles(r)
	if err != nil {
		return err
	}
	v := view{
		Result: r, Command: quote(r.Run.Command), Began: r.Run.Begin.UTC().Format("2006-01-02 15:04:05 UTC"),
		Tiles: tiles, Metrics: metricRows(r), Facts: r.Facts(),
		Warnings: r.Warnings(), Breaches: breaches, Charts: charts,
		CSS: template.CSS(plotCSS + pageCSS),
		// The banner names the project's address; a page that names no address
		// is easier to be sure of.
		JS: template.JS(strings.Replace(plotJS, "https://", "", 1) + pageJS),
	}
	if err := layout.Execute(w, v); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func metricRows(r *report.Result) (rows []metricRow) {
	for _, name := range r.Names() {
		m := r.Metrics[name]
		if m.Count == 0 && len(m.Errors) == 0 {
			continue
		}
		row := metricRow{Name: name, Count: m.Count, Errors: report.ErrorsText(m.Errors), Failed: len(m.Errors) > 0}
		for _, v := range []float64{m.P50, m.P90, m.P99, m.P999, m.Max} {
			text := "-"
			if m.Count > 0 {
				text = report.Latency.Format(v)
			}
			row.Times = append(row.Times, text)
		}
		rows = append(rows, row)
	}
	return rows
}

// quote writes a command line so that a shell reads it back.
func quote(args []string) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n'\"\\$&|<>;()*?[]{}~#`!") {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
