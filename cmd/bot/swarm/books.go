package swarm

import (
	"os"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// books puts the intervals of all workers together: into the time series, and
// into the totals of the run. It has one owner.
type books struct {
	plan   *plan
	epoch  int64
	began  int64 // the schedule
	server *serverUsage
	sample func(report.Sample)

	open   []*interval // that some worker has not reported yet, in order
	next   int         // number of the first one
	total  *measure.Sheet
	drive  *measure.Sheet // of the measured phases: traffic
	series []report.Sample
	worst  int64
	used   []processUsage // by worker
}

// interval is what is known of one interval.
type interval struct {
	from, to int64
	phase    report.Phase
	workers  int
	sheet    *measure.Sheet
	status   status
	cpu      int64 // used in it
	rss      int64
}

// processUsage is what one worker has used.
type processUsage struct {
	last     int64 // at its last cut
	first    int64 // when the measuring began
	measured bool
	rss      int64
}

func newBooks(p *plan, epoch int64, server *serverUsage, sample func(report.Sample)) *books {
	n := len(p.scen.Metrics)
	return &books{plan: p, epoch: epoch, server: server, sample: sample,
		total: measure.NewSheet(n), drive: measure.NewSheet(n), used: make([]processUsage, p.Procs)}
}

// begin says when the schedule does.
func (b *books) begin(at int64) { b.began = at }

// cut takes one worker's part of an interval.
func (b *books) cut(worker int, c *cut) error {
	for b.next+len(b.open) <= c.Number {
		b.open = append(b.open, &interval{sheet: measure.NewSheet(len(b.plan.scen.Metrics)), status: status{Driven: true}})
	}
	in := b.open[c.Number-b.next]
	in.workers++
	in.from, in.to, in.phase = c.From, max(in.to, c.To), later(in.phase, c.Phase)
	in.status.add(&c.Status)
	u := &b.used[worker]
	if !u.measured && (c.Phase == report.Measuring || c.Phase == report.Draining) {
		u.measured, u.first = true, u.last
	}
	in.cpu += c.CPU - u.last
	in.rss += c.RSS
	u.last, u.rss = c.CPU, c.RSS
	b.worst = max(b.worst, c.WorstNS)
	if c.sheet != nil {
		in.sheet.Merge(c.sheet)
	} else if err := in.sheet.MergeWire(c.Wire); err != nil {
		return err
	}
	for len(b.open) > 0 && b.open[0].workers == b.plan.Procs {
		b.close(b.open[0])
		b.open = b.open[1:]
		b.next++
	}
	return nil
}

// later returns the phase that comes last: workers may end one apart by a moment.
func later(a, b report.Phase) report.Phase {
	order := []report.Phase{"", report.Draining, report.Measuring, report.WarmUp, report.Settling, report.Connecting}
	for _, p := range order[1:] {
		if a == p || b == p {
			return p
		}
	}
	return b
}

// close adds a complete interval to everything.
func (b *books) close(in *interval) {
	b.total.Merge(in.sheet)
	if in.phase == report.Measuring || in.phase == report.Draining {
		b.drive.Merge(in.sheet)
	}
	s := report.Sample{
		At: seconds(in.to - b.epoch), Seconds: seconds(in.to - in.from), Phase: in.phase,
		Sessions: in.status.Open, Outstanding: max(0, in.status.Expected-in.status.Delivered+in.status.Waiting), BotRSS: in.rss,
	}
	if s.Seconds > 0 {
		s.BotCores = seconds(in.cpu) / s.Seconds
	}
	b.server.sample(&s)
	s.Take(b.plan.scen.Metrics, in.sheet)
	b.series = append(b.series, s)
	if b.sample != nil {
		b.sample(s)
	}
}

// result is what the run came to, but for the server's usage.
func (b *books) result(finals []final, end int64) *report.Result {
	for _, in := range b.open { // the last cuts may differ by one
		b.close(in)
	}
	r := report.New()
	// Acts and latencies were not counted while warming up, deliveries are owed all
	// the time; what is told per second is of the measured time alone.
	for _, c := range []measure.Counter{
		measure.BytesIn, measure.BytesOut, measure.PackagesIn, measure.PackagesOut,
	} {
		b.total.Counts[c] = b.drive.Counts[c]
	}
	r.Take(b.plan.scen.Metrics, b.total)
	r.Schedule.WorstLag = float64(b.worst) / 1e6
	for _, f := range finals {
		r.Deliveries.Expected += f.Owed
		r.Deliveries.Received += f.Received
	}
	r.Deliveries.Lost = r.Deliveries.Expected - r.Deliveries.Received
	b.about(r, end)
	r.Generator.Processes = b.plan.Procs
	for _, u := range b.used {
		r.Generator.RSS += u.rss
		if u.measured {
			r.Generator.CPUSeconds += seconds(u.last - u.first)
		}
	}
	r.Series = b.series
	return r
}

func (b *books) about(r *report.Result, end int64) {
	p := b.plan
	begin := b.began
	for _, st := range p.stages {
		if st.WarmUp {
			begin += int64(st.For)
		}
	}
	run := &r.Run
	run.Target, run.Scenario, run.Command, run.Seed = strings.Join(p.Addr, ","), p.scen.Name, os.Args, p.Seed
	run.Sessions, run.Rooms, run.Rate = p.Sessions, p.Rooms, p.rate()
	run.Begin, run.End = time.Unix(0, begin), time.Unix(0, max(end, begin))
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
