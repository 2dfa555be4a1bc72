package swarm

import (
	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// second is the length of an interval.
const second = int64(1e9)

// cutter divides a worker's run into intervals: seconds since the epoch before
// the schedule begins, and seconds since its beginning afterwards, with a cut
// where a phase ends. It only computes moments, so that every process cuts alike.
type cutter struct {
	number int
	from   int64 // of the interval under way
	to     int64
	marks  []int64 // moments that must not lie inside an interval, ascending
	spare  *measure.Sheet
}

// start begins at the epoch.
func (c *cutter) start(epoch int64) {
	c.from, c.to = epoch, epoch+second
}

// add says that no interval may contain the moments.
func (c *cutter) add(marks ...int64) {
	c.marks = append(c.marks, marks...)
	c.clip()
}

// clip ends the interval under way at the first mark in it.
func (c *cutter) clip() {
	for len(c.marks) > 0 && c.marks[0] <= c.from {
		c.marks = c.marks[1:]
	}
	if len(c.marks) > 0 && c.marks[0] < c.to {
		c.to = c.marks[0]
	}
}

// next goes on to the interval behind the one under way.
func (c *cutter) next(to int64) {
	c.number++
	c.from, c.to = to, to+second
	c.clip()
}

// cut ends the interval under way at the moment to and sends what it held.
func (w *worker) cut(to int64, phase report.Phase) {
	c := &w.cuts
	sum := measure.NewSheet(len(w.scen.Metrics))
	if c.spare == nil {
		c.spare = measure.NewSheet(len(w.scen.Metrics))
	}
	out := &cut{Number: c.number, From: c.from, To: to, Phase: phase, Status: w.status(), sheet: sum}
	for _, h := range w.hands {
		full, worst := h.take(c.spare)
		sum.Merge(full)
		full.Reset()
		c.spare = full
		out.WorstNS = max(out.WorstNS, worst)
	}
	if u, err := measure.ProcessUsage(selfPID); err == nil { // not Linux: unknown
		out.CPU, out.RSS = int64(u.CPU()), u.RSS
	}
	w.send(news{Cut: out})
	c.next(to)
}
