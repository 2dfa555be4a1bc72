package swarm

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
)

// Report is what a run came to; --json writes it. Times are in milliseconds
// unless the name says otherwise.
type Report struct {
	Addr     string    `json:"addr"`
	Scenario string    `json:"scenario"`
	Sessions int       `json:"sessions"`
	Rooms    int       `json:"rooms"`
	Rate     float64   `json:"rate"`
	Begin    time.Time `json:"begin"` // of the measuring phase
	End      time.Time `json:"end"`
	Machine  string    `json:"machine"`

	Metrics map[string]Latency `json:"metrics"`

	Owed       int64   `json:"owed"`     // deliveries or answers due
	Received   int64   `json:"received"` // of those, the ones that came
	Lost       int64   `json:"lost"`
	Duplicated int64   `json:"duplicated"`
	OutOfOrder int64   `json:"out_of_order"`
	Dropped    int64   `json:"dropped"` // connections that ended without our asking
	Planned    int64   `json:"planned"` // acts
	Late       int64   `json:"late"`    // acts begun more than 5 ms behind their plan
	WorstLag   float64 `json:"worst_lag_ms"`

	BotCPU     float64 `json:"bot_cpu_seconds"`
	ServerCPU  float64 `json:"server_cpu_seconds"`   // with --pid
	CPUMicros  float64 `json:"server_cpu_us_per_op"` // per delivery or answer
	RSSBefore  int64   `json:"server_rss_before"`    // bytes
	RSSAfter   int64   `json:"server_rss_connected"`
	PerSession float64 `json:"server_rss_per_session"`

	sheet *measure.Sheet // of all shards
}

// Latency is one metric's distribution.
type Latency struct {
	Count  int64            `json:"count"`
	P50    float64          `json:"p50_ms"`
	P90    float64          `json:"p90_ms"`
	P99    float64          `json:"p99_ms"`
	P999   float64          `json:"p999_ms"`
	Max    float64          `json:"max_ms"`
	Errors map[string]int64 `json:"errors,omitempty"`
}

func newReport(cfg *Config) *Report {
	return &Report{
		Addr: cfg.Addr, Scenario: cfg.Scenario, Sessions: cfg.Sessions, Rooms: cfg.Rooms, Rate: cfg.Rate,
		Machine: fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
		Metrics: make(map[string]Latency),
	}
}

// selfPID names this process to usage.
var selfPID = os.Getpid()

// usage reads what a process has used; the zero Usage where it cannot be told.
func usage(pid int) measure.Usage {
	if pid == 0 {
		return measure.Usage{}
	}
	u, err := measure.ProcessUsage(pid)
	if err != nil {
		return measure.Usage{} // not Linux, or the process has gone: the run tells
	}
	return u
}

func (r *Report) connected(before, after measure.Usage, sessions int) {
	r.RSSBefore, r.RSSAfter = before.RSS, after.RSS
	r.PerSession = float64(after.RSS-before.RSS) / float64(sessions)
}

func (r *Report) used(server, serverEnd, own, ownEnd measure.Usage, p paced) {
	r.ServerCPU = (serverEnd.CPU() - server.CPU()).Seconds()
	r.BotCPU = (ownEnd.CPU() - own.CPU()).Seconds()
	r.Planned, r.Late, r.WorstLag = p.planned, p.late, ms(int64(p.worst))
	r.Owed = p.expect
	if r.Scenario == "idle" {
		r.RSSAfter = serverEnd.RSS
		r.PerSession = float64(serverEnd.RSS-r.RSSBefore) / float64(r.Sessions)
	}
}

// settle adds up the shards, whose loops have ended.
func (r *Report) settle(w *swarm) {
	sum := measure.NewSheet(numMetrics)
	for _, sh := range w.shards {
		sum.Merge(sh.sheet)
	}
	r.sheet = sum
	for i, name := range metricNames {
		r.Metrics[name] = latency(&sum.Metrics[i])
	}
	r.Duplicated, r.OutOfOrder = sum.Counts[measure.Duplicated], sum.Counts[measure.OutOfOrder]
	r.Dropped = sum.Counts[measure.Dropped]
	switch r.Scenario {
	case "chat":
		r.Owed = 0
		for _, s := range w.sessions {
			b := s.inbox.Settle(w.ledger, nil)
			r.Owed += b.Owed
			r.Received += b.Received
		}
	case "echo":
		r.Received = r.Metrics["request"].Count
	}
	r.Lost = r.Owed - r.Received
	if r.Received > 0 {
		r.CPUMicros = r.ServerCPU * 1e6 / float64(r.Received)
	}
}

func latency(m *measure.Metric) Latency {
	l := Latency{Count: m.Count(), Errors: m.Errors}
	if h := m.Hist; h != nil {
		l.P50, l.P90, l.P99 = ms(h.ValueAtQuantile(50)), ms(h.ValueAtQuantile(90)), ms(h.ValueAtQuantile(99))
		l.P999, l.Max = ms(h.ValueAtQuantile(99.9)), ms(h.Max())
	}
	return l
}

func ms(ns int64) float64 { return float64(ns) / 1e6 }

// Failed says whether anything was lost, doubled, reordered or ended unasked.
func (r *Report) Failed() bool {
	for _, l := range r.Metrics {
		if len(l.Errors) > 0 {
			return true
		}
	}
	return r.Lost != 0 || r.Duplicated != 0 || r.OutOfOrder != 0 || r.Dropped != 0
}
