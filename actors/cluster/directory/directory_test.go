package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/link/linktest"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/storetest"
	"github.com/shaddock-game/shaddock/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ttl = 10 * time.Second

// town is a cluster in fake time: nodes with a link, a roster and a directory
// each, around one store.
type town struct {
	*testing.T
	store *store.Memory
	net   *linktest.Net
	nodes map[string]*node
	rules map[string]Rule

	labels map[string]string // of the nodes that start from now on
}

// node is one process of a town, and its host: rooms take saving to stop.
type node struct {
	*Directory
	town   *town
	addr   string
	store  *storetest.Faulty
	roster *roster.Roster
	link   *link.Link
	saving time.Duration

	mu     sync.Mutex // the test looks while the directory calls
	rooms  map[Key]*fakeRoom
	stays  bool // idle rooms stay
	starts int
}

type fakeRoom struct {
	epoch     uint64
	suspended bool
}

func inTown(t *testing.T, names string, f func(t *town)) {
	synctest.Test(t, func(t *testing.T) {
		tn := &town{T: t, store: store.NewMemory(), net: linktest.New(1), nodes: make(map[string]*node), rules: make(map[string]Rule)}
		defer func() {
			for _, n := range tn.nodes {
				n.kill()
			}
			_ = tn.store.Close()
			tn.net.Close()
		}()
		for _, name := range names {
			tn.start(string(name))
		}
		synctest.Wait()
		f(tn)
	})
}

// start starts a node; its address is its name's first letter, so that "a2" comes
// back where "a" was.
func (t *town) start(name string) *node {
	t.Helper()
	n := &node{town: t, addr: "host:" + name[:1], store: storetest.NewFaulty(t.store), rooms: make(map[Key]*fakeRoom)}
	n.link = t.net.Add(name, n.addr, nil)
	var dir *Directory
	ready := make(chan struct{})
	r, err := roster.Join(t.Context(), roster.Config{
		Store: n.store, Prefix: "/members/", TTL: ttl,
		Self: roster.Member{ID: name, Addr: n.addr, Kinds: []string{"room"}, Labels: t.labels},
		Load: func() roster.Load { return roster.Load{Rooms: int(dir.Stats().Rooms)} }, LoadEvery: time.Minute,
		Changed: func(s roster.Standing) {
			<-ready
			n.link.Members(s.View)
			dir.Standing(s)
		},
		Dial: t.net.Dial(n.addr),
	})
	if err != nil {
		t.Fatal(err)
	}
	n.roster = r
	dir = New(Config{Store: n.store, Prefix: "/rooms/", Link: n.link, Roster: r, Host: n, Rules: t.rules})
	n.Directory = dir
	dir.Standing(r.Standing())
	close(ready)
	n.link.Start()
	dir.Start()
	t.nodes[name] = n
	return n
}

// kill ends a node as kill -9 does.
func (n *node) kill() {
	n.roster.Close()
	n.link.Close()
	n.Directory.Close()
	for name, o := range n.town.nodes {
		if o == n {
			delete(n.town.nodes, name)
		}
	}
	n.town.net.Remove(n.addr)
}

// crash is kill, and the others see the connection break.
func (t *town) crash(name string) {
	addr := t.nodes[name].addr
	t.nodes[name].kill()
	for _, n := range t.nodes {
		n.roster.Suspect(addr)
	}
}

// The host.

func (n *node) with(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func (n *node) Start(key Key, epoch uint64) {
	n.with(func() {
		if n.rooms[key] != nil {
			n.town.Errorf("%s started twice on %s", key, n.addr)
		}
		n.starts++
		n.rooms[key] = &fakeRoom{epoch: epoch}
	})
}

func (n *node) Suspend(key Key, _ uint64) {
	n.with(func() { n.rooms[key].suspended = true })
}

func (n *node) Resume(key Key, epoch, next uint64) {
	n.with(func() {
		r := n.rooms[key]
		if r.epoch != epoch {
			n.town.Errorf("%s resumed as @%d, it is @%d", key, epoch, r.epoch)
		}
		r.suspended, r.epoch = false, next
	})
}

func (n *node) Stop(key Key, epoch uint64, why Why) {
	if why == Idle && n.stays {
		n.Stayed(key, epoch)
		return
	}
	time.AfterFunc(n.saving, func() {
		n.with(func() { delete(n.rooms, key) })
		n.Stopped(key, epoch)
	})
}

// answers says under which epoch a room of this node would answer now, 0: it
// would not.
func (n *node) answers(key Key) (epoch uint64) {
	n.with(func() {
		if r := n.rooms[key]; r != nil && !r.suspended && n.roster.Held() {
			epoch = r.epoch
		}
	})
	return epoch
}

// who returns the only node on which a room answers; "" is none.
func (t *town) who(key Key) string {
	t.Helper()
	synctest.Wait()
	who := ""
	for name, n := range t.nodes {
		if n.answers(key) == 0 {
			continue
		}
		if who != "" {
			t.Fatalf("%s answers on %s and %s", key, who, name)
		}
		who = name
	}
	return who
}

func (t *town) find(from string, key Key, d time.Duration) (Place, error) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return t.nodes[from].Find(ctx, key)
}

