package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// botGrace is how long a bot may take to report after ^C.
const botGrace = 3 * time.Second

// bot is a running load generator.
type bot struct {
	cmd *exec.Cmd
	out *bytes.Buffer
}

// botArgs is the command line for a load.
func botArgs(l load, srv *running, measure time.Duration, report string) []string {
	args := []string{
		"--scenario", l.scenario,
		"--addr", srv.url,
		"--sessions", strconv.Itoa(l.sessions),
		"--rooms", strconv.Itoa(l.rooms),
		"--rate", strconv.Itoa(l.rate),
		"--duration", measure.String(),
		"--pid", strconv.Itoa(srv.PID()),
		"--json", report,
	}
	return args
}

// startBot runs the generator; it is interrupted when ctx ends.
func startBot(ctx context.Context, binary string, args []string) (*bot, error) {
	b := &bot{cmd: exec.CommandContext(ctx, binary, args...), out: new(bytes.Buffer)}
	b.cmd.Stdout, b.cmd.Stderr = b.out, b.out
	b.cmd.Cancel = func() error { return b.cmd.Process.Signal(syscall.SIGTERM) }
	b.cmd.WaitDelay = botGrace
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the bot: %w", err)
	}
	return b, nil
}

func (b *bot) pid() int { return b.cmd.Process.Pid }

// wait returns when the bot is done. The report says whether anything was lost;
// the exit code says it again.
func (b *bot) wait() error {
	if err := b.cmd.Wait(); err != nil {
		return fmt.Errorf("bot: %w; it printed:\n%s", err, b.out)
	}
	return nil
}

// report is the part of the bot's JSON that the table needs.
type report struct {
	Begin      time.Time          `json:"begin"`
	End        time.Time          `json:"end"`
	Metrics    map[string]latency `json:"metrics"`
	Received   int64              `json:"received"`
	Lost       int64              `json:"lost"`
	ServerCPU  float64            `json:"server_cpu_seconds"`
	CPUMicros  float64            `json:"server_cpu_us_per_op"`
	PerSession float64            `json:"server_rss_per_session"`
}

type latency struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func readReport(file string) (*report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the bot's report: %w", err)
	}
	r := new(report)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("read the bot's report: %w", err)
	}
	return r, nil
}

func (r *report) begin() time.Time { return r.Begin }
func (r *report) end() time.Time   { return r.End }

func (r *report) sample(l load) sample {
	m := r.Metrics["push"]
	if l.scenario == "echo" {
		m = r.Metrics["request"]
	}
	s := sample{Ops: r.Received, CPU: r.ServerCPU, CPUMicros: r.CPUMicros, P50: m.P50, P99: m.P99, Max: m.Max, Lost: r.Lost}
	if l.scenario == "idle" {
		s.SessionKB = r.PerSession / 1024
	}
	return s
}
