package grains_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/shaddock-game/shaddock/actors/cluster/grains"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/storetest"
)

// town is a few protoactor clusters of one process around one store.
type town struct {
	*testing.T
	store *store.Memory

	mu     sync.Mutex
	active map[string]map[string]bool // grain → nodes on which it is active
	twice  []string
}

// member is one node of a town.
type member struct {
	*cluster.Cluster
	*grains.Placement
	town   *town
	name   string
	store  *storetest.Faulty
	dead   atomic.Bool
	fenced chan error
}

func newTown(t *testing.T) *town {
	oneRemote(t)
	return &town{T: t, store: store.NewMemory(), active: make(map[string]map[string]bool)}
}

// oneRemote skips a test of several systems where that is a race of protoactor's.
func oneRemote(t *testing.T) {
	if raceEnabled {
		t.Skip("two remotes in one process race with each other")
	}
}

// begin and end keep account of who is active where; what runs on a node that was
// killed does not count.
func (t *town) begin(m *member, grain string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active[grain] == nil {
		t.active[grain] = make(map[string]bool)
	}
	if len(t.active[grain]) > 0 {
		t.twice = append(t.twice, fmt.Sprintf("%s on %s, is active on %v", grain, m.name, t.active[grain]))
	}
	t.active[grain][m.name] = true
}

func (t *town) end(m *member, grain string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.active[grain], m.name)
}

func (t *town) bury(m *member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, nodes := range t.active {
		delete(nodes, m.name)
	}
}

// where returns the node on which each grain is active, and fails if one is active
// twice or was.
func (t *town) where() map[string]string {
	t.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.twice) > 0 {
		t.Fatalf("active twice: %s", strings.Join(t.twice, "; "))
	}
	at := make(map[string]string)
	for grain, nodes := range t.active {
		for n := range nodes {
			at[grain] = n
		}
	}
	return at
}

// counter is a grain: it answers who it is, and how often it was asked.
type counter struct {
	member *member
	name   string
	n      int
}

func (g *counter) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *cluster.ClusterInit:
		g.name = m.Identity.Identity
		g.member.town.begin(g.member, g.name)
	case *actor.Stopped:
		g.member.town.end(g.member, g.name)
	case *wrapperspb.StringValue:
		if m.Value == "stop" {
			c.Stop(c.Self())
		}
		g.n++
		c.Respond(wrapperspb.String(fmt.Sprintf("%s %d %d", g.member.name, grains.Epoch(c.Self()), g.n)))
	}
}

const kind = "counter"

func (t *town) start(name string) *member {
	m := &member{town: t, name: name, store: storetest.NewFaulty(t.store), fenced: make(chan error, 1)}
	m.Placement = grains.New(grains.Config{
		Open:   func() (store.Store, error) { return shared{m.store}, nil },
		TTL:    3 * time.Second,
		Fenced: func(err error) { m.fenced <- err },
	})
	m.Cluster = begin(m.Placement, cluster.NewKind(kind, actor.PropsFromProducer(func() actor.Actor { return &counter{member: m} })))
	m.StartMember()
	t.Cleanup(m.kill)
	return m
}

func begin(p *grains.Placement, k *cluster.Kind) *cluster.Cluster {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	return cluster.New(system, p.Configure("town", remote.Configure("127.0.0.1", 0), cluster.WithKinds(k)))
}

// shared is a store that a placement may close without closing it for others.
type shared struct{ store.Store }

func (shared) Close() error { return nil }

// startAll starts members at the same time.
func (t *town) startAll(names ...string) (all []*member) {
	all = make([]*member, len(names))
	var up sync.WaitGroup
	for i, name := range names {
		up.Go(func() { all[i] = t.start(name) })
	}
	up.Wait()
	return all
}

// kill ends a member as kill -9 does: its port refuses connections, its lease lives
// on.
func (m *member) kill() {
	if m.dead.Swap(true) {
		return
	}
	m.Remote.Shutdown(false)
	_ = m.Placement.Provider().Shutdown(false)
	m.town.bury(m)
}

