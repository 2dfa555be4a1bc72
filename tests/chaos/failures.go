package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/shaddock-game/shaddock/tests/chaos/crowd"
	"github.com/shaddock-game/shaddock/tests/chaos/ledger"
	"github.com/shaddock-game/shaddock/tests/chaos/proof"
)

// failure is one line of the table: what is done to three nodes, each gate and host,
// whose rooms are all called by a caller at each gate once a second.
type failure struct {
	name    string
	kind    string // of the rooms, fleeting when empty
	network bool   // partitions are needed
	watch   time.Duration
	do      func(ctx context.Context, f *field) error
	goals   []goal
}

// field is where one failure happens.
type field struct {
	*world
	stage   *stage
	victims []string // nodes whose own callers are counted apart
	began   int64
	ended   int64 // when what was done had been undone; began when it never is
}

// hit begins a failure: from now on it counts, for the callers of the nodes apart.
func (f *field) hit(nodes ...string) {
	f.victims, f.began = nodes, proof.Now()
	f.ended = f.began
}

func nothing(_ context.Context, f *field) error {
	f.hit()
	return nil
}

func kill1(_ context.Context, f *field) error {
	f.hit("n3")
	f.node("n3").Kill()
	return nil
}

func kill2(_ context.Context, f *field) error {
	f.hit("n2", "n3")
	f.node("n3").Kill()
	f.node("n2").Kill()
	for _, n := range []string{"n4", "n5"} {
		if _, err := f.add(member{n, true, true}); err != nil {
			return err
		}
	}
	return nil
}

func stopForEver(_ context.Context, f *field) error {
	f.hit("n3")
	return f.node("n3").Pause()
}

func pullCable(_ context.Context, f *field) error {
	f.hit("n3")
	return f.network.Leave("n3")
}

func joinOne(_ context.Context, f *field) error {
	f.hit()
	_, err := f.add(member{"n4", true, true})
	return err
}

func leaveOne(_ context.Context, f *field) error {
	f.hit()
	return f.node("n3").Stop()
}

// rolling restarts one node after the other.
func rolling(ctx context.Context, f *field) error {
	f.hit()
	for _, n := range f.Nodes() {
		if err := errors.Join(n.Stop(), n.Start()); err != nil {
			return err
		}
		wait(ctx, time.Second) // until a load balancer has seen it
	}
	return nil
}

// hold does one step of a plan to the last node.
func hold(do deed, d time.Duration) func(context.Context, *field) error {
	return func(ctx context.Context, f *field) error {
		s := step{do: do, lasts: d}
		if do != stopEtcd && do != freezeEtcd {
			s.nodes = []string{"n3"}
		}
		f.hit(s.nodes...)
		err := f.stage.act(ctx, s, nil)
		f.ended = proof.Now()
		return err
	}
}

// table is what the issue asks for, in its order.
var table = []failure{
	{name: "nothing, for comparison", watch: 8 * time.Second, do: nothing, goals: []goal{noneFailed, noneMoved, noneCut}},
	{name: "kill -9", watch: 8 * time.Second, do: kill1, goals: []goal{noneFailed, answersWithin(time.Second)}},
	{name: "kill -9 of two at once, two others join", watch: 8 * time.Second, do: kill2, goals: []goal{noneFailed, answersWithin(time.Second)}},
	{name: "the cable is pulled", network: true, watch: 20 * time.Second, do: pullCable, goals: []goal{answersWithin(lease)}},
	{name: "SIGSTOP for ever", watch: 20 * time.Second, do: stopForEver, goals: []goal{answersWithin(lease)}},
	{name: "a node joins", watch: 8 * time.Second, do: joinOne, goals: []goal{noneFailed, noneMoved}},
	{name: "SIGTERM, saving takes 0.5 s", kind: ledger.Slow, watch: 5 * time.Second, do: leaveOne, goals: []goal{noneFailed, longest(time.Second + ledger.SaveTime)}},
	{name: "all restarted in turn", watch: 5 * time.Second, do: rolling, goals: []goal{noneFailed}},
	{name: "SIGSTOP for 3 s", watch: 10 * time.Second, do: hold(freeze, 3*time.Second)},
	{name: "SIGSTOP for 15 s", watch: 10 * time.Second, do: hold(freeze, 15*time.Second), goals: []goal{answersWithin(lease)}},
	{name: "cut off from etcd for 15 s", network: true, watch: 10 * time.Second, do: hold(cutEtcd, 15*time.Second), goals: []goal{noneCut}},
	{name: "etcd stopped for 8 s", watch: 10 * time.Second, do: hold(stopEtcd, 8*time.Second), goals: []goal{noneCut}},
	{name: "etcd stopped for 30 s", watch: 15 * time.Second, do: hold(stopEtcd, 30*time.Second), goals: []goal{noneCut}},
}

// lease is the time to live of a node's lease, by default.
const lease = 10 * time.Second

// failures prints the table; the error says that a goal was missed.
func failures(ctx context.Context, args []string, partitions bool) error {
	flags := flag.NewFlagSet("failures", flag.ExitOnError)
	rooms := flags.Int("rooms", 1000, "rooms, each called by every gate once a second")
	only := flags.String("only", "", "only the lines whose name matches")
	_ = flags.Parse(args) // it exits
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	var missed []error
	fmt.Println(heading)
	for i, f := range table {
		if !match.MatchString(f.name) {
			continue
		}
		if f.network && !partitions {
			fmt.Printf("| %s | not on this machine |\n", f.name)
			continue
		}
		r, err := f.run(ctx, i, *rooms, partitions)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		fmt.Println(r)
		for _, g := range f.goals {
			if err := g(r); err != nil {
				missed = append(missed, fmt.Errorf("%s: %w", f.name, err))
			}
		}
		for _, x := range r.faults {
			missed = append(missed, fmt.Errorf("%s: %s", f.name, x))
		}
	}
	return errors.Join(missed...)
}

// run makes one failure happen in a cluster of its own.
func (f *failure) run(ctx context.Context, _, rooms int, partitions bool) (r *row, err error) {
	dir, err := os.MkdirTemp("", "shaddock-failure-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	members := []member{{"n1", true, true}, {"n2", true, true}, {"n3", true, true}}
	w, err := newWorld(dir, members, partitions, lease, quietEnv+"=1")
	if err != nil {
		return nil, err
	}
	defer w.close()
	kind := f.kind
	if kind == "" {
		kind = ledger.Fleeting
	}
	c, err := crowd.Start(crowd.Config{Kinds: []string{kind}, Rooms: rooms, Gates: w.gates(members), Every: time.Second})
	if err != nil {
		return nil, err
	}
	since := proof.Now()
	for len(c.Silent(since)) > 0 {
		if !wait(ctx, 100*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
	wait(ctx, 3*time.Second)
	// The failure comes as a gate that lives on begins to call all rooms: whoever
	// called a room a second later could not say that it had answered before.
	wait(ctx, c.Round())
	at := &field{world: w, stage: newStage(w, func(string, ...any) {})}
	if err := f.do(ctx, at); err != nil {
		return nil, err
	}
	wait(ctx, f.watch)
	end := proof.Now()
	wait(ctx, 6*time.Second) // for the answers to what was asked until then
	r = &row{name: f.name, size: rooms, silent: len(c.Silent(end))}
	callers := c.Abandon(ctx)
	for _, n := range at.victims { // what has stopped logs no more, and may be stopped still
		w.node(n).Kill()
	}
	events, err := w.roomEvents()
	if err != nil {
		return nil, err
	}
	r.judge(events, callers, at, end)
	return r, ctx.Err()
}
