package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// town is a cluster in fake time: one store, and what each member sees of it can
// be taken away.
type town struct {
	*testing.T
	store *store.Memory
}

// node is one member of a town.
type node struct {
	*Roster
	town   *town
	store  *storetest.Faulty
	events chan Standing
}

func inTown(t *testing.T, f func(t *town)) {
	synctest.Test(t, func(t *testing.T) {
		tn := &town{T: t, store: store.NewMemory()}
		defer tn.store.Close()
		f(tn)
	})
}

const ttl = 10 * time.Second

func (t *town) config(id string) (Config, *node) {
	n := &node{town: t, store: storetest.NewFaulty(t.store), events: make(chan Standing, 100)}
	return Config{
		Store: n.store, Prefix: "/members/", TTL: ttl,
		Self:    Member{ID: id, Addr: "host:" + id, Kinds: []string{"room"}},
		Changed: func(s Standing) { n.events <- s },
		Dial:    func(context.Context, string) error { return errors.New("times out") },
	}, n
}

func (t *town) join(id string) *node {
	t.Helper()
	cfg, n := t.config(id)
	return t.joinWith(cfg, n)
}

func (t *town) joinWith(cfg Config, n *node) *node {
	t.Helper()
	r, err := Join(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	n.Roster = r
	t.Cleanup(r.Close)
	return n
}

func (t *town) leases() int {
	recs, _, err := t.store.List(context.Background(), "/members/")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[store.Lease]bool{}
	for _, r := range recs {
		seen[r.Lease] = true
	}
	return len(seen)
}

func (n *node) sees(why string, want ...string) {
	n.town.Helper()
	synctest.Wait()
	if got := ids(n.View()); !slices.Equal(got, want) {
		n.town.Fatalf("%s: sees %q, want %q", why, got, want)
	}
}

func (n *node) holds(why string, want bool) {
	n.town.Helper()
	synctest.Wait()
	if got := n.Held(); got != want || n.Standing().Held != want {
		n.town.Fatalf("%s: holds %v (standing %v)", why, got, n.Standing().Held)
	}
}

func TestMembersSeeEachOther(t *testing.T) {
	inTown(t, func(t *town) {
		a := t.join("a")
		a.sees("alone", "a")
		b := t.join("b")
		a.sees("another came", "a", "b")
		b.sees("whoever joins knows all", "a", "b")
		if err := b.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.sees("one left: at once, not after its lease", "a")
		time.Sleep(10 * ttl)
		a.holds("renewed for as long as it lives", true)
	})
}

func TestCrashIsSeenAfterTheLease(t *testing.T) {
	inTown(t, func(t *town) {
		a, b := t.join("a"), t.join("b")
		b.Close()
		time.Sleep(ttl * 7 / 10)
		a.sees("it may only be slow", "a", "b")
		time.Sleep(ttl / 10)
		a.sees("its lease ran out, and what it had begins elsewhere before its time is over", "a")
	})
}

// Who cannot renew stops relying on its lease strictly before the store ends it,
// whatever form the store's absence has.
func TestHoldEndsBeforeTheLeaseDoes(t *testing.T) {
	for name, fault := range map[string]func(*storetest.Faulty){
		"broken": (*storetest.Faulty).Break, "frozen": (*storetest.Faulty).Freeze,
	} {
		t.Run(name, func(t *testing.T) {
			inTown(t, func(t *town) {
				a, b := t.join("a"), t.join("b")
				fault(a.store)
				for b.View() != nil {
					if _, there := b.View().Get("a"); !there {
						break
					}
					time.Sleep(100 * time.Millisecond)
					synctest.Wait()
				}
				a.holds("when the others took it for gone", false)
				if a.Stats().Lapses != 1 {
					t.Fatalf("%d lapses counted", a.Stats().Lapses)
				}
				was := a.Standing().Lease
				a.store.Heal()
				time.Sleep(ttl)
				a.holds("the store is back", true)
				if a.Standing().Lease == was {
					t.Fatal("the same lease as before, which had ended")
				}
				b.sees("back under the same id", "a", "b")
			})
		})
	}
}

// An outage shorter than the lease's rest costs nothing.
func TestShortOutage(t *testing.T) {
	inTown(t, func(t *town) {
		a := t.join("a")
		was := a.Standing().Lease
		a.store.Break()
		time.Sleep(4 * time.Second)
		a.holds("four seconds without a store", true)
		a.store.Heal()
		time.Sleep(ttl)
		a.holds("after it", true)
		if a.Standing().Lease != was || a.Stats().Lapses != 0 {
			t.Fatalf("lease %d, was %d; %d lapses", a.Standing().Lease, was, a.Stats().Lapses)
		}
	})
}

// The store carries out what it is asked, but the answers are lost: the lease
// lives, and this process cannot know.
func TestLostAnswers(t *testing.T) {
	inTown(t, func(t *town) {
		a := t.join("a")
		was := a.Standing().Lease
		a.store.Deafen()
		time.Sleep(2 * ttl)
		a.holds("no answer for two times to live", false)
		a.store.Heal()
		time.Sleep(ttl)
		a.holds("an answer", true)
		if a.Standing().Lease != was {
			t.Fatal("took another lease, though the old one lives")
		}
	})
}

func TestViewOutlivesTheStore(t *testing.T) {
	inTown(t, func(t *town) {
		a, b := t.join("a"), t.join("b")
		a.sees("before the outage", "a", "b")
		a.store.Break()
		b.store.Break()
		time.Sleep(3 * ttl)
		a.sees("no news is no reason to forget", "a", "b")
		a.store.Heal()
		time.Sleep(ttl)
		a.sees("b is still cut off, and its lease has ended", "a")
		b.store.Heal()
		time.Sleep(ttl)
		a.sees("both are back", "a", "b")
	})
}

// Our own record's end tells of the lease's end sooner than the next renewal.
func TestRevokedByAnother(t *testing.T) {
	inTown(t, func(t *town) {
		a := t.join("a")
		was := a.Standing().Lease
		if err := t.store.Revoke(t.Context(), was); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		lapsed := false
		for len(a.events) > 0 {
			s := <-a.events
			lapsed = lapsed || !s.Held
		}
		a.holds("came back at once", true)
		if a.Standing().Lease == was || a.Stats().Lapses != 1 {
			t.Fatalf("lease %d, was %d; %d lapses", a.Standing().Lease, was, a.Stats().Lapses)
		}
	})
}

func TestRestartEndsItsOwnPast(t *testing.T) {
	inTown(t, func(t *town) {
		a := t.join("a")
		first := t.join("b")
		first.Close() // killed
		cfg, n := t.config("b2")
		cfg.Self.Addr = "host:b"
		second := t.joinWith(cfg, n)
		second.sees("no trace of its earlier self", "a", "b2")
		a.sees("nor with the others", "a", "b2")
		if n := t.leases(); n != 2 {
			t.Fatalf("%d leases, want 2", n)
		}
	})
}

// "session ids colliding between nodes".
func TestSessionIDsOfTwoMembersNeverBeginAlike(t *testing.T) {
	inTown(t, func(t *town) {
		cfg, n := t.config("a")
		cfg.Self.Sessions = 7
		first := t.joinWith(cfg, n)
		cfg, _ = t.config("b")
		cfg.Self.Sessions = 7
		if _, err := Join(t.Context(), cfg); !errors.Is(err, ErrSameSessions) {
			t.Fatalf("joined with the ids of another: %v", err)
		}
		cfg, n = t.config("b")
		cfg.Self.Sessions = 8
		t.joinWith(cfg, n).sees("with others it may", "a", "b")
		first.Close() // killed
		cfg, n = t.config("a2")
		cfg.Self.Addr, cfg.Self.Sessions = "host:a", 7
		t.joinWith(cfg, n).sees("and what an earlier self had is free", "a2", "b")
	})
}

func TestCrashedPeer(t *testing.T) {
	refused := fmt.Errorf("dial: %w", syscall.ECONNREFUSED)
	for _, c := range []struct {
		why   string
		dials []error
		ended bool
	}{
		{"three refusals: nobody listens", []error{refused, refused, refused}, true},
		{"it answers at last", []error{refused, refused, nil}, false},
		{"no answer is no proof", []error{refused, refused, context.DeadlineExceeded}, false},
		{"it was only the connection", []error{nil}, false},
	} {
		t.Run(c.why, func(t *testing.T) {
			inTown(t, func(t *town) {
				cfg, n := t.config("a")
				dials := c.dials
				cfg.Dial = func(_ context.Context, addr string) (err error) {
					if addr != "host:b" {
						t.Errorf("dialled %s", addr)
					}
					err, dials = dials[0], dials[1:]
					return err
				}
				a := t.joinWith(cfg, n)
				b := t.join("b")
				b.Close()
				a.Suspect("host:b")
				a.Suspect("host:b") // twice at once is looked at once
				a.Suspect("host:a") // ourselves
				time.Sleep(500 * time.Millisecond)
				want := []string{"a", "b"}
				if c.ended {
					want = want[:1]
				}
				a.sees(c.why, want...)
				if len(dials) != 0 {
					t.Fatalf("%d dials not made", len(dials))
				}
			})
		})
	}
}

func TestDrain(t *testing.T) {
	inTown(t, func(t *town) {
		a, b := t.join("a"), t.join("b")
		if err := b.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if m, _ := a.View().Get("b"); m.State != Draining {
			t.Fatalf("b is %q with the others", m.State)
		}
		b.store.Break()
		time.Sleep(2 * ttl)
		b.store.Heal()
		time.Sleep(ttl)
		if m, _ := a.View().Get("b"); m.State != Draining {
			t.Fatalf("b is %q after it lost its lease", m.State)
		}
		b.Close()
		if err := b.Drain(t.Context()); err == nil {
			t.Fatal("drained after it had left")
		}
	})
}

func TestLoadIsPublished(t *testing.T) {
	inTown(t, func(t *town) {
		cfg, n := t.config("a")
		var rooms atomic.Int64
		cfg.Load = func() Load { return Load{Rooms: int(rooms.Load())} }
		t.joinWith(cfg, n)
		b := t.join("b")
		rooms.Store(7)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if m, _ := b.View().Get("a"); m.Load.Rooms != 7 {
			t.Fatalf("load %+v", m.Load)
		}
		_, rev, _ := t.store.List(t.Context(), "/")
		time.Sleep(time.Minute)
		if _, now, _ := t.store.List(t.Context(), "/"); now != rev {
			t.Fatalf("%d writes of a load that did not change", now-rev)
		}
	})
}

func TestJoinWithoutStore(t *testing.T) {
	inTown(t, func(t *town) {
		for name, fault := range map[string]func(*storetest.Faulty){
			"broken": (*storetest.Faulty).Break, "frozen": (*storetest.Faulty).Freeze, "deaf": (*storetest.Faulty).Deafen,
		} {
			cfg, n := t.config("a")
			fault(n.store)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			if _, err := Join(ctx, cfg); err == nil {
				t.Errorf("%s: joined", name)
			}
			cancel()
		}
	})
}

// Changed is told the latest, in order, from one goroutine, and may be slow.
func TestSlowListener(t *testing.T) {
	inTown(t, func(t *town) {
		cfg, n := t.config("a")
		cfg.Changed = func(s Standing) {
			time.Sleep(time.Second)
			n.events <- s
		}
		a := t.joinWith(cfg, n)
		for i := range 20 {
			t.join(fmt.Sprint("b", i))
		}
		time.Sleep(3 * time.Second)
		if len(n.events) > 4 {
			t.Fatalf("%d calls for changes that came at once", len(n.events))
		}
		var last Standing
		for len(n.events) > 0 {
			last = <-n.events
		}
		if last != a.Standing() {
			t.Fatal("the last call was not told the latest")
		}
		a.holds("a slow listener delays nothing else", true)
	})
}
