package grains_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/shaddock-game/shaddock/actors/cluster/grains"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/storetest"
)

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
		_, err := m[1].do("leave")
		left <- err
	}()
	for range 5 {
		tn.askEach("a node leaves", n, m[2], d)
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
	c := tn.start("outside")
	for i := range 30 {
		grain := fmt.Sprint("grain ", i)
		answers := make([]string, 6)
		var all sync.WaitGroup
		for j := range answers {
			all.Go(func() {
				asker := []*member{m[0], m[1], c}[j%3]
				var err error
				if answers[j], err = asker.ask(grain, "who"); err != nil {
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
	if _, err := m[0].do("break"); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := m[0].ask(mine[0], "request"); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a grain answers long after its lease has ended")
		}
	}
	tn.bury(m[0], time.Now().UnixNano()) // they answer nothing from here on
	for _, grain := range mine {
		if a, err := m[1].ask(grain, "who"); err != nil || !strings.HasPrefix(a, "b ") {
			t.Fatalf("%s answered %q, %v; want it on b", grain, a, err)
		}
	}
	if _, err := m[0].do("heal"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-m[0].fenced:
		if err == "<nil>" {
			t.Error("fenced without a reason")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the node that lost its lease was not told so")
	}
	if found, err := m[0].ask(mine[0], "get"); err != nil || found != "false" {
		t.Errorf("a node that is out still finds its grain: %s, %v", found, err)
	}
	tn.where()
}

// "The same lookup over memory for a node alone", and what the directory does not
// start does not end it.
func TestAlone(t *testing.T) {
	tn := &town{T: t}
	m := tn.startAll("alone")[0]
	for i := range 20 {
		if a, err := m.ask(fmt.Sprint("grain ", i), "who"); err != nil || !strings.HasPrefix(a, "alone ") {
			t.Fatalf("answered %q, %v", a, err)
		}
	}
	if _, err := m.do("leave"); err != nil {
		t.Fatal(err)
	}
	if n := len(tn.where()); n != 0 {
		t.Errorf("%d grains are active after the node left", n)
	}
}

// What cannot be opened is reported, not joined.
func TestOpenFails(t *testing.T) {
	p := grains.New(grains.Config{Open: func() (store.Store, error) { return nil, storetest.ErrBroken }})
	c := begin(p, cluster.NewKind(kind, actor.PropsFromFunc(func(actor.Context) {})))
	c.Remote = remote.NewRemote(c.ActorSystem, c.Config.RemoteConfig)
	c.Remote.Start()
	defer c.Remote.Shutdown(false)
	if err := p.Provider().StartMember(c); !errors.Is(err, storetest.ErrBroken) {
		t.Fatalf("got %v", err)
	}
}
