package report

import "github.com/shaddock-game/shaddock/cmd/bot/measure"

// Phase is what a run is busy with.
type Phase string

// The phases, in their order. Only Measuring counts towards a result's metrics
// of requests and pushes.
const (
	Connecting Phase = "connecting" // the ramp
	Settling   Phase = "settling"   // everybody is there, nobody talks
	WarmUp     Phase = "warm-up"    // driven, not measured
	Measuring  Phase = "measuring"
	Draining   Phase = "draining" // waiting for what is still on its way
)

// Sample is what happened in one second of a run: one row of the time series.
// Counts are of the interval, not running totals.
type Sample struct {
	At       float64 `json:"at"`      // end of the interval, seconds since the first connection
	Seconds  float64 `json:"seconds"` // length of the interval
	Phase    Phase   `json:"phase"`
	Sessions int64   `json:"sessions"` // open at the end of the interval

	Planned     int64 `json:"planned"`
	Sent        int64 `json:"sent"`
	Skipped     int64 `json:"skipped"`
	Late        int64 `json:"late"`
	Delivered   int64 `json:"delivered"`
	Outstanding int64 `json:"outstanding"` // owed so far and not there yet, by estimate
	Duplicated  int64 `json:"duplicated"`
	OutOfOrder  int64 `json:"out_of_order"`
	Dropped     int64 `json:"dropped"`
	Reconnects  int64 `json:"reconnects"`
	BytesIn     int64 `json:"bytes_in"`
	BytesOut    int64 `json:"bytes_out"`
	PackagesIn  int64 `json:"packages_in"`
	PackagesOut int64 `json:"packages_out"`

	BotCores    float64 `json:"bot_cores"`
	BotRSS      int64   `json:"bot_rss_bytes"`
	ServerCores float64 `json:"server_cores"` // 0 when unknown
	ServerRSS   int64   `json:"server_rss_bytes"`

	Metrics map[string]Moment `json:"metrics,omitempty"` // those with something to say
}

// Moment is one metric during one interval.
type Moment struct {
	Count  int64   `json:"count"`
	Errors int64   `json:"errors,omitempty"`
	P50    float64 `json:"p50_ms"`
	P90    float64 `json:"p90_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
}

// Failures is the number of errors of all metrics.
func (s *Sample) Failures() (n int64) {
	for _, m := range s.Metrics {
		n += m.Errors
	}
	return n
}

// Take fills in what a sheet of this interval knows. names are those of the
// sheet's metrics, by number.
func (s *Sample) Take(names []string, sheet *measure.Sheet) {
	c := &sheet.Counts
	s.Planned, s.Sent, s.Skipped, s.Late = c[measure.Planned], c[measure.Sent], c[measure.Skipped], c[measure.Late]
	s.Delivered, s.Duplicated, s.OutOfOrder = c[measure.Delivered], c[measure.Duplicated], c[measure.OutOfOrder]
	s.Dropped, s.Reconnects = c[measure.Dropped], c[measure.Reconnects]
	s.BytesIn, s.BytesOut = c[measure.BytesIn], c[measure.BytesOut]
	s.PackagesIn, s.PackagesOut = c[measure.PackagesIn], c[measure.PackagesOut]
	for i, name := range names {
		m := &sheet.Metrics[i]
		if m.Count() == 0 && m.Failures() == 0 {
			continue
		}
		if s.Metrics == nil {
			s.Metrics = make(map[string]Moment)
		}
		o := Moment{Count: m.Count(), Errors: m.Failures()}
		if h := m.Hist; h != nil {
			o.P50, o.P90, o.P99, o.Max = quantile(h, 50), quantile(h, 90), quantile(h, 99), float64(h.Max())/1e6
		}
		s.Metrics[name] = o
	}
}

// Take fills in what a sheet of the whole run knows; expected and received
// deliveries come from the settled accounts. names are those of the sheet's
// metrics, by number; metrics that nothing happened to are kept, so that a
// reader sees that they were asked for.
func (r *Result) Take(names []string, sheet *measure.Sheet) {
	c := &sheet.Counts
	r.Schedule.Planned, r.Schedule.Sent = c[measure.Planned], c[measure.Sent]
	r.Schedule.Skipped, r.Schedule.Late = c[measure.Skipped], c[measure.Late]
	r.Deliveries.Duplicated, r.Deliveries.OutOfOrder = c[measure.Duplicated], c[measure.OutOfOrder]
	r.Deliveries.Strangers = c[measure.Strangers]
	r.Sessions = Sessions{Opened: c[measure.Opened], Reconnects: c[measure.Reconnects], Dropped: c[measure.Dropped]}
	r.Traffic.BytesIn, r.Traffic.BytesOut = c[measure.BytesIn], c[measure.BytesOut]
	r.Traffic.PackagesIn, r.Traffic.PackagesOut = c[measure.PackagesIn], c[measure.PackagesOut]
	for i, name := range names {
		r.Metrics[name] = NewMetric(&sheet.Metrics[i])
	}
}
