package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// town is a cluster in fake time, around one store and one network that lose and
// break what a test wants.
type town struct {
	*testing.T
	store *store.Memory
	net   *linktest.Net
	kinds []rooms.Kind
	nodes map[string]*citizen

	setup func(name string, app *actors.App, cfg *cluster.Config) // of the nodes that start from now on
	keep  func(snapshots.Store) snapshots.Store                   // where their rooms are saved, nil: as it is
	mesh  func(n *citizen) rooms.Mesh                             // as their rooms see the cluster
}

// citizen is one process of a town.
type citizen struct {
	*cluster.Node
	town  *town
	addr  string
	store *storetest.Faulty
	app   *actors.App
	apps  *apps.Apps
	host  *rooms.Host
}

// inTown runs f with nodes of these names: those that begin with g take players
// only. A name with ' at its end starts where the one without it was.
func inTown(t *testing.T, names string, kinds []rooms.Kind, f func(t *town)) {
	t.Helper()
	synctestTown(t, names, 1, kinds, f)
}

// synctestTown is inTown with a network whose troubles come by this seed.
func synctestTown(t *testing.T, names string, seed uint64, kinds []rooms.Kind, f func(t *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { newTown(t, seed, kinds).run(names, f) })
}

// newTown makes a town without nodes. Call it in a bubble, and run.
func newTown(t *testing.T, seed uint64, kinds []rooms.Kind) *town {
	return &town{
		T: t, store: store.NewMemory(), net: linktest.New(seed), kinds: kinds, nodes: make(map[string]*citizen),
		mesh: func(n *citizen) rooms.Mesh { return n.Node },
	}
}

// run starts the nodes, runs f and stops all that is left.
func (t *town) run(names string, f func(t *town)) {
	t.Helper()
	for _, name := range strings.Fields(names) {
		t.start(name)
	}
	synctest.Wait()
	f(t)
	t.net.Trouble(linktest.Trouble{})
	for _, n := range t.nodes {
		n.stop()
	}
	_ = t.store.Close()
	t.net.Close()
}

