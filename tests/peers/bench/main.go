// Command bench puts shaddock beside nano and a bare write(2) loop: it builds
// them, drives one after another with cmd/bot on loopback and prints one table.
// It needs Linux (the CPU times come from /proc) and about eight minutes; see
// the README beside it for what the numbers mean.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options is the command line.
type options struct {
	root    string
	only    string
	servers string
	json    string
	live    string
	cluster bool
	quick   bool
	rounds  int
	measure time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", "", "the repository; default: the one that holds the working directory")
	flag.StringVar(&o.only, "only", "", "loads to run, by comma: "+strings.Join(names(loads, func(l load) string { return l.name }), ", "))
	flag.StringVar(&o.servers, "servers", "", "servers to run, by comma: "+strings.Join(names(servers, func(s server) string { return s.name }), ", "))
	flag.StringVar(&o.json, "json", "", "file for all samples as JSON")
	flag.StringVar(&o.live, "live", "short", "live rooms: short, long, only (long, and nothing else), off")
	flag.BoolVar(&o.cluster, "cluster", false, "a room across nodes beside one on a server alone, and nothing else")
	flag.BoolVar(&o.quick, "quick", false, "one short round: shows that everything runs, measures little")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds of every load; default 3")
	flag.DurationVar(&o.measure, "measure", 0, "measured time of every round; default 5s")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// run returns an error when something failed to run or was lost, never because
// of a time.
func run(ctx context.Context, o options) error {
	root, err := repository(o.root)
	if err != nil {
		return err
	}
	live, err := o.liveTiming()
	if err != nil {
		return err
	}
	plan, err := choose(loads, o.only, func(l load) string { return l.name })
	if err != nil {
		return err
	}
	chosen, err := choose(servers, o.servers, func(s server) string { return s.name })
	if err != nil {
		return err
	}
	bin, err := os.MkdirTemp("", "shaddock-bench")
	if err != nil {
		return fmt.Errorf("make a folder for the binaries: %w", err)
	}
	defer os.RemoveAll(bin)

	if o.cluster {
		return o.runCluster(ctx, root, bin)
	}
	if o.live == "only" {
		plan, chosen = nil, servers[:1]
	}
	b := &bench{bin: bin, servers: chosen, timing: o.timing(), log: os.Stderr}
	m := describe(root)
	fmt.Fprintf(os.Stderr, "bench: building the bot and %d servers\n", len(chosen))
	if err := buildAll(root, bin, chosen); err != nil {
		return err
	}
	if err := b.run(ctx, plan); err != nil {
		return err
	}
	var liveErr error
	if live != (liveTiming{}) {
		b.live, liveErr = runLive(ctx, bin, live, os.Stderr)
	}
	b.print(os.Stdout, m, plan)
	printLive(os.Stdout, b.live)
	if o.json != "" {
		if err := b.save(o.json, m); err != nil {
			return err
		}
	}
	return errors.Join(b.outcome(), liveErr, liveOutcome(b.live))
}

// runCluster measures and prints the cluster's table.
func (o options) runCluster(ctx context.Context, root, bin string) error {
	m := describe(root)
	b, err := runCluster(ctx, root, bin, o)
	if err != nil {
		return err
	}
	b.print(os.Stdout, m)
	if o.json != "" {
		if err := saveJSON(o.json, struct {
			Machine  machine         `json:"machine"`
			Samples  []clusterSample `json:"samples"`
			Failures []failure       `json:"failures,omitempty"`
		}{m, b.samples, b.failures}); err != nil {
			return err
		}
	}
	return b.outcome()
}

// liveTiming is how long live rooms are measured, zero for not at all.
func (o options) liveTiming() (liveTiming, error) {
	switch o.live {
	case "short":
		if o.only != "" {
			return liveTiming{}, nil
		}
		return liveShort, nil
	case "off":
		return liveTiming{}, nil
	case "long", "only":
		return liveFull, nil
	}
	return liveTiming{}, fmt.Errorf("--live %s: give short, long, only or off", o.live)
}

func (o options) timing() timing {
	t := full
	if o.quick {
		t = quick
	}
	if o.rounds > 0 {
		t.rounds = o.rounds
	}
	if o.measure > 0 {
		t.measure = o.measure
	}
	return t
}

// outcome is the error of the whole run, nil for a good one. What a peer loses is
// on the page and no fault of ours.
func (b *bench) outcome() error {
	if n := len(b.failures); n > 0 {
		return fmt.Errorf("%d runs failed", n)
	}
	for _, s := range b.samples {
		if s.Server == "shaddock" && s.Lost+s.Faults > 0 {
			return fmt.Errorf("shaddock lost %d messages and made %d other faults under load %s", s.Lost, s.Faults, s.Load)
		}
	}
	return nil
}

// save writes everything that was measured.
func (b *bench) save(file string, m machine) error {
	return saveJSON(file, struct {
		Machine  machine      `json:"machine"`
		Samples  []sample     `json:"samples"`
		Live     []liveSample `json:"live,omitempty"`
		Failures []failure    `json:"failures,omitempty"`
	}{m, b.samples, b.live, b.failures})
}

func saveJSON(file string, v any) error {
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the samples: %w", err)
	}
	if err := os.WriteFile(file, append(out, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the samples: %w", err)
	}
	return nil
}

// repository finds the root: the folder above this module that has cmd/server.
func repository(given string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "cmd", "server", "main.go")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", errors.New("find the repository: run this inside it or give --root")
		}
	}
}

func names[T any](all []T, name func(T) string) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = name(v)
	}
	return out
}

// choose picks from all by name, in the order of all; "" picks everything.
func choose[T any](all []T, wanted string, name func(T) string) ([]T, error) {
	if wanted == "" {
		return all, nil
	}
	want := strings.Split(wanted, ",")
	for _, w := range want {
		if !slices.Contains(names(all, name), w) {
			return nil, fmt.Errorf("no %q; there are %s", w, strings.Join(names(all, name), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(v T) bool { return !slices.Contains(want, name(v)) }), nil
}
