package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// sample is one server under one load in one round.
type sample struct {
	Load      string  `json:"load"`
	Server    string  `json:"server"`
	Round     int     `json:"round"`
	Ops       int64   `json:"ops"` // deliveries received, or requests answered
	CPU       float64 `json:"cpu_seconds"`
	CPUMicros float64 `json:"cpu_us_per_op"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Max       float64 `json:"max_ms"`
	SessionKB float64 `json:"kb_per_session,omitempty"`           // the slope; see memory.go
	ProcessKB float64 `json:"process_kb_over_sessions,omitempty"` // all that is resident, by session
	Lost      int64   `json:"lost"`
	Faults    int64   `json:"faults"` // deliveries doubled or out of order, connections ended unasked
	Late      int64   `json:"late"`   // acts that the bot began more than 5 ms behind its plan
	Shares    shares  `json:"share_of_machine"`
	PerWrite  float64 `json:"messages_per_write,omitempty"` // 0: the server does not tell
}

// failure is a run that gave no sample.
type failure struct {
	Load   string `json:"load"`
	Server string `json:"server"`
	Round  int    `json:"round"`
	Text   string `json:"error"`
}

// bench runs the plan. It has one owner.
type bench struct {
	bin     string // folder of the binaries
	servers []server
	timing  timing
	log     io.Writer // progress

	samples  []sample
	live     []liveSample
	failures []failure
}

// run measures all loads. A run that fails is noted and the rest goes on; only
// the end of ctx stops it.
func (b *bench) run(ctx context.Context, plan []load) error {
	for _, l := range plan {
		rounds := b.timing.rounds
		if l.rounds > 0 {
			rounds = l.rounds
		}
		for round := range rounds {
			for _, s := range turns(b.servers, round) {
				begin := time.Now()
				got, err := b.measure(ctx, l, s)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					b.failures = append(b.failures, failure{l.name, s.name, round, err.Error()})
					fmt.Fprintf(b.log, "%-9s round %d  %-9s FAILED: %v\n", l.name, round+1, s.name, err)
					continue
				}
				got.Load, got.Server, got.Round = l.name, s.name, round
				b.samples = append(b.samples, got)
				fmt.Fprintf(b.log, "%-9s round %d  %-9s %s  (%.0f s)\n", l.name, round+1, s.name, got.brief(), time.Since(begin).Seconds())
			}
		}
	}
	return nil
}

// measure starts a fresh server, has the bot drive it and stops it.
func (b *bench) measure(ctx context.Context, l load, s server) (sample, error) {
	if l.scenario == "idle" {
		return b.measureMemory(ctx, l, s)
	}
	srv, err := s.start(b.bin, l.scenario == "chat")
	if err != nil {
		return sample{}, err
	}
	defer srv.Stop()

	report := filepath.Join(b.bin, "report.json")
	_ = os.Remove(report) // of the run before, or none
	bot, err := startBot(ctx, filepath.Join(b.bin, "bot"), botArgs(l, srv, b.timing.measure, report))
	if err != nil {
		return sample{}, err
	}
	eyes := watch(bot.pid(), srv.PID())
	meter := meterWrites(ctx, srv.metrics)
	err = bot.wait()
	eyes.stop()
	writes := meter.stop()
	if err != nil {
		return sample{}, err
	}
	select {
	case <-srv.Exited():
		return sample{}, fmt.Errorf("the server ended by itself; it printed:\n%s", srv.Output())
	default:
	}
	r, err := readReport(report)
	if err != nil {
		return sample{}, err
	}
	got := r.sample(l)
	if got.Ops == 0 {
		return sample{}, fmt.Errorf("nothing of what was sent arrived: %d lost; the bot printed:\n%s", got.Lost, bot.out)
	}
	got.Shares = eyes.between(r.Run.Begin, r.Run.End)
	got.PerWrite = perWrite(writes, r.Run.Begin, r.Run.End)
	return got, nil
}

// brief is the sample on a line of progress.
func (s sample) brief() string {
	if s.SessionKB > 0 {
		return fmt.Sprintf("%.2f KB per session, the whole process %.2f", s.SessionKB, s.ProcessKB)
	}
	return fmt.Sprintf("%.2f µs, p99 %.1f ms, server %.0f %%, bot %.0f %%, others %.0f %% of the machine",
		s.CPUMicros, s.P99, 100*s.Shares.Server, 100*s.Shares.Bot, 100*s.Shares.Others)
}

// of returns the samples of one server under one load.
func (b *bench) of(load, server string) []sample {
	return slices.DeleteFunc(slices.Clone(b.samples), func(s sample) bool {
		return s.Load != load || s.Server != server
	})
}
