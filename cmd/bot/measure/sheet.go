package measure

import (
	"fmt"
	"maps"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept in nanoseconds with three significant digits. What lasts
// longer than longest is counted as longest.
const (
	finest  = 1_000
	longest = int64(600e9)
	digits  = 3
)

// NewHist returns an empty latency histogram, in nanoseconds.
func NewHist() *hdrhistogram.Histogram { return hdrhistogram.New(finest, longest, digits) }

// Metric is one thing that is timed. The zero value is empty and ready. It has
// one owner and no locks.
type Metric struct {
	Hist   *hdrhistogram.Histogram // nil until something was recorded
	Errors map[string]int64        // by code: a number of the protocol, or a word such as "timeout"
}

// Record adds one latency in nanoseconds. Clocks of two processes may differ by
// microseconds: a negative latency counts as the shortest.
func (m *Metric) Record(ns int64) {
	if m.Hist == nil {
		m.Hist = NewHist()
	}
	// The error says "out of range", which the bounds exclude.
	_ = m.Hist.RecordValue(min(max(ns, 0), longest))
}

// Fail counts one failure.
func (m *Metric) Fail(code string) {
	if m.Errors == nil {
		m.Errors = make(map[string]int64)
	}
	m.Errors[code]++
}

// Failures returns the number of failures of all codes.
func (m *Metric) Failures() (n int64) {
	for _, c := range m.Errors {
		n += c
	}
	return n
}

// Count returns the number of recorded latencies.
func (m *Metric) Count() int64 {
	if m.Hist == nil {
		return 0
	}
	return m.Hist.TotalCount()
}

// Merge adds from to m and leaves from as it was.
func (m *Metric) Merge(from *Metric) {
	if from.Count() > 0 {
		if m.Hist == nil {
			m.Hist = NewHist()
		}
		m.Hist.Merge(from.Hist)
	}
	if len(from.Errors) > 0 && m.Errors == nil {
		m.Errors = make(map[string]int64)
	}
	for code, n := range from.Errors {
		m.Errors[code] += n
	}
}

func (m *Metric) reset() {
	if m.Count() > 0 {
		m.Hist.Reset()
	}
	clear(m.Errors)
}

// Counter names one of a Sheet's plain counters.
type Counter int

// The counters. Those of deliveries count what arrived; what was owed and lost
// is known when the accounts are settled.
const (
	BytesIn     Counter = iota // bodies of packages, without heads and WebSocket framing
	BytesOut                   // whole packages
	PackagesIn                 // packages of all types, text messages
	PackagesOut                // likewise
	Pushes                     // push messages of all routes
	Delivered                  // pushes that carry a mark of this run, each position once
	Duplicated                 // further arrivals of the same position
	OutOfOrder                 // of the delivered ones
	Strangers                  // marks of rooms the session is not in, or of other runs
	Planned                    // acts the schedule asked for
	Sent                       // acts that were begun
	Skipped                    // acts no session was free or open for
	Late                       // acts begun more than LateAfter behind their plan
	Published                  // publications given a number
	Opened                     // handshakes completed
	Reconnects                 // of those, not the session's first
	Dropped                    // connections that ended without our asking
	numCounters
)

var counterNames = [numCounters]string{
	"bytes_in", "bytes_out", "packages_in", "packages_out", "pushes", "delivered", "duplicated", "out_of_order",
	"strangers", "planned", "sent", "skipped", "late", "published", "opened", "reconnects", "dropped",
}

// String returns the name used in reports and thresholds.
func (c Counter) String() string { return counterNames[c] }

// Counters lists all counters.
func Counters() []Counter {
	all := make([]Counter, numCounters)
	for i := range all {
		all[i] = Counter(i)
	}
	return all
}

// Sheet is what one shard of the load measured during one interval, or what
// many together measured during a run: metrics by number, and counters. It has
// one owner and no locks; it is handed on, never shared.
type Sheet struct {
	Metrics []Metric
	Counts  [numCounters]int64
}

// NewSheet returns an empty sheet for that many metrics.
func NewSheet(metrics int) *Sheet { return &Sheet{Metrics: make([]Metric, metrics)} }

// Add adds n to a counter.
func (s *Sheet) Add(c Counter, n int) { s.Counts[c] += int64(n) }

// Merge adds from to s and leaves from as it was. Both have the same metrics.
func (s *Sheet) Merge(from *Sheet) {
	for i := range from.Metrics {
		s.Metrics[i].Merge(&from.Metrics[i])
	}
	for i, n := range from.Counts {
		s.Counts[i] += n
	}
}

// Reset empties the sheet and keeps its memory.
func (s *Sheet) Reset() {
	for i := range s.Metrics {
		s.Metrics[i].reset()
	}
	s.Counts = [numCounters]int64{}
}

// WireSheet is a Sheet as it travels between the processes of one run, as JSON.
type WireSheet struct {
	Hists  map[int][]byte           `json:"hists,omitempty"` // HdrHistogram V2 compressed, by metric
	Errors map[int]map[string]int64 `json:"errors,omitempty"`
	Counts []int64                  `json:"counts"`
}

// Wire returns a copy of s for the wire.
func (s *Sheet) Wire() (WireSheet, error) {
	w := WireSheet{Hists: map[int][]byte{}, Errors: map[int]map[string]int64{}, Counts: slices.Clone(s.Counts[:])}
	for i := range s.Metrics {
		m := &s.Metrics[i]
		if m.Count() > 0 {
			b, err := EncodeHist(m.Hist)
			if err != nil {
				return w, fmt.Errorf("encode histogram %d: %w", i, err)
			}
			w.Hists[i] = b
		}
		if len(m.Errors) > 0 {
			w.Errors[i] = maps.Clone(m.Errors)
		}
	}
	return w, nil
}

// MergeWire adds what came over the wire to s.
func (s *Sheet) MergeWire(w WireSheet) error {
	for i, b := range w.Hists {
		h, err := hdrhistogram.Decode(b)
		if err != nil {
			return fmt.Errorf("decode histogram %d: %w", i, err)
		}
		if i < 0 || i >= len(s.Metrics) {
			return fmt.Errorf("histogram %d of %d", i, len(s.Metrics))
		}
		s.Metrics[i].Merge(&Metric{Hist: h})
	}
	for i, errs := range w.Errors {
		if i < 0 || i >= len(s.Metrics) {
			return fmt.Errorf("errors of metric %d of %d", i, len(s.Metrics))
		}
		s.Metrics[i].Merge(&Metric{Errors: errs})
	}
	for i, n := range w.Counts[:min(len(w.Counts), len(s.Counts))] {
		s.Counts[i] += n
	}
	return nil
}

// EncodeHist writes h in the V2 compressed format of HdrHistogram, which tools
// of other languages read (base64 text).
func EncodeHist(h *hdrhistogram.Histogram) ([]byte, error) {
	return h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
}

// DecodeHist reads what EncodeHist wrote.
func DecodeHist(b []byte) (*hdrhistogram.Histogram, error) { return hdrhistogram.Decode(b) }