func (m *member) ask(grain, what string) (string, error) { return ask(m.Placement, grain, what) }

func ask(p *grains.Placement, grain, what string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := p.Call(ctx, grain, kind, wrapperspb.String(what))
	if err != nil {
		return "", err
	}
	s, ok := r.(*wrapperspb.StringValue)
	if !ok {
		return "", fmt.Errorf("answered %T", r)
	}
	return s.Value, nil
}

// askAll has every member ask every grain at the same time, and returns how long the
// slowest answer took.
func (t *town) askAll(what string, n int, by ...*member) time.Duration {
	t.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for _, m := range by {
		for i := range n {
			all.Go(func() {
				if _, err := m.ask(fmt.Sprint("grain ", i), "who"); err != nil {
					t.Errorf("%s: %s asks grain %d: %v", what, m.name, i, err)
				}
			})
		}
	}
	all.Wait()
	if got := len(t.where()); got != n {
		t.Fatalf("%s: %d grains are active, want %d", what, got, n)
	}
	return time.Since(began)
}

// Single activation, sticky on join, healed after a kill and handed over by a drain:
// what protoactor's own lookup does not keep (PROTOACTOR notes, 3.1).
func TestGrainsOfATown(t *testing.T) {
	tn := newTown(t)
	const n = 60
	m := tn.startAll("a", "b", "c")
	tn.askAll("all start together", n, m...)
	was := tn.where()
	per := make(map[string]int)
	for _, node := range was {
		per[node]++
	}
	if len(per) != 3 {
		t.Fatalf("grains are on %v, want some on each of three", per)
	}

	d := tn.start("d")
	tn.askAll("a node has joined", n, append(m, d)...)
	for grain, node := range tn.where() {
		if was[grain] != node {
			t.Errorf("%s moved from %s to %s for a node that joined", grain, was[grain], node)
		}
	}

	m[0].kill()
	took := tn.askAll("a node was killed", n, m[1], m[2], d)
	t.Logf("all grains answered %v after the kill", took.Round(time.Millisecond))
	if took > 2500*time.Millisecond {
		t.Errorf("it took %v: as long as a lease", took)
	}
	for grain, node := range tn.where() {
		if was[grain] != node && was[grain] != "a" {
			t.Errorf("%s moved from %s to %s though its node lives", grain, was[grain], node)
		}
	}

	left := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		left <- m[1].Leave(ctx)
	}()
	for range 5 {
		tn.askAll("a node leaves", n, m[2], d)
	}
	if err := <-left; err != nil {
		t.Error(err)
	}
	tn.askAll("it has left", n, m[2], d)
	for grain, node := range tn.where() {
		if node == "b" {
			t.Errorf("%s is still on the node that left", grain)
		}
	}
}

