package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
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

// exitLost is the bot's exit code for a run whose report counts faults of the server.
const exitLost = 99

// wait returns when the bot is done. That something was lost is no error here:
// the report says what.
func (b *bot) wait() error {
	err := b.cmd.Wait()
	if err != nil && b.cmd.ProcessState.ExitCode() != exitLost {
		return fmt.Errorf("bot: %w; it printed:\n%s", err, b.out)
	}
	return nil
}

// interrupt asks the bot to report now and waits for it.
func (b *bot) interrupt() error {
	_ = b.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended: wait tells why
	return b.wait()
}

// report is the part of the bot's JSON (schema 1) that the table needs.
type report struct {
	Run struct {
		Begin time.Time `json:"begin"` // of the measuring phase
		End   time.Time `json:"end"`
	} `json:"run"`
	Metrics map[string]latency `json:"metrics"`

	Deliveries struct {
		Received   int64 `json:"received"`
		Lost       int64 `json:"lost"`
		Duplicated int64 `json:"duplicated"`
		OutOfOrder int64 `json:"out_of_order"`
	} `json:"deliveries"`
	Sessions struct {
		Dropped int64 `json:"dropped"` // connections
	} `json:"sessions"`
	Schedule struct {
		Late int64 `json:"late"` // acts that the bot began behind its plan
	} `json:"schedule"`
	Server struct {
		CPUSeconds float64 `json:"cpu_seconds"`
	} `json:"server"`
}

// latency is one metric of the bot, in milliseconds.
type latency struct {
	Count  int64            `json:"count"`
	Errors map[string]int64 `json:"errors"`
	P50    float64          `json:"p50_ms"`
	P99    float64          `json:"p99_ms"`
	Max    float64          `json:"max_ms"`
}

// metric finds a metric by its name or, since the bot names routes behind it,
// the first of its kind: a load here uses one route each.
func (r *report) metric(kind string) latency {
	for name, m := range r.Metrics {
		if (name == kind || strings.HasPrefix(name, kind+"[")) && m.Count > 0 {
			return m
		}
	}
	return r.Metrics[kind]
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

// sample picks from the report what the load is about.
func (r *report) sample(l load) sample {
	d := r.Deliveries
	s := sample{
		Ops: d.Received, CPU: r.Server.CPUSeconds, Late: r.Schedule.Late,
		Lost: d.Lost, Faults: d.Duplicated + d.OutOfOrder + r.Sessions.Dropped,
	}
	metric := r.metric("push")
	if l.scenario == "echo" {
		metric = r.metric("request")
		s.Ops = metric.Count
		for _, n := range metric.Errors {
			s.Lost += n
		}
	}
	if s.Ops > 0 {
		s.CPUMicros = s.CPU * 1e6 / float64(s.Ops)
	}
	s.P50, s.P99, s.Max = metric.P50, metric.P99, metric.Max
	return s
}
