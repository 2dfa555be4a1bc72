package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clusterSample is one arrangement under one load in one round.
type clusterSample struct {
	sample
	// Remote is how many messages the room's node sent to others, for each push and
	// gate; 0 for a server alone.
	Remote float64 `json:"remote_messages_per_push_and_gate,omitempty"`
}

// clusterBench measures a room on one server and across nodes, in turn. It has one
// owner.
type clusterBench struct {
	bin, etcd string
	rounds    int // 0: as many as each load wants
	measure   time.Duration
	log       io.Writer

	samples  []clusterSample
	failures []failure
}

// runCluster builds what it needs into bin and measures; only the end of ctx, and
// what keeps everything from running, is an error.
func runCluster(ctx context.Context, root, bin string, o options) (*clusterBench, error) {
	b := &clusterBench{bin: bin, rounds: o.rounds, measure: o.measure, log: os.Stderr}
	if o.quick {
		b.rounds, b.measure = 1, 3*time.Second
	}
	fmt.Fprintln(b.log, "bench: building the bot, shaddock and etcd")
	if err := buildAll(root, bin, servers[:1]); err != nil {
		return nil, err
	}
	store, url, err := startEtcd(root, bin)
	if err != nil {
		return nil, err
	}
	defer store.Stop()
	b.etcd = url
	return b, b.run(ctx)
}

func (b *clusterBench) run(ctx context.Context) error {
	for _, l := range clusterLoads {
		if b.rounds > 0 {
			l.rounds = b.rounds
		}
		if b.measure > 0 {
			l.measure = b.measure
		}
		for round := range l.rounds {
			for _, a := range turns(arrangements, round) {
				got, err := b.sample(ctx, l, a)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					b.failures = append(b.failures, failure{l.name, a.name, round, err.Error()})
					fmt.Fprintf(b.log, "%-5s round %d  %-11s FAILED: %v\n", l.name, round+1, a.name, err)
					continue
				}
				got.Round = round
				b.samples = append(b.samples, got)
				fmt.Fprintf(b.log, "%-5s round %d  %-11s %s\n", l.name, round+1, a.name, got.brief())
			}
		}
	}
	return nil
}

// sample starts fresh processes, has the bot drive them and stops them.
func (b *clusterBench) sample(ctx context.Context, l clusterLoad, a arrangement) (got clusterSample, err error) {
	f, err := deploy(ctx, b.bin, b.etcd, a)
	if err != nil {
		return got, err
	}
	defer f.stop()
	file := filepath.Join(b.bin, "report.json")
	_ = os.Remove(file) // of the run before, or none
	bot, err := startBot(ctx, filepath.Join(b.bin, "bot"), f.botArgs(l, file))
	if err != nil {
		return got, err
	}
	eyes := watch(bot.pid(), f.pids()...)
	writes, host := meterWrites(ctx, f.metric), meterWrites(ctx, f.host)
	err = bot.wait()
	eyes.stop()
	wrote, said := writes.stop(), host.stop()
	if err != nil {
		return got, err
	}
	r, err := readReport(file)
	if err != nil {
		return got, err
	}
	got.sample = r.sample(load{scenario: "chat"})
	got.Load, got.Server = l.name, a.name
	if got.Ops == 0 {
		return got, fmt.Errorf("nothing of what was sent arrived: %d lost; the bot printed:\n%s", got.Lost, bot.out)
	}
	got.Shares = eyes.between(r.Run.Begin, r.Run.End)
	got.PerWrite = perWrite(wrote, r.Run.Begin, r.Run.End)
	if first, last := within(said, r.Run.Begin, r.Run.End); a.gates > 0 && last.at.After(first.at) {
		got.Remote = (last.remote - first.remote) / last.at.Sub(first.at).Seconds() / float64(l.rate*a.gates)
	}
	return got, nil
}

// botArgs is the command line for a load: members in turn on every gate.
func (f *clusterFleet) botArgs(l clusterLoad, report string) []string {
	pids := make([]string, len(f.all))
	for i, pid := range f.pids() {
		pids[i] = strconv.Itoa(pid)
	}
	return []string{
		"--scenario", "chat", "--addr", strings.Join(f.urls, ","), "--mix",
		"--sessions", strconv.Itoa(clusterMembers), "--rooms", "1", "--rate", strconv.Itoa(l.rate),
		"--duration", l.measure.String(), "--settle", "2s",
		"--pid", strings.Join(pids, ","), "--json", report,
	}
}

// outcome is the error of the whole run: something failed or was lost, never a time.
func (b *clusterBench) outcome() error {
	var errs []error
	if n := len(b.failures); n > 0 {
		errs = append(errs, fmt.Errorf("%d runs failed", n))
	}
	for _, s := range b.samples {
		if s.Lost+s.Faults > 0 {
			errs = append(errs, fmt.Errorf("%s, %s, round %d: %d messages lost, %d other faults", s.Load, s.Server, s.Round+1, s.Lost, s.Faults))
		}
	}
	return errors.Join(errs...)
}
