package apps_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/cluster"
	"github.com/shaddock-game/shaddock/actors/cluster/apps"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/link/linktest"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/storetest"
	"github.com/shaddock-game/shaddock/protocol"
)

// town is a cluster of applications in fake time.
type town struct {
	*testing.T
	store *store.Memory
	net   *linktest.Net
	nodes map[string]*citizen
}

type citizen struct {
	*cluster.Node
	town  *town
	addr  string
	store *storetest.Faulty
	app   *actors.App
	apps  *apps.Apps
	seen  atomic.Int64 // calls of t.count
}

func inTown(t *testing.T, names string, f func(t *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tn := &town{T: t, store: store.NewMemory(), net: linktest.New(1), nodes: make(map[string]*citizen)}
		for _, name := range strings.Fields(names) {
			tn.start(name)
		}
		time.Sleep(time.Second) // until all know of all
		defer func() {          // a test that fails leaves nothing behind in its bubble either
			tn.net.Lose(0)
			for _, n := range tn.nodes {
				n.stop()
			}
			_ = tn.store.Close()
			tn.net.Close()
		}()
		f(tn)
	})
}

func (t *town) start(name string) *citizen {
	t.Helper()
	n := &citizen{town: t, addr: "host:" + name, store: storetest.NewFaulty(t.store)}
	n.app = actors.New(actors.Config{NewAudience: actorstest.NewAudience, Rate: -1, Heartbeat: -1})
	actors.HandleNotify(n.app, "t.count", func(c *actors.Ctx, v *struct{ N int }) error {
		n.seen.Add(1)
		gold.Set(c, gold.Get(c)+v.N)
		c.Push("onCount", v)
		return nil
	}, actors.Internal())
	actors.Handle(n.app, "t.gold", func(c *actors.Ctx, _ *struct{}) (*struct{ Gold int }, error) {
		return &struct{ Gold int }{gold.Get(c)}, nil
	})
	cfg := cluster.Config{
		Store: n.store, Listen: n.addr, Node: name, Sessions: n.app.Prefix(),
		Connect: func(boot string) (*link.Link, func(context.Context, string) error) {
			return t.net.Add(boot, n.addr, nil), t.net.Dial(n.addr)
		},
	}
	if name[0] == 'r' {
		cfg.Roles = []string{cluster.RoleRooms}
	}
	var err error
	if n.Node, err = cluster.Open(cfg); err != nil {
		t.Fatal(err)
	}
	n.apps = apps.Join(n.app, n.Node, nil)
	if err := errors.Join(n.app.Start(), n.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.nodes[name] = n
	return n
}

const gold actors.Key[int] = "gold"

func (n *citizen) stop() {
	n.town.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := errors.Join(n.app.Shutdown(ctx), n.Leave(ctx)); err != nil {
		n.town.Errorf("stop %s: %v", n.addr, err)
	}
	n.end()
}

func (n *citizen) end() {
	n.apps.Close()
	n.app.Close()
	n.town.net.Remove(n.addr)
	for name, o := range n.town.nodes {
		if o == n {
			delete(n.town.nodes, name)
		}
	}
}

// kill ends a node as kill -9 does.
func (n *citizen) kill() {
	n.town.Helper()
	n.Close()
	n.end()
	for _, o := range n.town.nodes {
		o.Suspect(n.addr)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := n.app.Shutdown(ctx); err != nil {
		n.town.Errorf("kill %s: %v", n.addr, err)
	}
}

// find returns a reference on this node to a session of another.
func (n *citizen) find(p *actorstest.Probe) *actors.Ref {
	n.town.Helper()
	r, ok := n.app.Find(p.Session.ID())
	if !ok {
		n.town.Fatalf("%s does not find the session", n.addr)
	}
	return r
}

// Push, attributes, a handler, kick: all arrive at a session of another node, in
// order, though a fifth of all messages is lost on the way.
func TestSessionOfAnotherNode(t *testing.T) {
	inTown(t, "a b", func(t *town) {
		a, b := t.nodes["a"], t.nodes["b"]
		p := actorstest.Connect(t.T, b.app)
		r := a.find(p)
		if r.Wire() != nil || r.PID() != nil || r.RemoteAddr().IsValid() {
			t.Fatal("a session elsewhere has a wire")
		}
		t.net.Lose(0.2)
		const n = 200
		for i := range n {
			r.Push("onPush", map[string]int{"n": i})
			if err := r.Invoke("t.count", map[string]int{"N": i}); err != nil {
				t.Fatal(err)
			}
			if i%10 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
		}
		for i := range n {
			p.WantPush("in order", "onPush", fmt.Sprintf(`{"n":%d}`, i))
			p.WantPush("handlers in turn", "onCount", fmt.Sprintf(`{"N":%d}`, i))
		}
		t.net.Lose(0)
		p.WantReply("it has changed the session", p.Request("t.gold", ``), fmt.Sprintf(`{"Gold":%d}`, n*(n-1)/2))
		gold.Set(r, 7)
		r.Set("name", "ann")
		r.Remove("name")
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if gold.Get(r) != 7 || r.Has("name") {
			t.Fatalf("attributes %v", r.State())
		}
		p.WantReply("there too", p.Request("t.gold", ``), `{"Gold":7}`)
		r.Restore(map[string]any{"gold": 8})
		r.Kick(protocol.ReasonKicked, "out")
		p.Want("a kick with its text", protocol.Kick, `{"reason":"out","code":9}`)
		time.Sleep(time.Second)
		if s := b.app.Stats(); s.FarUnreadable+s.FarEnded != 0 {
			t.Fatalf("%+v", s)
		}
		r.Push("onPush", 1)
		time.Sleep(time.Second)
		if s := b.app.Stats(); s.FarEnded != 1 {
			t.Fatalf("a push to a session that has ended is not counted: %+v", s)
		}
	})
}

// What cannot travel, or has nowhere to go, is an error or is counted.
func TestWhatCannotBeSent(t *testing.T) {
	inTown(t, "a b", func(t *town) {
		a, b := t.nodes["a"], t.nodes["b"]
		p := actorstest.Connect(t.T, b.app)
		r := a.find(p)
		if err := r.Invoke("t.nothing", nil); err == nil {
			t.Error("no error for a route that does not exist")
		}
		if err := r.Invoke("t.count", func() {}); err == nil {
			t.Error("no error for a function")
		}
		r.Set("f", func() {})
		r.Push("onPush", func() {})
		if s := a.app.Stats(); s.Unwritable != 2 {
			t.Errorf("%d counted, want 2", s.Unwritable)
		}
		if _, ok := a.app.Find(p.Session.ID() + 1<<40); ok {
			t.Error("found a session that no node can have")
		}
		b.kill()
		time.Sleep(time.Second)
		r.Push("onPush", 1)
		if s := a.app.Stats(); s.FarRefused != 1 {
			t.Errorf("a push to a node that is lost: %d counted", s.FarRefused)
		}
		if err := r.Refresh(t.Context()); !errors.Is(err, actors.ErrNoNode) {
			t.Errorf("refresh: %v", err)
		}
	})
}

// A session's end is heard of elsewhere, with what it knew: when it ends, when it had
// ended, and when its node is lost.
func TestClosedCallbackOfAnotherNode(t *testing.T) {
	type end struct {
		gold int
		why  protocol.Reason
	}
	inTown(t, "a b", func(t *town) {
		a, b := t.nodes["a"], t.nodes["b"]
		ends := make(chan end, 10)
		hear := func(s *actors.Ref, why protocol.Reason) { ends <- end{gold.Get(s), why} }
		want := func(what string, gold int, why protocol.Reason) {
			t.Helper()
			select {
			case e := <-ends:
				if e != (end{gold, why}) {
					t.Fatalf("%s: got %+v", what, e)
				}
			case <-time.After(time.Minute):
				t.Fatalf("%s: not heard of", what)
			}
		}
		p := actorstest.Connect(t.T, b.app)
		r := a.find(p)
		r.OnClosed(hear)
		gold.Set(&p.Session.Ref, 5)
		t.net.Lose(0.5)
		time.Sleep(10 * time.Second)
		p.Session.Kick(protocol.ReasonKicked, "")
		want("it ends", 5, protocol.ReasonKicked)
		r.OnClosed(hear)
		want("it had ended", 5, protocol.ReasonClientGone)
		t.net.Lose(0)
		a.find(actorstest.Connect(t.T, b.app)).OnClosed(hear)
		time.Sleep(time.Second)
		b.kill()
		want("its node is lost", 0, protocol.ReasonClientGone)
		time.Sleep(time.Minute)
		if len(ends) != 0 {
			t.Fatal("heard of twice")
		}
	})
}

// A node that was taken for lost, and is not, brings a session's end late but surely.
func TestClosedCallbackAcrossAPartition(t *testing.T) {
	inTown(t, "a b", func(t *town) {
		a, b := t.nodes["a"], t.nodes["b"]
		p := actorstest.Connect(t.T, b.app)
		ended := make(chan protocol.Reason, 2)
		a.find(p).OnClosed(func(_ *actors.Ref, why protocol.Reason) { ended <- why })
		time.Sleep(time.Second)
		t.net.Cut(a.addr, b.addr)
		p.Drop()
		time.Sleep(20 * time.Second)
		if len(ended) != 0 {
			t.Fatal("heard through a cut")
		}
		t.net.Join(a.addr, b.addr)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatal("not heard of")
		}
	})
}

// A node that was cut off from the store hears what ended meanwhile as soon as it is
// back, and not when it next asks.
func TestClosedCallbackAfterALostLease(t *testing.T) {
	inTown(t, "a b", func(t *town) {
		a, b := t.nodes["a"], t.nodes["b"]
		stays, goes := actorstest.Connect(t.T, b.app), actorstest.Connect(t.T, b.app)
		ended := make(chan uint64, 2)
		for _, p := range []*actorstest.Probe{stays, goes} {
			a.find(p).OnClosed(func(s *actors.Ref, _ protocol.Reason) { ended <- s.ID() })
		}
		time.Sleep(time.Second)
		a.store.Freeze()
		time.Sleep(15 * time.Second)
		goes.Drop()
		time.Sleep(17 * time.Second) // it has just asked, in vain
		if len(ended) != 0 {
			t.Fatal("heard without a lease")
		}
		a.store.Heal()
		began := time.Now()
		select {
		case id := <-ended:
			if id != goes.Session.ID() {
				t.Fatal("the wrong one ended")
			}
		case <-time.After(time.Minute):
			t.Fatal("not heard of")
		}
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("heard after %v", d)
		}
		time.Sleep(time.Minute)
		if len(ended) != 0 {
			t.Error("heard of one that is there")
		}
	})
}
