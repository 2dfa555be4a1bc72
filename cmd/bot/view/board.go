// Package view shows a run while it goes on: as a screen on a terminal, as a
// line per second elsewhere. It is fed with samples and asks for nothing, so
// that what it costs is one drawing per second.
package view

import (
	"maps"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// Plan is what is known of a run before it begins.
type Plan struct {
	Scenario, Target string
	Sessions         int
	Drive            time.Duration // length of the warm-up and the measuring; 0: unknown
}

// board is what has been seen of a run. It is a plain value with one owner.
type board struct {
	plan Plan

	last   report.Sample
	began  float64 // when driving began, by At; only once driving
	drives bool

	main    string // the metric whose latency is drawn: the busiest of the most telling family
	latest  map[string]report.Moment
	counts  map[string]int64
	failed  map[string]int64
	totals  report.Sample // sums of the counters
	history []report.Sample
}

// remembered bounds the history: more than the widest screen shows.
const remembered = 512

func newBoard(p Plan) *board {
	return &board{plan: p, latest: map[string]report.Moment{}, counts: map[string]int64{}, failed: map[string]int64{}}
}

// add takes the next sample.
func (b *board) add(s report.Sample) {
	if drives := s.Phase == report.Measuring || s.Phase == report.WarmUp; drives && !b.drives {
		b.drives, b.began = true, s.At-s.Seconds
	}
	b.last = s
	b.history = append(b.history, s)
	if len(b.history) > remembered {
		b.history = b.history[len(b.history)-remembered:]
	}
	for name, m := range s.Metrics {
		if m.Count > 0 {
			b.latest[name] = m
		}
		b.counts[name] += m.Count
		b.failed[name] += m.Errors
		if b.main == "" || report.MoreTelling(name, b.main) || report.Family(name) == report.Family(b.main) && b.counts[name] > b.counts[b.main] {
			b.main = name
		}
	}
	t := &b.totals
	t.Planned, t.Sent, t.Skipped, t.Late = t.Planned+s.Planned, t.Sent+s.Sent, t.Skipped+s.Skipped, t.Late+s.Late
	t.Delivered, t.Duplicated, t.OutOfOrder = t.Delivered+s.Delivered, t.Duplicated+s.Duplicated, t.OutOfOrder+s.OutOfOrder
	t.Dropped, t.Reconnects = t.Dropped+s.Dropped, t.Reconnects+s.Reconnects
}

// failures is the number of errors so far.
func (b *board) failures() (n int64) {
	for _, f := range b.failed {
		n += f
	}
	return n
}

// progress is how much of the present phase is done, from 0 to 1, and for how
// long the load has been driven.
func (b *board) progress() (part float64, driven time.Duration) {
	if !b.drives {
		return share(float64(b.last.Sessions), float64(b.plan.Sessions)), 0
	}
	driven = time.Duration((b.last.At - b.began) * float64(time.Second))
	if b.last.Phase == report.Draining {
		return 1, driven
	}
	return share(driven.Seconds(), b.plan.Drive.Seconds()), driven
}

func share(a, b float64) float64 {
	if b <= 0 {
		return 0
	}
	return min(1, a/b)
}

// metrics lists what has been seen, in the order of a session's life.
func (b *board) metrics() []string {
	return slices.SortedFunc(maps.Keys(b.counts), report.ByLife)
}

// series is one number of each remembered sample, oldest first.
func (b *board) series(of func(*report.Sample) float64) []float64 {
	out := make([]float64, len(b.history))
	for i := range b.history {
		out[i] = of(&b.history[i])
	}
	return out
}

func perSecond(n int64, s *report.Sample) float64 {
	if s.Seconds <= 0 {
		return 0
	}
	return float64(n) / s.Seconds
}
