package directory

import (
	"testing"
	"time"
)

func TestCrash(t *testing.T) {
	inTown(t, "abc", func(t *town) {
		for _, key := range rooms(60) {
			t.mustFind("a", key, time.Second)
		}
		t.crash("b")
		start := time.Now()
		for _, key := range rooms(60) {
			p := t.reach("a", key, 5*time.Second)
			if p.Node == "b" {
				t.Fatalf("%s is still on b", key)
			}
		}
		if d := time.Since(start); d > time.Second {
			t.Fatalf("all rooms answered %v after a crash", d)
		}
	})
}

func TestTwoCrashAndAThirdJoins(t *testing.T) {
	inTown(t, "abc", func(t *town) {
		for _, key := range rooms(30) {
			t.mustFind("a", key, time.Second)
		}
		t.crash("b")
		t.crash("c")
		t.start("d")
		for _, key := range rooms(30) {
			t.reach("d", key, 5*time.Second)
			t.reach("a", key, 5*time.Second)
		}
	})
}

// A host that vanishes silently may take its lease, and no longer.
func TestVanishedHost(t *testing.T) {
	inTown(t, "ab", func(t *town) {
		for _, key := range rooms(20) {
			t.mustFind("a", key, time.Second)
		}
		t.nodes["b"].kill() // nobody notices a broken connection
		start := time.Now()
		for _, key := range rooms(20) {
			for {
				p, err := t.find("a", key, time.Second)
				if err == nil && p.Node == "a" {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
		if d := time.Since(start); d > ttl+time.Second {
			t.Fatalf("took %v", d)
		}
	})
}

// Nobody serves rooms while the store is away for longer than a lease; when it is
// back all go on, state and members kept, and the same node has them.
func TestStoreOutage(t *testing.T) {
	for _, c := range []struct {
		outage  time.Duration
		pauses  bool
		renewed bool // as new activations
	}{
		{4 * time.Second, false, false},
		{30 * time.Second, true, true},
	} {
		t.Run(c.outage.String(), func(t *testing.T) {
			inTown(t, "ab", func(t *town) {
				was := map[Key]Place{}
				for _, key := range rooms(30) {
					was[key] = t.mustFind("a", key, time.Second)
				}
				for _, n := range t.nodes {
					n.store.Freeze()
				}
				time.Sleep(c.outage)
				for _, key := range rooms(30) {
					if who := t.who(key); (who == "") != c.pauses {
						t.Fatalf("after %v without a store %s answers on %q", c.outage, key, who)
					}
				}
				for _, n := range t.nodes {
					n.store.Heal()
				}
				time.Sleep(ttl)
				for _, key := range rooms(30) {
					p, _ := t.nodes["a"].Known(key)
					t.nodes["a"].Gone(key, p)
					p = t.mustFind("a", key, 5*time.Second)
					if p.Node != was[key].Node || (p.Epoch > was[key].Epoch) != c.renewed {
						t.Fatalf("%s was %v, is %v", key, was[key], p)
					}
				}
				if n := t.nodes["a"].starts + t.nodes["b"].starts; n != 30 {
					t.Fatalf("%d rooms were started anew", n-30)
				}
			})
		})
	}
}

// One node cut off from the store: its rooms pause before they may run elsewhere,
// and the ones that do by the time it is back are given up.
func TestNodeCutFromStore(t *testing.T) {
	inTown(t, "ab", func(t *town) {
		for _, key := range rooms(30) {
			t.mustFind("a", key, time.Second)
		}
		b := t.nodes["b"]
		cut := b.Stats().Rooms
		b.store.Break()
		moved := map[Key]bool{}
		for range 15 {
			time.Sleep(time.Second)
			for i, key := range rooms(30) {
				if i%2 == 0 {
					continue // nobody asks for these meanwhile
				}
				if p, err := t.find("a", key, 300*time.Millisecond); err == nil {
					moved[key] = p.Node == "a"
				}
				t.who(key) // never two
			}
		}
		b.store.Heal()
		time.Sleep(ttl)
		for i, key := range rooms(30) {
			p := t.mustFind("b", key, 5*time.Second)
			if i%2 == 1 && p.Node != "a" {
				t.Fatalf("%s went back to %s: rooms are sticky", key, p.Node)
			}
		}
		if s := b.Stats(); s.Lost == 0 || s.Resumed == 0 || s.Lost+s.Resumed != cut {
			t.Fatalf("of %d rooms %d lost, %d resumed", cut, s.Lost, s.Resumed)
		}
	})
}
