package apps_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
)

type number struct {
	N int `json:"n"`
}

func (n *citizen) group(name string) *actors.Group {
	n.town.Helper()
	g, err := n.app.NewGroup(name, actors.GroupConfig{})
	if err != nil {
		n.town.Fatal(err)
	}
	return g
}

func (t *town) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *town) count(what string, g *actors.Group, want int) {
	t.Helper()
	if n, err := g.Count(t.Context()); n != want || err != nil {
		t.Fatalf("%s: %d members, %v, want %d", what, n, err, want)
	}
}

// sent waits for what became of a push.
func (t *town) sent(what string, want actors.Sent, push func(done func(actors.Sent)) error) {
	t.Helper()
	got := make(chan actors.Sent, 1)
	t.must(push(func(s actors.Sent) { got <- s }))
	if s := <-got; s != want {
		t.Fatalf("%s: %+v, want %+v", what, s, want)
	}
}

// "Groups … work cluster-wide": members on three gates, one of which has never made
// the group; a fourth node takes no players.
func TestGroupAcrossNodes(t *testing.T) {
	inTown(t, "a b c r", func(t *town) {
		a, b, c, ctx := t.nodes["a"], t.nodes["b"], t.nodes["c"], t.Context()
		ga, gb := a.group("g"), b.group("g")
		red := map[string]any{"team": "red", "level": 3}
		ann, bob, cid := actorstest.Connect(t.T, a.app), actorstest.Connect(t.T, b.app), actorstest.Connect(t.T, c.app)
		t.must(ga.Add(ctx, &ann.Session.Ref, red))
		t.must(gb.Add(ctx, &bob.Session.Ref, nil))
		t.must(ga.Add(ctx, a.find(cid), red)) // its node has no such group yet
		if err := gb.Add(ctx, b.find(cid), nil); !errors.Is(err, actors.ErrMember) {
			t.Fatalf("a member already: %v", err)
		}
		t.count("asked by a", ga, 3)
		t.count("asked by b", gb, 3)
		gc := c.group("g") // takes over what was made for others
		t.count("asked by c", gc, 3)
		if _, err := c.app.NewGroup("g", actors.GroupConfig{}); !errors.Is(err, actors.ErrGroupExists) {
			t.Fatalf("made twice on one node: %v", err)
		}

		everybody := []*actorstest.Probe{ann, bob, cid}
		for i, g := range []*actors.Group{ga, gb, gc} {
			t.sent("to all", actors.Sent{Sent: 3}, func(done func(actors.Sent)) error { return g.Broadcast("onAll", number{i}, done) })
			for _, p := range everybody {
				p.WantPush("each gets it", "onAll", fmt.Sprintf(`{"n":%d}`, i))
			}
		}
		t.sent("by attribute", actors.Sent{Sent: 2}, func(done func(actors.Sent)) error {
			return gb.Multicast(actors.Where("team", "red"), "onRed", number{1}, done)
		})
		t.sent("by number", actors.Sent{Sent: 2}, func(done func(actors.Sent)) error {
			return gb.Multicast(actors.Where("level", int64(3)), "onRed", number{2}, done)
		})
		for _, p := range []*actorstest.Probe{ann, cid} {
			p.WantPush("the red ones", "onRed", `{"n":1}`)
			p.WantPush("the red ones", "onRed", `{"n":2}`)
		}
		t.sent("to one", actors.Sent{Sent: 1}, func(done func(actors.Sent)) error { return ga.Send(a.find(bob), "onBob", number{3}, done) })
		bob.WantPush("to one", "onBob", `{"n":3}`)
		if err := ga.Multicast(actors.FilterFunc(func(actors.GroupMember) bool { return true }), "onAll", number{}, nil); !errors.Is(err, actors.ErrFunction) {
			t.Fatalf("a function: %v", err)
		}

		t.must(ga.Set(ctx, a.find(cid), "team", "blue"))
		m, err := gb.Member(ctx, cid.Session.ID())
		if err != nil || m.Value("team") != "blue" || m.ID() != cid.Session.ID() {
			t.Fatalf("member %v, %v", m, err)
		}
		all, err := gb.Members(ctx)
		t.must(err)
		for _, p := range everybody {
			if !slices.ContainsFunc(all, func(m actors.GroupMember) bool { return m.ID() == p.Session.ID() }) || len(all) != 3 {
				t.Fatalf("members %v", all)
			}
		}
		if in, err := ga.Contains(ctx, a.find(bob)); !in || err != nil {
			t.Fatalf("contains: %v, %v", in, err)
		}
		t.must(ga.Leave(ctx, a.find(bob)))
		if err := ga.Leave(ctx, a.find(bob)); !errors.Is(err, actors.ErrNoMember) {
			t.Fatalf("left already: %v", err)
		}
		if in, err := gc.Contains(ctx, c.find(bob)); in || err != nil {
			t.Fatalf("contains: %v, %v", in, err)
		}
		cid.Drop()
		synctest.Wait()
		t.count("who disconnects leaves", gb, 1)
		t.must(gb.LeaveAll(ctx))
		t.count("all have left", ga, 0)
		t.must(gb.Close(ctx))
		for _, g := range []*actors.Group{ga, gb, gc} {
			if _, err := g.Count(ctx); !errors.Is(err, actors.ErrGroupClosed) {
				t.Fatalf("closed: %v", err)
			}
		}
		ann.WantIdle("nothing else")
		bob.WantIdle("nothing else")
	})
}

