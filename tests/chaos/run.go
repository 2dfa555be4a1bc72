package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/tests/chaos/crowd"
	"github.com/shaddock-game/shaddock/tests/chaos/ledger"
	"github.com/shaddock-game/shaddock/tests/chaos/proof"
)

// config is one chaos run.
type config struct {
	seed       uint64
	length     time.Duration
	rooms      int
	every      time.Duration
	ttl        time.Duration
	dir        string
	partitions bool
}

// healed is how long after the last step every caller must have had an answer, and
// how long the nodes may take to come to rest without callers.
func (c config) healed() time.Duration { return 2*c.ttl + 20*time.Second }

// chaos carries one run out and reports it. The error says that it has not passed.
func chaos(ctx context.Context, cfg config, out io.Writer) error {
	keep := cfg.dir != ""
	if !keep {
		dir, err := os.MkdirTemp("", "shaddock-chaos-")
		if err != nil {
			return err
		}
		cfg.dir = dir
	}
	r := &run{cfg: cfg, out: out, members: topology(cfg.seed)}
	err := r.do(ctx)
	if err != nil {
		return fmt.Errorf("%w\nseed %d; logs in %s; again: go run -race ./tests/chaos --seed %d --for %v", err, cfg.seed, cfg.dir, cfg.seed, cfg.length)
	}
	if !keep {
		err = os.RemoveAll(cfg.dir)
	}
	return err
}

// run is one chaos run.
type run struct {
	cfg     config
	out     io.Writer
	members []member
	world   *world
	start   map[string]usage
	began   int64 // when the callers of the mistreated cluster came, by proof.Now
	steps   int   // what was done to it

	mu     sync.Mutex
	faults []string
}

func (r *run) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.out, format+"\n", args...)
}

func (r *run) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *run) do(ctx context.Context) (err error) {
	r.say("seed %d for %v: %d nodes, %d rooms, partitions %v, race detector %v",
		r.cfg.seed, r.cfg.length, len(r.members), r.cfg.rooms, r.cfg.partitions, watched())
	if r.world, err = newWorld(r.cfg.dir, r.members, r.cfg.partitions, r.cfg.ttl); err != nil {
		return err
	}
	defer r.world.close()
	if err := r.warm(ctx); err != nil {
		return err
	}
	callers, outages, err := r.mistreat(ctx)
	if err != nil {
		return err
	}
	r.leaks()
	r.words()
	rooms, err := r.world.roomEvents()
	if err != nil {
		return err
	}
	for _, f := range proof.Prove(rooms, callers, outages) {
		r.fault("%v", f)
	}
	r.summary(rooms, callers)
	if len(r.faults) == 0 {
		r.say("passed")
		return nil
	}
	if err := r.save(callers); err != nil {
		r.fault("%v", err)
	}
	return errors.New(strings.Join(append([]string{fmt.Sprintf("%d faults", len(r.faults))}, r.faults[:min(len(r.faults), 20)]...), "\n  "))
}

func (r *run) crowd() (*crowd.Crowd, error) {
	gates := r.world.gates(r.members)
	return crowd.Start(crowd.Config{
		Kinds: []string{ledger.Fleeting, ledger.Kept}, Rooms: r.cfg.rooms, Gates: gates,
		Every: r.cfg.every * time.Duration(len(gates)), // a room has as many callers
	})
}

// warm has everybody call once, so that what nodes hold afterwards is what they
// hold at rest.
func (r *run) warm(ctx context.Context) error {
	c, err := r.crowd()
	if err != nil {
		return err
	}
	r.everybody(ctx, c, "at the start")
	r.finish(ctx, c)
	r.start, err = r.world.atRest(r.cfg.healed())
	return err
}

