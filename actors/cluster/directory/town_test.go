package directory

import (
	"context"
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
