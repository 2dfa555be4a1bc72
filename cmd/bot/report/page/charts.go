package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// charts is what the page's script draws, as JSON in the page. Every list that
// belongs to a time series is as long as At.
type charts struct {
	At      []float64          `json:"at"`
	From    *float64           `json:"from"` // when the measuring began; null: it never did
	Until   *float64           `json:"until"`
	Main    string             `json:"main"` // the metric that is shown first
	Latency map[string]moments `json:"latency"`
	Curves  []curve            `json:"curves"`

	Throughput []line `json:"throughput"` // per second
	Schedule   []line `json:"schedule"`   // acts per second
	Errors     []line `json:"errors"`     // those that are not 0 all the time
	Cores      []line `json:"cores"`
}

// moments is one metric over time, in milliseconds; null where nothing came.
type moments struct {
	P50 []*float64 `json:"p50"`
	P90 []*float64 `json:"p90"`
	P99 []*float64 `json:"p99"`
	Max []*float64 `json:"max"`
}

// line is a named series over time.
type line struct {
	Name   string    `json:"name"`
	Values []float64 `json:"values"`
}

// curve is a distribution: Y milliseconds at X, the number of nines of the
// percentile (0: all are faster or as fast, 1: p90, 2: p99).
type curve struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
}

func newCharts(r *report.Result) (charts, error) {
	c := charts{Latency: make(map[string]moments)}
	for i := range r.Series {
		s := &r.Series[i]
		c.At = append(c.At, s.At)
		if s.Phase != report.Measuring {
			continue
		}
		from, until := s.At-s.Seconds, s.At
		if c.From == nil {
			c.From = &from
		}
		c.Until = &until
	}
	for _, name := range r.SeriesNames() {
		c.Latency[name] = overTime(r.Series, name)
		if report.Family(name) == mainFamily(r) && (c.Main == "" || r.Metrics[name].Count > r.Metrics[c.Main].Count) {
			c.Main = name
		}
	}
	c.Throughput = lines(r.Series,
		lineOf{"deliveries", func(s *report.Sample) float64 { return float64(s.Delivered) / s.Seconds }},
		lineOf{"packages in", func(s *report.Sample) float64 { return float64(s.PackagesIn) / s.Seconds }},
		lineOf{"packages out", func(s *report.Sample) float64 { return float64(s.PackagesOut) / s.Seconds }})
	c.Schedule = lines(r.Series,
		lineOf{"planned", func(s *report.Sample) float64 { return float64(s.Planned) / s.Seconds }},
		lineOf{"sent", func(s *report.Sample) float64 { return float64(s.Sent) / s.Seconds }},
		lineOf{"late", func(s *report.Sample) float64 { return float64(s.Late) / s.Seconds }},
		lineOf{"skipped", func(s *report.Sample) float64 { return float64(s.Skipped) / s.Seconds }})
	c.Errors = lines(r.Series,
		lineOf{"errors", func(s *report.Sample) float64 { return float64(s.Failures()) }},
		lineOf{"sessions dropped", func(s *report.Sample) float64 { return float64(s.Dropped) }},
		lineOf{"duplicated", func(s *report.Sample) float64 { return float64(s.Duplicated) }},
		lineOf{"out of order", func(s *report.Sample) float64 { return float64(s.OutOfOrder) }})
	c.Cores = lines(r.Series,
		lineOf{"server", func(s *report.Sample) float64 { return s.ServerCores }},
		lineOf{"generator", func(s *report.Sample) float64 { return s.BotCores }})
	var err error
	c.Curves, err = curves(r)
	return c, err
}

func overTime(series []report.Sample, name string) (out moments) {
	for i := range series {
		m := series[i].Metrics[name]
		for _, p := range []struct {
			to *[]*float64
			v  float64
		}{{&out.P50, m.P50}, {&out.P90, m.P90}, {&out.P99, m.P99}, {&out.Max, m.Max}} {
			var v *float64
			if m.Count > 0 && p.v > 0 {
				v = &p.v
			}
			*p.to = append(*p.to, v)
		}
	}
	return out
}

type lineOf struct {
	name string
	of   func(*report.Sample) float64
}

// lines computes series and leaves out those that are 0 all the time.
func lines(series []report.Sample, of ...lineOf) (out []line) {
	for _, l := range of {
		values, zero := make([]float64, len(series)), true
		for i := range series {
			v := l.of(&series[i])
			if math.IsNaN(v) || math.IsInf(v, 0) {
				v = 0 // an interval without length
			}
			values[i] = v
			zero = zero && v == 0
		}
		if !zero {
			out = append(out, line{l.name, values})
		}
	}
	return out
}

// pointsPerNine is how finely a curve is drawn.
const pointsPerNine = 24

// curves draws every metric's distribution up to the percentile that its count
// supports: one in a thousand latencies says nothing about p99.99.
func curves(r *report.Result) (out []curve, err error) {
	names := r.Names()
	slices.SortStableFunc(names, func(a, b string) int { // what the run is about comes first
		return cmp.Compare(btoi(report.Family(a) != mainFamily(r)), btoi(report.Family(b) != mainFamily(r)))
	})
	for _, name := range names {
		m := r.Metrics[name]
		if m.Count < 2 {
			continue
		}
		h, err := m.Hist()
		if err != nil {
			return nil, fmt.Errorf("metric %s: %w", name, err)
		}
		c := curve{Name: name}
		end := math.Log10(float64(m.Count))
		steps := max(1, int(math.Ceil(end*pointsPerNine)))
		for i := range steps + 1 {
			nines := end * float64(i) / float64(steps)
			c.X = append(c.X, nines)
			// At least what the histogram resolves: the scale is logarithmic.
			c.Y = append(c.Y, max(float64(h.ValueAtQuantile(100*(1-math.Pow(10, -nines))))/1e6, 0.001))
		}
		out = append(out, c)
	}
	return out, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