// everybody waits until each caller has had an answer to something it asked from now
// on.
func (r *run) everybody(ctx context.Context, c *crowd.Crowd, when string) {
	since := proof.Now()
	end := time.Now().Add(r.cfg.healed())
	for len(c.Silent(since)) > 0 {
		if !wait(ctx, 50*time.Millisecond) {
			return
		}
		if time.Now().After(end) {
			silent := c.Silent(since)
			r.fault("no answer %s, %v long: %d callers, of them %v", when, r.cfg.healed(), len(silent), silent[:min(len(silent), 10)])
			return
		}
	}
	r.say("all %d callers have answers %s, after %.1f s", c.Size(), when, time.Duration(proof.Now()-since).Seconds())
}

func (r *run) mistreat(ctx context.Context) ([]proof.Event, []proof.Outage, error) {
	r.began = proof.Now()
	c, err := r.crowd()
	if err != nil {
		return nil, nil, err
	}
	s := newStage(r.world, r.say)
	steps := plan(r.cfg.seed, r.cfg.length, r.cfg.ttl, r.members, r.cfg.partitions)
	r.steps = len(steps)
	s.play(ctx, steps)
	r.faults = append(r.faults, s.faults...)
	for _, n := range r.world.Nodes() {
		if !n.Running() {
			r.fault("node %s has ended by itself", n.Name)
		}
	}
	r.everybody(ctx, c, "at the end")
	return r.finish(ctx, c), s.outages, ctx.Err()
}

// finish ends the callers; each room's last word must come in good time.
func (r *run) finish(ctx context.Context, c *crowd.Crowd) []proof.Event {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.healed())
	defer cancel()
	events := c.Finish(ctx)
	final := 0
	for _, e := range events {
		if e.What == proof.Final {
			final++
		}
	}
	if final != r.cfg.rooms {
		r.fault("%d of %d rooms said what they have", final, r.cfg.rooms)
	}
	return events
}

// leaks compares what nodes hold at rest with what they held before.
func (r *run) leaks() {
	end, err := r.world.atRest(r.cfg.healed())
	if err != nil {
		r.fault("%v", err)
		return
	}
	for name, u := range end {
		r.say("%s at rest: %v, before: %v", name, u, r.start[name])
		if u.leaks(most(r.start)) {
			r.fault("%s leaks: %v, before, at most: %v", name, u, most(r.start))
		}
	}
}

// words looks for what no process may have said.
func (r *run) words() {
	files, _ := filepath.Glob(filepath.Join(r.cfg.dir, "*.err")) // the pattern is a constant
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			r.fault("%v", err)
		}
		if bad := badWord(b); bad != "" {
			r.fault("%s says %s", f, bad)
		}
	}
}

// badWord returns the first of what no process may say, with what follows it.
func badWord(said []byte) string {
	for _, bad := range []string{"DATA RACE", "panic", "fatal error", "level=ERROR"} {
		if i := bytes.Index(said, []byte(bad)); i >= 0 {
			return string(said[i:min(len(said), i+300)])
		}
	}
	return ""
}

// summary says what came of the callers' messages.
func (r *run) summary(rooms, callers []proof.Event) {
	s := count(rooms, callers, r.steps, r.began)
	for _, x := range s.lacks(r.cfg, len(r.world.gates(r.members))*r.cfg.rooms) {
		r.fault("%s", x)
	}
	r.say("%d things done; %d rooms began anew, %d of them as they were saved", s.steps, s.moved, s.restored)
	counts := make(map[string]int)
	refused := make(map[string]int)
	for _, e := range callers {
		counts[e.What]++
		if e.What == proof.Refused {
			refused[e.Note]++
		}
	}
	r.say("%d calls: %d answered, %d not: %v; %d pushes, %d resyncs, %d connections cut",
		counts[proof.Asked], counts[proof.Got], counts[proof.Refused], refused, counts[proof.Heard], counts[proof.Resync], counts[proof.Cut])
}

// save writes the callers' events beside those of the rooms.
func (r *run) save(callers []proof.Event) error {
	l, err := proof.Create(filepath.Join(r.cfg.dir, "callers.log"))
	if err != nil {
		return err
	}
	slices.SortStableFunc(callers, func(a, b proof.Event) int { return int(a.At - b.At) })
	for _, e := range callers {
		l.Write(e)
	}
	return l.Close()
}
