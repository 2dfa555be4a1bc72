package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
)

// Metric is one timed thing: the distribution of its latencies, counted from the
// planned moment, and its failures. Names are a kind, alone or with a route:
// "handshake", "request[room.join]", "push[onMessage]".
type Metric struct {
	Count  int64            `json:"count"` // successes
	Errors map[string]int64 `json:"errors,omitempty"`
	Mean   float64          `json:"mean_ms"`
	P50    float64          `json:"p50_ms"`
	P90    float64          `json:"p90_ms"`
	P99    float64          `json:"p99_ms"`
	P999   float64          `json:"p999_ms"`
	Max    float64          `json:"max_ms"`
	// Histogram holds all latencies in nanoseconds, as HdrHistogram's V2
	// compressed base64 text. Empty when Count is 0.
	Histogram string `json:"hdr,omitempty"`
}

// NewMetric summarises m and keeps nothing of it.
func NewMetric(m *measure.Metric) Metric {
	out := Metric{Errors: maps.Clone(m.Errors)}
	if m.Count() > 0 {
		out.set(m.Hist)
	}
	return out
}

func (m *Metric) set(h *hdrhistogram.Histogram) {
	m.Count = h.TotalCount()
	m.Mean = h.Mean() / 1e6
	m.P50, m.P90, m.P99 = quantile(h, 50), quantile(h, 90), quantile(h, 99)
	m.P999, m.Max = quantile(h, 99.9), float64(h.Max())/1e6
	b, err := measure.EncodeHist(h)
	if err != nil {
		panic(err) // compressing into memory does not fail
	}
	m.Histogram = string(b)
}

func quantile(h *hdrhistogram.Histogram, q float64) float64 {
	return float64(h.ValueAtQuantile(q)) / 1e6
}

// Hist returns the histogram, in nanoseconds, as the caller's own. It is empty
// for a metric without one; the error says that the text is not one.
func (m Metric) Hist() (*hdrhistogram.Histogram, error) {
	if m.Histogram == "" {
		return measure.NewHist(), nil
	}
	h, err := measure.DecodeHist([]byte(m.Histogram))
	if err != nil {
		return nil, fmt.Errorf("decode histogram: %w", err)
	}
	return h, nil
}

// Failures is the number of errors of all codes.
func (m Metric) Failures() (n int64) {
	for _, c := range m.Errors {
		n += c
	}
	return n
}

// add merges b into m. What b holds stays b's.
func (m *Metric) add(b Metric) error {
	if len(b.Errors) > 0 && m.Errors == nil {
		m.Errors = make(map[string]int64)
	}
	for code, n := range b.Errors {
		m.Errors[code] += n
	}
	if b.Count == 0 {
		return nil
	}
	to, err := m.Hist()
	if err != nil {
		return err
	}
	from, err := b.Hist()
	if err != nil {
		return err
	}
	to.Merge(from)
	m.set(to)
	return nil
}

// Family is the part of a metric's name in front of its route.
func Family(name string) string {
	kind, _, _ := strings.Cut(name, "[")
	return kind
}

// Metric returns the metric of that name or, for the name of a family such as
// "push", all of it as one. It is false when there is none.
func (r *Result) Metric(name string) (Metric, bool, error) {
	if m, ok := r.Metrics[name]; ok {
		return m, true, nil
	}
	var sum Metric
	found := false
	for _, n := range r.Names() {
		if n != name && Family(n) == name {
			found = true
			if err := sum.add(r.Metrics[n]); err != nil {
				return Metric{}, false, fmt.Errorf("metric %s: %w", n, err)
			}
		}
	}
	return sum, found, nil
}

// count adds up a family without touching its histograms.
func (r *Result) count(family string) (n int64) {
	for name, m := range r.Metrics {
		if Family(name) == family {
			n += m.Count
		}
	}
	return n
}

// Failures is the number of errors of all metrics.
func (r *Result) Failures() (n int64) {
	for _, m := range r.Metrics {
		n += m.Failures()
	}
	return n
}

// Names lists the metrics in the order of a session's life, then by name.
func (r *Result) Names() []string {
	return slices.SortedFunc(maps.Keys(r.Metrics), ByLife)
}

// life is the order in which a session meets the kinds of metrics.
var life = []string{"connect", "upgrade", "handshake", "heartbeat", "request", "notify", "push", "http", "lag"}

// ByLife compares names of metrics by when a session meets them, then by name.
func ByLife(a, b string) int {
	if ra, rb := rank(a), rank(b); ra != rb {
		return ra - rb
	}
	return strings.Compare(a, b)
}

// MoreTelling says whether a run is rather about metric a than about b: what
// players feel comes before what is done once per session.
func MoreTelling(a, b string) bool { return telling(a) < telling(b) }

func telling(name string) int {
	if i := slices.Index(tells, Family(name)); i >= 0 {
		return i
	}
	return len(tells)
}

var tells = []string{"push", "request", "http", "handshake", "upgrade", "connect"}

func rank(name string) int {
	if i := slices.Index(life, Family(name)); i >= 0 {
		return i
	}
	return len(life)
}