func (t *town) start(name string) *citizen {
	t.Helper()
	n := &citizen{town: t, addr: "host:" + strings.TrimRight(name, "'"), store: storetest.NewFaulty(t.store)}
	n.app = actors.New(actors.Config{NewAudience: actorstest.NewAudience, Rate: -1, Heartbeat: -1})
	host, err := rooms.Install(n.app, nil, t.kinds...)
	if err != nil {
		t.Fatal(err)
	}
	n.host = host
	cfg := cluster.Config{
		Store: n.store, Listen: n.addr, Node: name, Sessions: n.app.Prefix(),
		Connect: func(boot string) (*link.Link, func(context.Context, string) error) {
			return t.net.Add(boot, n.addr, nil), t.net.Dial(n.addr)
		},
	}
	if name[0] == 'g' {
		cfg.Roles = []string{cluster.RoleGate}
	}
	if t.setup != nil {
		t.setup(name, n.app, &cfg)
	}
	if n.Node, err = cluster.Open(cfg); err != nil {
		t.Fatal(err)
	}
	n.apps = apps.Join(n.app, n.Node, nil)
	var snaps snapshots.Store = n.Snapshots()
	if t.keep != nil {
		snaps = t.keep(snaps)
	}
	host.Keep(snaps)
	host.Spread(t.mesh(n))
	if err := errors.Join(n.app.Start(), n.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.nodes[name] = n
	return n
}

// stop ends a node in order, as the server does.
func (n *citizen) stop() {
	n.town.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := errors.Join(n.Drain(ctx), n.app.Shutdown(ctx), n.host.Stop(ctx, protocol.ReasonShutdown), n.Leave(ctx)); err != nil {
		n.town.Errorf("stop %s: %v", n.addr, err)
	}
	n.apps.Close()
	n.app.Close()
	n.forget()
}

func (n *citizen) forget() {
	n.town.net.Remove(n.addr)
	for name, o := range n.town.nodes {
		if o == n {
			delete(n.town.nodes, name)
		}
	}
}

// kill ends a node as kill -9 does: the others see their connections break. What
// it still had running speaks to nobody.
func (n *citizen) kill() {
	n.town.Helper()
	n.Close()
	n.forget()
	for _, o := range n.town.nodes {
		o.Suspect(n.addr)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := errors.Join(n.app.Shutdown(ctx), n.host.Stop(ctx, protocol.ReasonShutdown)); err != nil {
		n.town.Errorf("kill %s: %v", n.addr, err)
	}
	n.apps.Close()
	n.app.Close()
}

// in connects a probe and joins a room.
func (n *citizen) in(room string) *actorstest.Probe {
	n.town.Helper()
	return in(n.town.T, n.app, room)
}

// A room on one node, its members on two others: what is said arrives everywhere,
// in the room's order, and answers come once.
func TestRoomAcrossNodes(t *testing.T) {
	inTown(t, "g1 g2 b", []rooms.Kind{arenaKind()}, func(t *town) {
		g, h := t.nodes["g1"], t.nodes["g2"]
		ann := g.in("x")
		bob := h.in("x")
		ann.WantPush("bob came", "onJoin", `{"score":1}`)
		id := bob.Request("arena.hit", `{"points":3}`)
		bob.WantPush("the room's word", "onScore", `{"score":3}`)
		bob.WantReply("then the answer", id, `{"score":3}`)
		ann.WantPush("on the other gate too", "onScore", `{"score":3}`)
		ann.WantCode("a bad body is answered by the room", ann.Request("arena.hit", `[`), protocol.CodeBadRequest)
		ann.WantReply("a second join repeats the first answer", ann.Request("arena.join", `{"room":"x"}`), `{"score":0}`)
		ann.Notify("arena.note", `{"points":4}`)
		id = ann.Request("arena.hit", `{"points":0}`)
		ann.WantPush("a notify was handled before", "onScore", `{"score":7}`)
		ann.WantReply("its answer", id, `{"score":7}`)
		bob.WantPush("everybody hears", "onScore", `{"score":7}`)
		ann.WantReply("leave", ann.Request("arena.leave", ``), `{"code":0,"result":"success"}`)
		ann.WantCode("it has left", ann.Request("arena.hit", `{}`), protocol.CodeRefused)
		bob.Drop()
		time.Sleep(time.Second)
		synctest.Wait()
		if a, b := t.members(), t.rooms(); a != 0 || b != 1 {
			t.Fatalf("%d members in %d rooms, want nobody in one", a, b)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := t.rooms(); n != 0 {
			t.Fatalf("%d rooms after a minute without members", n)
		}
	})
}

func (t *town) members() (n int64) {
	for _, c := range t.nodes {
		n += c.host.Stats().Members
	}
	return n
}

func (t *town) rooms() (n int64) {
	for _, c := range t.nodes {
		n += c.host.Stats().Rooms
	}
	return n
}

// "Remote loss injected: every gap repaired; receivers see each message once, in
// order."
func TestLossIsRepaired(t *testing.T) {
	inTown(t, "g1 g2 b", []rooms.Kind{countKind()}, func(t *town) {
		var members []*actorstest.Probe
		for _, name := range []string{"g1", "g2", "b"} {
			p := actorstest.Connect(t.T, t.nodes[name].app)
			p.WantReply("join", p.Request("count.join", `{}`), `{}`)
			members = append(members, p)
		}
		t.net.Lose(0.2)
		const n = 300
		for i := range n {
			members[i%2].Notify("count.next", `{}`)
			if i%10 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
		}
		for i := range n {
			for _, p := range members {
				p.WantPush("each message once, in order", "onNext", fmt.Sprintf(`{"n":%d}`, i+1))
			}
		}
		if t.net.Lost() < 10 {
			t.Fatalf("only %d messages were lost on the way", t.net.Lost())
		}
		t.net.Lose(0)
		time.Sleep(10 * time.Second)
		for _, p := range members {
			p.WantIdle("nothing twice")
		}
	})
}

// count is a game that numbers what it is told.
type count struct {
	N int `json:"n"`
}

func countKind(parts ...rooms.Part[count]) rooms.Kind {
	return rooms.KindOf("count", append([]rooms.Part[count]{
		rooms.OnJoin(func(*count, *rooms.Ctx, *rooms.Member, *rooms.Anything) (*rooms.Empty, error) {
			return &rooms.Empty{}, nil
		}),
		rooms.OnNotify("next", func(r *count, c *rooms.Ctx, _ *rooms.Member, _ *rooms.Anything) {
			r.N++
			c.Broadcast("onNext", r)
		}),
	}, parts...)...)
}

// "kill -9 of a room host: no failed call, all rooms answer within 1 s": who was in
// a room is in it still, and the room is told so.
func TestRoomHostLost(t *testing.T) {
	inTown(t, "g1 g2 b c", []rooms.Kind{countKind()}, func(t *town) {
		const n = 20
		var members []*actorstest.Probe
		for i := range n {
			for _, g := range []string{"g1", "g2"} {
				p := actorstest.Connect(t.T, t.nodes[g].app)
				p.WantReply("join", p.Request("count.join", fmt.Sprintf(`{"room":%d}`, i)), `{}`)
				members = append(members, p)
			}
		}
		lost := t.nodes["b"].host.Stats().Rooms
		if lost == 0 || lost == n {
			t.Fatalf("%d of %d rooms on b: placement does not spread", lost, n)
		}
		t.nodes["b"].kill()
		began := time.Now()
		for _, p := range members {
			id := p.Request("count.next", `{}`)
			for p.Message("a push or the answer").ID != id {
			}
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("all rooms answered after %v", d)
		}
		if got := t.nodes["c"].host.Stats(); got.Rooms != n || got.Members != 2*n {
			t.Errorf("%d rooms with %d members, want %d with %d", got.Rooms, got.Members, n, 2*n)
		}
	})
}

// Members of a lost gate leave their rooms, those of others stay.
func TestGateLost(t *testing.T) {
	inTown(t, "g1 g2 b", []rooms.Kind{arenaKind(rooms.OnLeave(func(_ *arena, c *rooms.Ctx, _ *rooms.Member, _ protocol.Reason) {
		c.Broadcast("onLeave", score{c.Count()})
	}))}, func(t *town) {
		ann := t.nodes["g1"].in("x")
		t.nodes["g2"].in("x")
		ann.WantPush("the other came", "onJoin", `{"score":1}`)
		t.nodes["g2"].kill()
		ann.WantPush("its gate died", "onLeave", `{"score":1}`)
	})
}
