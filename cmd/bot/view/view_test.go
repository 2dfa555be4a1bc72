package view

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from what is recorded; run with -update and look at the change:\n%s", name, got)
	}
}

var examplePlan = Plan{Scenario: "chat", Target: "ws://127.0.0.1:3250/nano", Sessions: 400, Drive: 20 * time.Second}

// samples is a run of 16 seconds so far: two to connect, one to settle, then a
// load during which the server slows down once and drops somebody.
func samples() (out []report.Sample) {
	for i := range 16 {
		s := report.Sample{At: float64(i + 1), Seconds: 1, Phase: report.Measuring, Sessions: 400, BotCores: 0.25, BotRSS: 30 << 20}
		switch {
		case i < 2:
			s.Phase, s.Sessions = report.Connecting, int64(200*(i+1))
			s.Metrics = map[string]report.Moment{"connect": {Count: 200, P50: 1, P90: 2, P99: 3, Max: 4.5}}
		case i == 2:
			s.Phase = report.Settling
		default:
			slow := float64(1 + 9*(i%6/5))
			s.Planned, s.Sent, s.Delivered = 40, 40, int64(2000/slow)
			s.BytesIn, s.BytesOut, s.ServerCores, s.ServerRSS = 200<<10, 4<<10, 0.5, 24<<20
			s.Metrics = map[string]report.Moment{
				"push[onMessage]":                  {Count: s.Delivered, P50: 2 * slow, P90: 4 * slow, P99: 8.5 * slow, Max: 12 * slow},
				"request[a.route.that.goes.on.on]": {Count: 40, Errors: int64(i % 2), P50: 0.05, P99: 12_000, Max: 20_000},
			}
		}
		if i == 10 {
			s.Dropped, s.Late = 1, 7
		}
		out = append(out, s)
	}
	return out
}

func TestScreens(t *testing.T) {
	b := newBoard(examplePlan)
	for _, s := range samples() {
		b.add(s)
	}
	for _, size := range [][2]int{{80, 24}, {120, 40}, {40, 10}} {
		w, h := size[0], size[1]
		text := b.draw(w, h, false)
		lines := strings.Split(text, "\n")
		if len(lines) != h {
			t.Errorf("%d×%d: %d lines", w, h, len(lines))
		}
		for _, l := range lines {
			if lipgloss.Width(l) > w {
				t.Errorf("%d×%d: a line of %d cells: %q", w, h, lipgloss.Width(l), ansi.Strip(l))
			}
		}
		golden(t, fmt.Sprintf("screen%dx%d.txt", w, h), ansi.Strip(text)+"\n")
	}
}

func TestAScreenBeforeTheFirstSample(t *testing.T) {
	text := ansi.Strip(newBoard(examplePlan).draw(80, 24, true))
	for _, want := range []string{"connecting", "0 of 400 sessions", "ending: waiting"} {
		if !strings.Contains(text, want) {
			t.Errorf("the screen lacks %q:\n%s", want, text)
		}
	}
}

func TestLinesAreTheRecordedForm(t *testing.T) {
	var out bytes.Buffer
	l := NewLines(&out, examplePlan)
	for _, s := range samples() {
		l.Sample(s)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "lines.txt", out.String())
}

func TestHistoryIsBounded(t *testing.T) {
	b := newBoard(Plan{})
	for i := range 10 * remembered {
		b.add(report.Sample{At: float64(i), Seconds: 1, Delivered: 1})
	}
	if len(b.history) != remembered || b.totals.Delivered != 10*remembered {
		t.Errorf("%d samples kept, %d deliveries counted", len(b.history), b.totals.Delivered)
	}
}

func TestSpark(t *testing.T) {
	for _, test := range []struct {
		values      []float64
		width, rows int
		want        []string
	}{
		{nil, 5, 1, []string{""}},
		{[]float64{0, 0}, 5, 1, []string{"  "}},
		{[]float64{1, 2, 4, 8}, 5, 1, []string{"▁▂▄█"}},
		{[]float64{0.001, 100}, 5, 1, []string{"▁█"}}, // what is above 0 is seen
		{[]float64{9, 1, 2}, 2, 1, []string{"▄█"}},    // scaled to what is shown
		{[]float64{1, 2, 3, 4}, 4, 2, []string{"  ▄█", "▄███"}},
		{[]float64{5}, 0, 1, []string{""}},
	} {
		if got := spark(test.values, test.width, test.rows); !slices.Equal(got, test.want) {
			t.Errorf("spark(%v, %d, %d) = %q, want %q", test.values, test.width, test.rows, got, test.want)
		}
	}
}

func TestProgress(t *testing.T) {
	b := newBoard(Plan{Sessions: 10, Drive: 4 * time.Second})
	for _, step := range []struct {
		sample report.Sample
		part   float64
		driven time.Duration
	}{
		{report.Sample{At: 1, Seconds: 1, Phase: report.Connecting, Sessions: 5}, 0.5, 0},
		{report.Sample{At: 2, Seconds: 1, Phase: report.Settling, Sessions: 10}, 1, 0},
		{report.Sample{At: 3, Seconds: 1, Phase: report.WarmUp, Sessions: 10}, 0.25, time.Second},
		{report.Sample{At: 5, Seconds: 2, Phase: report.Measuring, Sessions: 10}, 0.75, 3 * time.Second},
		{report.Sample{At: 5.5, Seconds: 0.5, Phase: report.Draining, Sessions: 10}, 1, 3500 * time.Millisecond},
	} {
		b.add(step.sample)
		if part, driven := b.progress(); part != step.part || driven != step.driven {
			t.Errorf("after %gs: %g done, %v driven; want %g, %v", step.sample.At, part, driven, step.part, step.driven)
		}
	}
}

func TestTheUserEndsTheRunOnce(t *testing.T) {
	ended := 0
	m := &model{board: newBoard(examplePlan), interrupt: func() { ended++ }}
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	ctrlC := tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
	m.Update(tea.KeyPressMsg{Code: 'x', Text: "x"})
	if ended != 0 {
		t.Fatal("any key ends the run")
	}
	m.Update(ctrlC)
	m.Update(ctrlC)
	if ended != 1 || !strings.Contains(ansi.Strip(m.View().Content), "ending") {
		t.Errorf("ctrl-c ended the run %d times; the screen says so: %t", ended, strings.Contains(m.View().Content, "ending"))
	}
}
