package actors_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

func newGroup(t *testing.T, a *actors.App, name string) *actors.Group {
	t.Helper()
	g, err := a.NewGroup(name, actors.GroupConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// member connects a probe and adds it.
func member(t *testing.T, a *actors.App, g *actors.Group, attrs map[string]any) *actorstest.Probe {
	t.Helper()
	p := actorstest.Connect(t, a)
	if err := g.Add(t.Context(), &p.Session.Ref, attrs); err != nil {
		t.Fatal(err)
	}
	return p
}

func count(t *testing.T, g *actors.Group) int {
	t.Helper()
	n, err := g.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sent waits for the result of a push.
func sent(t *testing.T, push func(done func(actors.Sent)) error) actors.Sent {
	t.Helper()
	got := make(chan actors.Sent, 1)
	if err := push(func(s actors.Sent) { got <- s }); err != nil {
		t.Fatal(err)
	}
	return <-got
}

// FEATURES 1, "Group": name, Member, Members, Multicast with filter, Broadcast,
// Contains, Add, Leave, LeaveAll, Count, Close.
func TestGroup(t *testing.T) {
	a := newApp(t, actors.Config{})
	g, ctx := newGroup(t, a, "red and blue"), t.Context()
	red, blue := member(t, a, g, map[string]any{"team": "red", "level": 3}), member(t, a, g, map[string]any{"team": "blue"})
	third := member(t, a, g, nil)
	if found, ok := a.Group("red and blue"); !ok || found != g || g.Name() != "red and blue" {
		t.Errorf("found %v %v", found, ok)
	}
	s := sent(t, func(done func(actors.Sent)) error { return g.Broadcast("onAll", value{1}, done) })
	if s != (actors.Sent{Sent: 3}) {
		t.Errorf("broadcast: %+v", s)
	}
	s = sent(t, func(done func(actors.Sent)) error {
		return g.Multicast(actors.Where("team", "red"), "onRed", value{2}, done)
	})
	if s != (actors.Sent{Sent: 1}) {
		t.Errorf("multicast: %+v", s)
	}
	sent(t, func(done func(actors.Sent)) error { return g.Send(&blue.Session.Ref, "onBlue", value{3}, done) })
	for _, p := range []*actorstest.Probe{red, blue, third} {
		p.WantPush("all", "onAll", `{"n":1}`)
	}
	red.WantPush("the filter", "onRed", `{"n":2}`)
	blue.WantPush("to one", "onBlue", `{"n":3}`)
	third.WantIdle("not for it")

	m, err := g.Member(ctx, red.Session.ID())
	if err != nil || m.ID() != red.Session.ID() || m.Session() != &red.Session.Ref || m.Value("level") != 3 || m.Value("none") != nil {
		t.Errorf("member %+v, %v", m, err)
	}
	if err := g.Set(ctx, &red.Session.Ref, "team", "blue"); err != nil {
		t.Error(err)
	}
	if m.Value("team") != "red" {
		t.Error("a member that was handed out has changed")
	}
	s = sent(t, func(done func(actors.Sent)) error {
		return g.Multicast(actors.Where("team", "blue"), "onBlue", value{4}, done)
	})
	if s.Sent != 2 {
		t.Errorf("after one has changed sides: %+v", s)
	}

	if in, err := g.Contains(ctx, &blue.Session.Ref); !in || err != nil {
		t.Errorf("contains %v %v", in, err)
	}
	if err := g.Leave(ctx, &blue.Session.Ref); err != nil {
		t.Error(err)
	}
	if in, _ := g.Contains(ctx, &blue.Session.Ref); in || count(t, g) != 2 {
		t.Errorf("%d members, contains %v", count(t, g), in)
	}
	all, err := g.Members(ctx)
	if err != nil || len(all) != 2 || !slices.ContainsFunc(all, func(m actors.GroupMember) bool { return m.ID() == third.Session.ID() }) {
		t.Errorf("members %v %v", all, err)
	}
	if err := g.LeaveAll(ctx); err != nil || count(t, g) != 0 {
		t.Errorf("leave all: %v, %d members", err, count(t, g))
	}
	if s := sent(t, func(done func(actors.Sent)) error { return g.Broadcast("onAll", value{5}, done) }); s != (actors.Sent{}) {
		t.Errorf("to nobody: %+v", s)
	}
	third.WantIdle("it has left")
	third.WantReply("and is connected", third.Request("t.add", `{}`), `{"n":1}`)
}

// "errors for closed group, duplicate session, unknown member"
func TestGroupErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		g, ctx := newGroup(t, a, "g"), t.Context()
		p, stranger := member(t, a, g, nil), actorstest.Connect(t, a)
		ref := &p.Session.Ref
		_, twice := a.NewGroup("g", actors.GroupConfig{})
		_, unknown := g.Member(ctx, stranger.Session.ID())
		for _, row := range []struct{ got, want error }{
			{twice, actors.ErrGroupExists},
			{unknown, actors.ErrNoMember},
			{g.Add(ctx, ref, nil), actors.ErrMember},
			{g.Leave(ctx, &stranger.Session.Ref), actors.ErrNoMember},
			{g.Set(ctx, &stranger.Session.Ref, "a", 1), actors.ErrNoMember},
			{g.Close(ctx), nil},
			{g.Close(ctx), actors.ErrGroupClosed},
			{g.Add(ctx, ref, nil), actors.ErrGroupClosed},
			{g.LeaveAll(ctx), actors.ErrGroupClosed},
		} {
			if !errors.Is(row.got, row.want) {
				t.Errorf("got error %v, want %v", row.got, row.want)
			}
		}
		if _, err := g.Count(ctx); !errors.Is(err, actors.ErrGroupClosed) {
			t.Errorf("count: %v", err)
		}
		if s := sent(t, func(done func(actors.Sent)) error { return g.Broadcast("on", value{}, done) }); !errors.Is(s.Err, actors.ErrGroupClosed) {
			t.Errorf("broadcast: %+v", s)
		}
		if _, ok := a.Group("g"); ok {
			t.Error("a closed group is still found")
		}
		again := newGroup(t, a, "g")
		if err := again.Add(ctx, ref, nil); err != nil {
			t.Errorf("a new group of the name: %v", err)
		}
		if err := again.Broadcast("on", make(chan int), nil); err == nil {
			t.Error("no error for a value that cannot be written")
		}
		boom := func(actors.GroupMember) bool { panic("in the filter") }
		if s := sent(t, func(done func(actors.Sent)) error {
			return again.Multicast(actors.FilterFunc(boom), "on", value{}, done)
		}); s.Err == nil {
			t.Error("no error of a filter that panics")
		}
		if count(t, again) != 1 {
			t.Error("the panic has changed the group")
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if err := again.Leave(gone, ref); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want the context's or none", err)
		}
	})
}