// Whoever asks first, and however many at a time: one activation; and a grain that
// stops is followed by another with a higher epoch.
func TestFirstRequests(t *testing.T) {
	tn := newTown(t)
	m := tn.startAll("a", "b")
	c := grains.New(grains.Config{Open: func() (store.Store, error) { return shared{tn.store}, nil }})
	outside := begin(c, cluster.NewKind("unused", actor.PropsFromFunc(func(actor.Context) {})))
	outside.StartClient()
	t.Cleanup(func() {
		if err := c.Leave(context.Background()); err != nil {
			t.Error(err)
		}
		outside.Remote.Shutdown(false)
	})
	for i := range 30 {
		grain := fmt.Sprint("grain ", i)
		answers := make([]string, 6)
		var all sync.WaitGroup
		for j := range answers {
			all.Go(func() {
				asker := []*grains.Placement{m[0].Placement, m[1].Placement, c}[j%3]
				var err error
				if answers[j], err = ask(asker, grain, "who"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var node string
		var epoch uint64
		for _, a := range answers {
			var who string
			var e, count uint64
			if _, err := fmt.Sscan(a, &who, &e, &count); err != nil {
				t.Fatalf("%s answered %q", grain, a)
			}
			if node != "" && (who != node || e != epoch) {
				t.Fatalf("%s answered from two places: %q", grain, answers)
			}
			node, epoch = who, e
		}
		if _, err := m[0].ask(grain, "stop"); err != nil {
			t.Fatal(err)
		}
		again, err := m[1].ask(grain, "who")
		if err != nil {
			t.Fatal(err)
		}
		var who string
		var next uint64
		if _, err := fmt.Sscan(again, &who, &next); err != nil || next <= epoch {
			t.Fatalf("%s stopped at epoch %d and answers %q", grain, epoch, again)
		}
	}
	tn.where()
}

// A node that may have lost its lease answers nothing, and one that has is out for
// good; its grains go on elsewhere.
func TestFence(t *testing.T) {
	tn := newTown(t)
	m := tn.startAll("a", "b")
	const n = 20
	tn.askAll("all is well", n, m...)
	on := func(name string) (some []string) {
		for grain, node := range tn.where() {
			if node == name {
				some = append(some, grain)
			}
		}
		return some
	}
	mine := on("a")
	if len(mine) == 0 {
		t.Fatal("nothing on a")
	}
	m[0].store.Break()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := m[0].Cluster.Request(mine[0], kind, wrapperspb.String("who"), cluster.WithTimeout(200*time.Millisecond), cluster.WithRetryCount(1)); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a grain answers long after its lease has ended")
		}
	}
	tn.bury(m[0]) // they answer nothing from here on
	for _, grain := range mine {
		if a, err := m[1].ask(grain, "who"); err != nil || !strings.HasPrefix(a, "b ") {
			t.Fatalf("%s answered %q, %v; want it on b", grain, a, err)
		}
	}
	m[0].store.Heal()
	select {
	case err := <-m[0].fenced:
		if err == nil {
			t.Error("fenced without a reason")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the node that lost its lease was not told so")
	}
	if pid := m[0].Cluster.Get(mine[0], kind); pid != nil {
		t.Errorf("a node that is out still finds %v", pid)
	}
	tn.where()
}

// "The same lookup over memory for a node alone", and what the directory does not
// start does not end it.
func TestAlone(t *testing.T) {
	p := grains.New(grains.Config{})
	var broken atomic.Bool
	broken.Store(true)
	tn := &town{T: t, active: make(map[string]map[string]bool)}
	m := &member{town: tn, name: "alone"}
	c := begin(p, cluster.NewKind(kind, actor.PropsFromProducer(func() actor.Actor {
		if broken.Swap(false) {
			panic("on purpose")
		}
		return &counter{member: m}
	})))
	c.StartMember()
	for i := range 20 {
		if a, err := ask(p, fmt.Sprint("grain ", i), "who"); err != nil || !strings.HasPrefix(a, "alone ") {
			t.Fatalf("answered %q, %v", a, err)
		}
	}
	if err := p.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(tn.where()); n != 0 {
		t.Errorf("%d grains are active after the node left", n)
	}
	c.Remote.Shutdown(false)
}

// What cannot be opened is reported, not joined.
func TestOpenFails(t *testing.T) {
	oneRemote(t)
	p := grains.New(grains.Config{Open: func() (store.Store, error) { return nil, storetest.ErrBroken }})
	c := begin(p, cluster.NewKind(kind, actor.PropsFromFunc(func(actor.Context) {})))
	c.Remote = remote.NewRemote(c.ActorSystem, c.Config.RemoteConfig)
	c.Remote.Start()
	defer c.Remote.Shutdown(false)
	if err := p.Provider().StartMember(c); !errors.Is(err, storetest.ErrBroken) {
		t.Fatalf("got %v", err)
	}
}
