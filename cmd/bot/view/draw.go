package view

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// The styles use the terminal's own colours, so that they suit its theme.
var (
	bold  = lipgloss.NewStyle().Bold(true)
	soft  = lipgloss.NewStyle().Faint(true)
	plain = lipgloss.NewStyle()
	bad   = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	fill  = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
)

// label is the width of the names on the left of the charts.
const label = 24

// canvas gathers lines of at most width cells.
type canvas struct {
	width int
	lines []string
}

func (c *canvas) line(text string) {
	c.lines = append(c.lines, ansi.Truncate(" "+text, c.width, "…"))
}

// ends writes one text to the left and one to the right. The left one gives way.
func (c *canvas) ends(left, right string) {
	room := c.width - 3 - lipgloss.Width(right)
	if lipgloss.Width(left) > room {
		left = ansi.Truncate(left, room, "…")
	}
	gap := max(1, c.width-2-lipgloss.Width(left)-lipgloss.Width(right))
	c.line(left + strings.Repeat(" ", gap) + right)
}

// roomy is the height from which charts have air between them.
const roomy = 32

// draw returns the screen as lines, exactly height of them.
func (b *board) draw(width, height int, ending bool) string {
	c := &canvas{width: max(width, 40)}
	b.drawHead(c)
	if height < roomy {
		c.line("")
	}
	b.drawCharts(c, height)
	c.line("")
	foot := b.foot(ending)
	b.drawMetrics(c, height-len(c.lines)-len(foot)-1)
	for len(c.lines) < height-len(foot) {
		c.line("")
	}
	for _, text := range foot {
		c.line(text)
	}
	return strings.Join(c.lines[:min(len(c.lines), height)], "\n")
}

func (b *board) drawHead(c *canvas) {
	part, driven := b.progress()
	when := ""
	if b.drives {
		when = clock(driven)
		if b.plan.Drive > 0 {
			when += " of " + clock(b.plan.Drive)
		}
	}
	c.ends(bold.Render(b.plan.Scenario)+soft.Render(" against ")+b.plan.Target, when)
	phase := string(b.last.Phase)
	if phase == "" {
		phase = string(report.Connecting)
	}
	sessions := fmt.Sprintf("%d of %d sessions", b.last.Sessions, b.plan.Sessions)
	room := c.width - 2 - 12 - 7 - len(sessions) - 2
	c.ends(fmt.Sprintf("%-11s ", phase)+fill.Render(bar(part, max(room, 5)))+fmt.Sprintf(" %3.0f %%", part*100), sessions)
}

// drawCharts draws a spark line each for what arrives and how late it is. On a
// tall screen they are taller.
func (b *board) drawCharts(c *canvas, height int) {
	rows := max(1, min(4, height/8-1))
	room := c.width - label - 2
	each := b.columns(room)
	chart := func(name, value string, values []float64) {
		if height >= roomy {
			c.line("")
		}
		for i, row := range spark(widen(values, each), room, rows) {
			head := ""
			if i == rows-1 {
				head = fmt.Sprintf("%-11s %*s", name, label-14, value)
			}
			c.line(fmt.Sprintf("%-*s", label-1, head) + fill.Render(row))
		}
	}
	s := &b.last
	if b.totals.Delivered > 0 {
		chart("delivered", report.Rate.Format(perSecond(s.Delivered, s)),
			b.series(func(s *report.Sample) float64 { return perSecond(s.Delivered, s) }))
	} else {
		chart("packages in", report.Rate.Format(perSecond(s.PackagesIn, s)),
			b.series(func(s *report.Sample) float64 { return perSecond(s.PackagesIn, s) }))
	}
	now := b.latest[b.main]
	for _, q := range []struct {
		name string
		now  float64
		of   func(report.Moment) float64
	}{
		{"p50", now.P50, func(m report.Moment) float64 { return m.P50 }},
		{"p99", now.P99, func(m report.Moment) float64 { return m.P99 }},
	} {
		chart(report.Family(b.main)+" "+q.name, report.Latency.Format(q.now), b.series(func(s *report.Sample) float64 { return q.of(s.Metrics[b.main]) }))
	}
}

// columns is how many columns a second has, so that the whole drive fills room.
func (b *board) columns(room int) int {
	if b.plan.Drive <= 0 {
		return 1
	}
	return max(1, room/max(1, int(b.plan.Drive.Seconds())+rampShown))
}

// rampShown is how many seconds of connecting and settling are expected to share
// a chart with the drive.
const rampShown = 3

// drawMetrics writes the table of latencies in at most room lines.
func (b *board) drawMetrics(c *canvas, room int) {
	names := b.metrics()
	width := max(12, min(40, c.width-57))
	if room < 2 {
		return
	}
	c.line(soft.Render(fmt.Sprintf("%-*s %9s %10s %10s %10s %8s", width, "latest", "in all", "p50", "p99", "max", "errors")))
	hidden := 0
	if len(names) > room-1 {
		// The last ones of a session's life tell most.
		hidden = len(names) - (room - 2)
		names = names[hidden:]
	}
	for _, name := range names {
		m, style := b.latest[name], plain
		if b.failed[name] > 0 {
			style = bad
		}
		c.line(fmt.Sprintf("%-*s %9d %10s %10s %10s %s", width, ansi.Truncate(name, width, "…"), b.counts[name],
			report.Latency.Format(m.P50), report.Latency.Format(m.P99), report.Latency.Format(m.Max),
			style.Render(fmt.Sprintf("%8d", b.failed[name]))))
	}
	if hidden > 0 {
		c.line(soft.Render(fmt.Sprintf("and %d more", hidden)))
	}
}

// foot is what stands at the bottom: what went wrong, and who is how busy.
func (b *board) foot(ending bool) []string {
	t, s := &b.totals, &b.last
	wrong := func(name string, n int64) string {
		if n > 0 {
			return bad.Render(fmt.Sprintf("%s %d", name, n))
		}
		return soft.Render(name + " 0")
	}
	busy := fmt.Sprintf("bot %s, %s", report.Cores.Format(s.BotCores), report.Bytes.Format(float64(s.BotRSS)))
	if s.ServerCores > 0 || s.ServerRSS > 0 {
		busy += fmt.Sprintf("   server %s, %s", report.Cores.Format(s.ServerCores), report.Bytes.Format(float64(s.ServerRSS)))
	}
	hint := "ctrl-c ends the run and reports"
	if ending {
		hint = "ending: waiting for what is still on its way"
	}
	return []string{
		strings.Join([]string{
			wrong("errors", b.failures()), wrong("dropped", t.Dropped), wrong("duplicated", t.Duplicated),
			wrong("out of order", t.OutOfOrder), wrong("late", t.Late), wrong("skipped", t.Skipped),
		}, "   "),
		fmt.Sprintf("acts %s   in %s   out %s", report.Rate.Format(perSecond(s.Sent, s)),
			report.Flow.Format(perSecond(s.BytesIn, s)), report.Flow.Format(perSecond(s.BytesOut, s))),
		busy,
		soft.Render(hint),
	}
}

// clock writes a time as minutes and seconds.
func clock(d time.Duration) string {
	seconds := int(d.Round(time.Second).Seconds())
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}