// "members that disconnect leave by themselves", also those that are added after
// their end; "one dead member never fails it".
func TestGroupMembersThatDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		g := newGroup(t, a, "g")
		ann, bob := member(t, a, g, nil), member(t, a, g, nil)
		bob.Drop()
		if s := sent(t, func(done func(actors.Sent)) error { return g.Broadcast("on", value{1}, done) }); s.Err != nil || s.Sent < 1 {
			t.Errorf("with one dead member: %+v", s)
		}
		ann.WantPush("the others get it", "on", `{"n":1}`)
		synctest.Wait()
		if n := count(t, g); n != 1 {
			t.Errorf("%d members after one has gone, want 1", n)
		}
		if err := g.Add(t.Context(), &bob.Session.Ref, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := count(t, g); n != 1 {
			t.Errorf("%d members: one that had ended before is a ghost", n)
		}
		if err := g.Leave(t.Context(), &ann.Session.Ref); err != nil {
			t.Fatal(err)
		}
		ann.Drop()
		synctest.Wait()
		if n := count(t, g); n != 0 {
			t.Errorf("%d members, want none", n)
		}
	})
}

// A goodbye that a full mailbox refused is said again: no ghost stays.
func TestGoodbyeToABusyGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		g, err := a.NewGroup("busy", actors.GroupConfig{Mailbox: 1})
		if err != nil {
			t.Fatal(err)
		}
		p := member(t, a, g, nil)
		release := make(chan struct{})
		wait := func(actors.GroupMember) bool { <-release; return true }
		_ = g.Multicast(actors.FilterFunc(wait), "on", value{}, nil) // writable
		synctest.Wait()
		_ = g.Broadcast("on", value{}, nil) // fills the mailbox
		if s := sent(t, func(done func(actors.Sent)) error { return g.Broadcast("on", value{}, done) }); !errors.Is(s.Err, actors.ErrBusy) {
			t.Errorf("a full mailbox: %+v", s)
		}
		p.Drop()
		synctest.Wait()
		close(release)
		time.Sleep(time.Second)
		if n := count(t, g); n != 0 {
			t.Errorf("%d members, want none", n)
		}
	})
}

// Two hundred sessions come and go while the group speaks: what each gets is in
// order without a gap, and nobody is left behind.
func TestGroupUnderChurn(t *testing.T) {
	a := newApp(t, actors.Config{Rate: -1, Heartbeat: -1})
	g := newGroup(t, a, "churn")
	var all, talk sync.WaitGroup
	stop := make(chan struct{})
	talk.Go(func() {
		for n := 0; !closed(stop); n++ {
			if s := sent(t, func(done func(actors.Sent)) error { return g.Broadcast("on", value{n}, done) }); s.Err != nil {
				t.Errorf("broadcast: %v", s.Err)
				return
			}
		}
	})
	for range 200 {
		p := actorstest.Connect(t, a)
		all.Go(func() {
			if err := g.Add(context.Background(), &p.Session.Ref, nil); err != nil {
				t.Errorf("add: %v", err)
				return
			}
			first := number(t, p.Message("a push"))
			for n := first + 1; n < first+5; n++ {
				if got := number(t, p.Message("a push")); got != n {
					t.Errorf("got push %d, want %d", got, n)
				}
			}
			p.Drop()
		})
	}
	all.Wait()
	close(stop)
	talk.Wait()
	await(t, "all members to leave", func() bool { return count(t, g) == 0 })
}

func number(t *testing.T, m protocol.Message) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(string(m.Body), `{"n":%d}`, &n); err != nil {
		t.Errorf("push %q: %v", m.Body, err)
	}
	return n
}