// "broadcast reaches members on all gates, … ordered per sender, gaps repaired": a
// quarter of all messages is lost.
func TestGroupThroughLoss(t *testing.T) {
	inTown(t, "a b", func(t *town) {
		a, b := t.nodes["a"], t.nodes["b"]
		ga, gb := a.group("g"), b.group("g")
		p, q := actorstest.Connect(t.T, a.app), actorstest.Connect(t.T, b.app)
		t.must(ga.Add(t.Context(), &p.Session.Ref, nil))
		t.must(gb.Add(t.Context(), &q.Session.Ref, nil))
		t.net.Lose(0.25)
		const n = 300
		for i := range n {
			t.must(ga.Broadcast("onA", number{i}, nil))
			t.must(gb.Broadcast("onB", number{i}, nil))
			if i%20 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
		}
		for _, member := range []*actorstest.Probe{p, q} {
			next := map[string]int{}
			for range 2 * n {
				m := member.Message("a push")
				if want := fmt.Sprintf(`{"n":%d}`, next[m.Route]); string(m.Body) != want {
					t.Fatalf("%s: got %s, want %s", m.Route, m.Body, want)
				}
				next[m.Route]++
			}
			member.WantIdle("nothing twice")
		}
	})
}

// "one remote message per gate and flush"
func TestGroupPushesTravelTogether(t *testing.T) {
	inTown(t, "a b c", func(t *town) {
		a := t.nodes["a"]
		g := a.group("g")
		before := a.apps.Stats()
		for i := range 200 {
			t.must(g.Broadcast("on", number{i}, nil))
		}
		time.Sleep(time.Second)
		after := a.apps.Stats()
		if messages, envelopes := after.Posted-before.Posted, after.Envelopes-before.Envelopes; messages != 400 || envelopes > 40 {
			t.Fatalf("%d messages in %d envelopes", messages, envelopes)
		}
	})
}

// "say when a node did not answer": what the others said is there, the silent one is
// named, and what was pushed arrives once it can.
func TestSilentNodeIsNamed(t *testing.T) {
	inTown(t, "a b c", func(t *town) {
		a, b, c := t.nodes["a"], t.nodes["b"], t.nodes["c"]
		g := a.group("g")
		var members []*actorstest.Probe
		for _, n := range []*citizen{a, b, c} {
			p := actorstest.Connect(t.T, n.app)
			r, _ := a.app.Find(p.Session.ID())
			t.must(g.Add(t.Context(), r, nil))
			members = append(members, p)
		}
		t.net.Cut(a.addr, b.addr)
		t.sent("one gate is cut off", actors.Sent{Sent: 2, Unheard: 1}, func(done func(actors.Sent)) error { return g.Broadcast("on", number{1}, done) })
		n, err := g.Count(t.Context())
		silent, ok := errors.AsType[*actors.SilentError](err)
		if n != 2 || !ok || !slices.Equal(silent.Nodes, []string{"b"}) {
			t.Fatalf("%d members, %v", n, err)
		}
		if _, err := g.Members(t.Context()); !errors.As(err, &silent) {
			t.Fatalf("members: %v", err)
		}
		t.net.Join(a.addr, b.addr)
		for _, p := range members {
			p.WantPush("late, but it comes", "on", `{"n":1}`)
		}
		b.kill()
		time.Sleep(time.Second)
		t.count("a node that is lost is not asked", g, 2)
	})
}

// A group that says so has no members elsewhere, and filters that are functions.
func TestLocalGroup(t *testing.T) {
	inTown(t, "a b", func(t *town) {
		a, b := t.nodes["a"], t.nodes["b"]
		g, err := a.app.NewGroup("g", actors.GroupConfig{Local: true})
		t.must(err)
		p := actorstest.Connect(t.T, a.app)
		t.must(g.Add(t.Context(), &p.Session.Ref, nil))
		t.must(g.Multicast(actors.FilterFunc(func(actors.GroupMember) bool { return true }), "on", number{1}, nil))
		p.WantPush("a function chooses", "on", `{"n":1}`)
		gb := b.group("g")
		t.must(gb.Broadcast("on", number{2}, nil))
		if err := gb.Add(t.Context(), b.find(p), nil); err == nil {
			t.Fatal("joined a local group from elsewhere")
		}
		time.Sleep(time.Second)
		p.WantIdle("another node's group of this name is another group")
	})
}