// mustFind finds a room within d and checks that it answers there.
func (t *town) mustFind(from string, key Key, d time.Duration) Place {
	t.Helper()
	p, err := t.find(from, key, d)
	if err != nil {
		t.Fatalf("%s looks for %s: %v", from, key, err)
	}
	if who := t.who(key); who != p.Node {
		t.Fatalf("%s finds %s on %s, but it answers on %q", from, key, p.Node, who)
	}
	return p
}

// reach is mustFind for somebody who finds the room gone and looks again, as calls
// do.
func (t *town) reach(from string, key Key, d time.Duration) Place {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		p, err := t.find(from, key, time.Until(end))
		if err == nil && t.who(key) == p.Node {
			return p
		}
		t.nodes[from].Gone(key, p)
	}
	t.Fatalf("%s does not reach %s within %v", from, key, d)
	return Place{}
}

func rooms(n int) (keys []Key) {
	for i := range n {
		keys = append(keys, Key{"room", fmt.Sprint(i)})
	}
	return keys
}

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

func TestNobodyRunsTheKind(t *testing.T) {
	inTown(t, "a", func(t *town) {
		start := time.Now()
		_, err := t.find("a", Key{"arena", "1"}, 20*time.Second)
		if !errors.Is(err, ErrNoHost) {
			t.Fatalf("got %v", err)
		}
		if d := time.Since(start); d < hostless || d > 5*time.Second {
			t.Fatalf("took %v: one that restarts has some time, and a caller is told before it gives up", d)
		}
		start = time.Now()
		got := make(chan error, 1)
		t.nodes["a"].Then(Key{"arena", "2"}, func(_ Place, err error) { got <- err })
		if err := <-got; !errors.Is(err, ErrNoHost) {
			t.Fatalf("Then got %v", err)
		}
		if d := time.Since(start); d > 0 {
			t.Fatalf("the next one waits for %v, though it is known that nobody runs the kind", d)
		}
		if s := t.nodes["a"].Stats(); s.NotFound != 2 || s.NoHost != 2 {
			t.Fatalf("%d counted, %d for want of a host", s.NotFound, s.NoHost)
		}
	})
}

// A kind that demands labels is refused by name while no node has them, and runs
// as soon as one has.
func TestNobodyHasTheLabels(t *testing.T) {
	inTown(t, "", func(t *town) {
		t.rules["room"] = Rule{Labels: map[string]string{"zone": "b", "disk": "fast"}}
		t.start("a")
		_, err := t.find("a", one, 20*time.Second)
		coded, ok := errors.AsType[*protocol.Error](err)
		if !ok || coded.Code != protocol.CodeUnavailable || coded.Msg != "no node with the labels disk=fast,zone=b runs rooms of kind room" {
			t.Fatalf("got %v", err)
		}
		if none := t.nodes["a"].Unhosted(); len(none) != 1 || none[0].String() != coded.Msg {
			t.Fatalf("unhosted kinds: %v", none)
		}
		t.labels = map[string]string{"zone": "b", "disk": "fast", "more": "too"}
		t.start("b")
		synctest.Wait()
		if p := t.mustFind("a", one, time.Second); p.Node != "b" {
			t.Fatalf("runs on %s, which has not the labels", p.Node)
		}
		if none := t.nodes["a"].Unhosted(); len(none) != 0 {
			t.Fatalf("unhosted kinds: %v", none)
		}

		t.crash("b")
		time.Sleep(time.Second)
		start := time.Now()
		if _, err := t.find("a", two, 20*time.Second); !errors.Is(err, ErrNoHost) || time.Since(start) < hostless {
			t.Fatalf("gave up after %v with %v: the only host may be about to come back", time.Since(start), err)
		}
	})
}

func TestRulesAreFollowed(t *testing.T) {
	inTown(t, "", func(t *town) {
		t.rules["room"] = Rule{Route: func(key Key, able []roster.Member) string {
			return able[len(able)-1].ID
		}}
		t.start("a")
		t.start("b")
		time.Sleep(time.Second)
		for _, key := range rooms(10) {
			if p := t.mustFind("a", key, time.Second); p.Node != "b" {
				t.Fatalf("%s is on %s", key, p.Node)
			}
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
