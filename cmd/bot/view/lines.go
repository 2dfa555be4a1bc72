package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// Lines is a live view for logs and pipes: a line per sample.
type Lines struct {
	w     io.Writer
	board *board
}

// NewLines writes to w. What cannot be written is lost: it is no reason to end a
// run.
func NewLines(w io.Writer, p Plan) *Lines { return &Lines{w: w, board: newBoard(p)} }

// Sample writes a line. Its owner calls it from one goroutine.
func (l *Lines) Sample(s report.Sample) {
	l.board.add(s)
	fmt.Fprintln(l.w, l.board.line())
}

// Close does nothing: a line is complete when it is written.
func (l *Lines) Close() error { return nil }

// line is the latest sample as one line.
func (b *board) line() string {
	s := &b.last
	out := []string{fmt.Sprintf("%5.0fs %-10s %d sessions", s.At, s.Phase, s.Sessions)}
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if s.Planned > 0 || s.Sent > 0 {
		add("sent %s", report.Rate.Format(perSecond(s.Sent, s)))
	}
	if s.Delivered > 0 || s.Outstanding > 0 {
		add("delivered %s", report.Rate.Format(perSecond(s.Delivered, s)))
	}
	if m := s.Metrics[b.main]; m.Count > 0 {
		add("%s p50 %s p99 %s", report.Family(b.main), report.Latency.Format(m.P50), report.Latency.Format(m.P99))
	}
	add("errors %d", s.Failures())
	for _, c := range []struct {
		name string
		n    int64
	}{{"dropped", s.Dropped}, {"duplicated", s.Duplicated}, {"out of order", s.OutOfOrder}, {"late", s.Late}, {"skipped", s.Skipped}} {
		if c.n > 0 {
			add("%s %d", c.name, c.n)
		}
	}
	add("bot %s", report.Cores.Format(s.BotCores))
	if s.ServerCores > 0 {
		add("server %s", report.Cores.Format(s.ServerCores))
	}
	return strings.Join(out, "  ")
}
