package directory

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestEverybodyFindsTheSame(t *testing.T) {
	inTown(t, "abc", func(t *town) {
		for _, key := range rooms(100) {
			places := make(chan Place, 3)
			for from := range t.nodes {
				go func() {
					p, err := t.find(from, key, time.Second)
					if err != nil {
						t.Error(err)
					}
					places <- p
				}()
			}
			first := <-places
			if second, third := <-places, <-places; first != second || first != third || first.Epoch == 0 {
				t.Fatalf("%s is at %v, %v and %v", key, first, second, third)
			}
			t.mustFind("a", key, time.Second)
		}
		for name, n := range t.nodes {
			if s := n.Stats(); s.Rooms < 20 || s.NotFound > 0 {
				t.Errorf("%s: %+v", name, s)
			}
		}
		all, err := t.nodes["a"].List(t.Context())
		if err != nil || len(all) != 100 {
			t.Fatalf("list: %d rooms, %v", len(all), err)
		}
	})
}

// A node that joins takes nothing from anybody.
func TestJoinMovesNothing(t *testing.T) {
	inTown(t, "ab", func(t *town) {
		was := map[Key]Place{}
		for _, key := range rooms(50) {
			was[key] = t.mustFind("a", key, time.Second)
		}
		t.start("c")
		for _, key := range rooms(50) {
			if p := t.mustFind("c", key, time.Second); p != was[key] {
				t.Fatalf("%s moved from %v to %v", key, was[key], p)
			}
		}
	})
}

// Rooms move one after the other's last breath: saved, released, started.
func TestDrainMovesRooms(t *testing.T) {
	inTown(t, "ab", func(t *town) {
		b := t.nodes["b"]
		b.saving = 500 * time.Millisecond
		for _, key := range rooms(40) {
			t.mustFind("a", key, time.Second)
		}
		moving := b.Stats().Rooms
		if err := b.roster.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		drained := make(chan error, 1)
		go func() { drained <- b.Drain(t.Context()) }()
		synctest.Wait()
		start, longest := time.Now(), time.Duration(0)
		for _, key := range rooms(40) {
			if p, ok := t.nodes["a"].Known(key); ok {
				t.nodes["a"].Gone(key, p) // as a refused call would
			}
			asked := time.Now()
			if p := t.mustFind("a", key, 5*time.Second); p.Node != "a" {
				t.Fatalf("%s is on %s", key, p.Node)
			}
			longest = max(longest, time.Since(asked))
		}
		if err := <-drained; err != nil {
			t.Fatal(err)
		}
		if moving < 10 || longest > b.saving+300*time.Millisecond || time.Since(start) > time.Second {
			t.Fatalf("%d rooms moved in %v, the longest in %v", moving, time.Since(start), longest)
		}
		if _, err := t.find("b", Key{"room", "new"}, time.Second); err != nil {
			t.Fatalf("a draining node must still find rooms: %v", err)
		}
	})
}

func TestDrainHasADeadline(t *testing.T) {
	inTown(t, "a", func(t *town) {
		t.nodes["a"].saving = time.Hour
		t.mustFind("a", Key{"room", "1"}, time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := t.nodes["a"].Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(2 * time.Hour) // the room's timer is the bubble's
	})
}

func TestIdleRoomsArePutAway(t *testing.T) {
	inTown(t, "a", func(t *town) {
		a, key := t.nodes["a"], Key{"room", "1"}
		first := t.mustFind("a", key, time.Second)
		a.stays = true
		a.Retire(key, first.Epoch)
		if who := t.who(key); who != "a" {
			t.Fatalf("a room that stayed answers on %q", who)
		}
		a.stays = false
		a.Retire(key, first.Epoch)
		synctest.Wait()
		time.Sleep(time.Second)
		if who := t.who(key); who != "" {
			t.Fatalf("still answers on %q", who)
		}
		a.Gone(key, first)
		if again := t.mustFind("a", key, time.Second); again.Epoch <= first.Epoch {
			t.Fatalf("epoch %d after %d", again.Epoch, first.Epoch)
		}
	})
}

// Links that lose much make things slow and nothing wrong.
func TestLossyLinks(t *testing.T) {
	inTown(t, "abc", func(t *town) {
		t.net.Lose(0.3)
		for _, key := range rooms(30) {
			for from := range t.nodes {
				t.mustFind(from, key, 20*time.Second)
			}
		}
	})
}

func TestKeyPath(t *testing.T) {
	for _, key := range []Key{{"room", "1"}, {"room", ""}, {"room", "a/b"}, {"room", "../x"}, {"room", "%2F ä 🎲"}} {
		got, err := keyOf(key.Path())
		if err != nil || got != key {
			t.Errorf("%v became %v by %q: %v", key, got, key.Path(), err)
		}
	}
	for _, bad := range []string{"", "room", "%zz/1", "room/%zz"} {
		if k, err := keyOf(bad); err == nil {
			t.Errorf("%q was taken for %v", bad, k)
		}
	}
}
