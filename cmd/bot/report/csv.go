package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// column is one column of the CSV.
type column struct {
	name string
	of   func(*Sample) string
}

func whole(name string, of func(*Sample) int64) column {
	return column{name, func(s *Sample) string { return strconv.FormatInt(of(s), 10) }}
}

func decimal(name string, of func(*Sample) float64) column {
	return column{name, func(s *Sample) string { return strconv.FormatFloat(of(s), 'f', -1, 64) }}
}

var fixedColumns = []column{
	decimal("at", func(s *Sample) float64 { return s.At }),
	decimal("seconds", func(s *Sample) float64 { return s.Seconds }),
	{"phase", func(s *Sample) string { return string(s.Phase) }},
	whole("sessions", func(s *Sample) int64 { return s.Sessions }),
	whole("planned", func(s *Sample) int64 { return s.Planned }),
	whole("sent", func(s *Sample) int64 { return s.Sent }),
	whole("skipped", func(s *Sample) int64 { return s.Skipped }),
	whole("late", func(s *Sample) int64 { return s.Late }),
	whole("delivered", func(s *Sample) int64 { return s.Delivered }),
	whole("outstanding", func(s *Sample) int64 { return s.Outstanding }),
	whole("duplicated", func(s *Sample) int64 { return s.Duplicated }),
	whole("out_of_order", func(s *Sample) int64 { return s.OutOfOrder }),
	whole("dropped", func(s *Sample) int64 { return s.Dropped }),
	whole("reconnects", func(s *Sample) int64 { return s.Reconnects }),
	whole("bytes_in", func(s *Sample) int64 { return s.BytesIn }),
	whole("bytes_out", func(s *Sample) int64 { return s.BytesOut }),
	whole("packages_in", func(s *Sample) int64 { return s.PackagesIn }),
	whole("packages_out", func(s *Sample) int64 { return s.PackagesOut }),
	decimal("bot_cores", func(s *Sample) float64 { return s.BotCores }),
	whole("bot_rss_bytes", func(s *Sample) int64 { return s.BotRSS }),
	decimal("server_cores", func(s *Sample) float64 { return s.ServerCores }),
	whole("server_rss_bytes", func(s *Sample) int64 { return s.ServerRSS }),
}

func metricColumns(name string) []column {
	at := func(s *Sample) Moment { return s.Metrics[name] }
	// Nothing came: an empty cell, which a plot leaves out, and not a latency of 0.
	latency := func(stat string, of func(Moment) float64) column {
		return column{name + stat, func(s *Sample) string {
			if m := at(s); m.Count > 0 {
				return strconv.FormatFloat(of(m), 'f', -1, 64)
			}
			return ""
		}}
	}
	return []column{
		whole(name+".count", func(s *Sample) int64 { return at(s).Count }),
		whole(name+".errors", func(s *Sample) int64 { return at(s).Errors }),
		latency(".p50_ms", func(m Moment) float64 { return m.P50 }),
		latency(".p90_ms", func(m Moment) float64 { return m.P90 }),
		latency(".p99_ms", func(m Moment) float64 { return m.P99 }),
		latency(".max_ms", func(m Moment) float64 { return m.Max }),
	}
}

// WriteCSV writes the time series with a head line: a row per sample, six
// columns for each metric that says anything in one of them.
func (r *Result) WriteCSV(w io.Writer) error {
	columns := slices.Clone(fixedColumns)
	for _, name := range r.SeriesNames() {
		columns = append(columns, metricColumns(name)...)
	}
	out := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	_ = out.Write(row) // kept until Error
	for i := range r.Series {
		for j, c := range columns {
			row[j] = c.of(&r.Series[i])
		}
		_ = out.Write(row)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the time series: %w", err)
	}
	return nil
}

// SeriesNames lists the metrics of the time series, in the order of a session's
// life.
func (r *Result) SeriesNames() []string {
	names := make(map[string]bool)
	for _, s := range r.Series {
		for name := range s.Metrics {
			names[name] = true
		}
	}
	return slices.SortedFunc(maps.Keys(names), ByLife)
}
