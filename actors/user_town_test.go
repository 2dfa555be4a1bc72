package actors_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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

// town is a cluster in fake time, around one store and one network that lose and
// break what a test wants.
type town struct {
	*testing.T
	cfg   actors.Config
	store *store.Memory
	net   *linktest.Net
	nodes map[string]*citizen
}

// citizen is one process of a town.
type citizen struct {
	*cluster.Node
	town  *town
	name  string
	addr  string
	store *storetest.Faulty
	app   *actors.App
	apps  *apps.Apps
}

// inTown runs f with nodes of these names: those that begin with g take players
// only, those with b keep users only.
func inTown(t *testing.T, names string, cfg actors.Config, f func(t *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tn := &town{T: t, cfg: cfg, store: store.NewMemory(), net: linktest.New(1), nodes: make(map[string]*citizen)}
		for _, name := range strings.Fields(names) {
			tn.start(name)
		}
		synctest.Wait()
		f(tn)
		tn.net.Lose(0)
		for _, n := range tn.nodes {
			n.stop()
		}
		_ = tn.store.Close()
		tn.net.Close()
	})
}

func (t *town) start(name string) *citizen {
	t.Helper()
	n := &citizen{town: t, name: name, addr: "host:" + name, store: storetest.NewFaulty(t.store)}
	cfg := t.cfg
	cfg.NewAudience, cfg.Rate, cfg.Heartbeat = actorstest.NewAudience, -1, -1
	n.app = actors.New(cfg)
	actors.Handle(n.app, "u.as", func(c *actors.Ctx, v *struct{ UID string }) (*value, error) {
		c.Bind(v.UID)
		return &value{}, nil
	})
	actors.HandleRaw(n.app, "u.who", func(c *actors.Ctx, _ []byte) ([]byte, error) { return []byte(c.UID()), nil })
	actors.HandleRaw(n.app, "u.out", func(c *actors.Ctx, _ []byte) ([]byte, error) { c.Unbind(); return nil, nil })
	actors.HandleRaw(n.app, "u.sleep", func(*actors.Ctx, []byte) ([]byte, error) { time.Sleep(time.Minute); return nil, nil })
	node, err := cluster.Open(cluster.Config{
		Store: n.store, Listen: n.addr, Node: name, Sessions: n.app.Prefix(),
		Roles: map[byte][]string{'g': {cluster.RoleGate}, 'b': {cluster.RoleRooms}}[name[0]],
		Connect: func(boot string) (*link.Link, func(context.Context, string) error) {
			return t.net.Add(boot, n.addr, nil), t.net.Dial(n.addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Node, n.apps = node, apps.Join(n.app, node, nil)
	n.app.Users().Spread(node)
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
	if err := errors.Join(n.Drain(ctx), n.app.Shutdown(ctx), n.Leave(ctx)); err != nil {
		n.town.Errorf("stop %s: %v", n.name, err)
	}
	n.apps.Close()
	n.app.Close()
	n.forget()
}

func (n *citizen) forget() {
	n.town.net.Remove(n.addr)
	delete(n.town.nodes, n.name)
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
	if err := n.app.Shutdown(ctx); err != nil {
		n.town.Errorf("kill %s: %v", n.name, err)
	}
	n.apps.Close()
	n.app.Close()
}

// login connects a probe that logs in.
func (n *citizen) login(uid string) *actorstest.Probe {
	n.town.Helper()
	p := actorstest.Connect(n.town.T, n.app)
	p.WantReply("login on "+n.name, p.Request("u.as", as(uid)), `{"n":0}`)
	return p
}

func as(uid string) string { return fmt.Sprintf(`{"uid":%q}`, uid) }

func (n *citizen) online(uid string) bool {
	n.town.Helper()
	return online(n.town.T, n.app, uid)
}

// push pushes a number to a user, and returns what became of it.
func (n *citizen) push(uid string, i int) (sent, dropped int) {
	n.town.Helper()
	done := make(chan struct{})
	err := n.app.Users().Push(uid, "onMail", value{i}, func(s, d int) { sent, dropped = s, d; close(done) })
	if err != nil {
		n.town.Fatal(err)
	}
	<-done
	return sent, dropped
}

// users counts those that the nodes of the town keep.
func (t *town) users() (n int64) {
	for _, c := range t.nodes {
		n += c.app.Stats().Users
	}
	return n
}

func mail(n int) string { return fmt.Sprintf(`{"n":%d}`, n) }

// Users are kept on a third node, and reached from all.
func TestUsersAcrossNodes(t *testing.T) {
	inTown(t, "g1 g2 b", actors.Config{Duplicates: actors.AllowSeveral}, func(t *town) {
		g, h, b := t.nodes["g1"], t.nodes["g2"], t.nodes["b"]
		ann, bob := g.login("ann"), h.login("bob")
		for i, from := range []*citizen{g, h, b} {
			if s, d := from.push("ann", i); s != 1 || d != 0 {
				t.Errorf("push from %s: sent %d, dropped %d", from.name, s, d)
			}
			ann.WantPush("from "+from.name, "onMail", mail(i))
			if !from.online("ann") || !from.online("bob") || from.online("zoe") {
				t.Errorf("%s does not know who is online", from.name)
			}
			if s, d := from.push("zoe", i); s+d != 0 {
				t.Errorf("push to nobody: sent %d, dropped %d", s, d)
			}
		}
		too := h.login("ann")
		if s, _ := b.push("ann", 9); s != 2 {
			t.Errorf("sent to %d sessions, want 2", s)
		}
		ann.WantPush("on the one gate", "onMail", mail(9))
		too.WantPush("and on the other", "onMail", mail(9))
		refs, err := b.app.Users().Sessions(t.Context(), "ann")
		if err != nil || len(refs) != 2 || refs[0].ID() != ann.Session.ID() || refs[1].ID() != too.Session.ID() {
			t.Fatalf("sessions %v %v", refs, err)
		}
		refs[1].Push("onMail", value{10})
		too.WantPush("by reference, from a third node", "onMail", mail(10))
		kicked := make(chan int)
		go b.app.Users().Kick("ann", protocol.ReasonKicked, "be nice", func(n int) { kicked <- n })
		if n := <-kicked; n != 2 {
			t.Errorf("%d kicked, want 2", n)
		}
		for _, p := range []*actorstest.Probe{ann, too} {
			p.Want("why", protocol.Kick, `{"reason":"be nice","code":9}`)
			p.WantClosed("then the end", protocol.ReasonKicked)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		bob.WantReply("log out", bob.Request("u.out", ``), ``)
		synctest.Wait()
		time.Sleep(time.Second)
		if g.online("ann") || g.online("bob") || t.users() != 0 {
			t.Errorf("%d users left", t.users())
		}
	})
}

// What one node promises of duplicate logins holds for two.
func TestDuplicateLoginAcrossNodes(t *testing.T) {
	inTown(t, "g1 g2 b", actors.Config{}, func(t *town) {
		g, h := t.nodes["g1"], t.nodes["g2"]
		old := g.login("ann")
		young := h.login("ann")
		old.Want("why", protocol.Kick, `{"reason":"logged in elsewhere","code":10}`)
		old.WantClosed("then the end", protocol.ReasonReplaced)
		if uid := old.Session.UID(); uid != "" {
			t.Errorf("the old session is still %q", uid)
		}
		young.Request("u.sleep", ``)
		time.Sleep(time.Second)
		began := time.Now()
		last := g.login("ann")
		if d := time.Since(began); d < handover || d > handover+20*time.Millisecond {
			t.Errorf("a session that does not go was cut after %v, want %v", d, handover)
		}
		if uid := young.Session.UID(); uid != "" || young.Reason() != protocol.ReasonReplaced || h.app.Stats().Forced != 1 {
			t.Errorf("the blocked session is still %q, closed with %v", uid, young.Reason())
		}
		last.WantIdle("it stays")
		time.Sleep(2 * time.Minute) // the sleeper wakes
		if !h.online("ann") || t.users() != 1 {
			t.Errorf("%d users", t.users())
		}
	})
	inTown(t, "g1 g2 b", actors.Config{Duplicates: actors.RefuseNew}, func(t *town) {
		old := t.nodes["g1"].login("ann")
		young := actorstest.Connect(t.T, t.nodes["g2"].app)
		young.WantCode("refused", young.Request("u.as", as("ann")), protocol.CodeConflict)
		young.WantReply("and nobody", young.Request("u.who", ``), ``)
		old.Drop()
		time.Sleep(100 * time.Millisecond)
		young.WantReply("free again", young.Request("u.as", as("ann")), `{"n":0}`)
	})
}

// handover is how long a session that is told to go may take.
const handover = time.Second

// "Duplicate login on two gates at once, 1,000 racing pairs: exactly one session of
// each remains."
func TestRacingPairsOnTwoGates(t *testing.T) {
	for _, policy := range []actors.DuplicateLogin{actors.KickOld, actors.RefuseNew, actors.AllowSeveral} {
		t.Run(policy.String(), func(t *testing.T) {
			inTown(t, "g1 g2 b c", actors.Config{Duplicates: policy}, func(t *town) { t.racePairs(policy, 1000) })
		})
	}
}

// pair is two sessions of one user, on two gates.
type pair struct {
	uid    string
	probes [2]*actorstest.Probe
	race   race
}

func (t *town) pairs(n int) []*pair {
	t.Helper()
	ps := make([]*pair, n)
	for i := range ps {
		p := &pair{uid: fmt.Sprintf("user-%d", i)}
		for j, gate := range []string{"g1", "g2"} {
			p.probes[j] = actorstest.Connect(t.T, t.nodes[gate].app)
			p.race.tap(t.T, j, p.probes[j])
		}
		ps[i] = p
	}
	return ps
}

// race lets both sessions of all pairs log in at the same moment, and returns when
// all are answered.
func (t *town) race(ps []*pair) {
	t.Helper()
	var all sync.WaitGroup
	for _, p := range ps {
		for _, s := range p.probes {
			all.Go(func() { s.Request("u.as", as(p.uid)) })
		}
	}
	all.Wait()
	for range 600 {
		open := 0
		for _, p := range ps {
			if p.race.count("in")+p.race.count("no") < 2 {
				open++
			}
		}
		if open == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
	}
	t.Fatal("logins are not answered")
}

func (t *town) racePairs(policy actors.DuplicateLogin, n int) {
	ps := t.pairs(n)
	t.race(ps)
	time.Sleep(time.Second)
	remain := 1
	if policy == actors.AllowSeveral {
		remain = 2
	}
	for i, p := range ps {
		if s, d := t.nodes["b"].push(p.uid, i); s != remain || d != 0 {
			t.Errorf("%s: a push was sent to %d sessions, dropped by %d, want %d", p.uid, s, d, remain)
		}
		p.check(t, policy)
	}
	if n := t.users(); n != int64(len(ps)) {
		t.Errorf("%d users, want %d", n, len(ps))
	}
	for _, p := range ps {
		p.probes[0].Drop()
		p.probes[1].Drop()
	}
	time.Sleep(time.Second)
	if n := t.users(); n != 0 {
		t.Errorf("%d users left when all sessions have gone", n)
	}
}

// check reads what the two sessions got, in one order: with KickOld the kick of the
// one comes ahead of the login of the other, and only who is in gets the push.
func (p *pair) check(t *town, policy actors.DuplicateLogin) {
	t.Helper()
	in, out, no := p.race.count("in"), p.race.count("out"), p.race.count("no")
	live := map[int]bool{}
	for _, h := range p.race.taken() {
		switch h.what {
		case "in":
			if policy != actors.AllowSeveral && len(live) > 0 {
				t.Errorf("%s: %d is let in while another is live", p.uid, h.who)
			}
			live[h.who] = true
		case "out":
			delete(live, h.who)
		case "push":
			if !live[h.who] {
				t.Errorf("%s: a push for %d, who is not in", p.uid, h.who)
			}
		}
	}
	want := map[actors.DuplicateLogin][3]int{actors.KickOld: {2, 1, 0}, actors.RefuseNew: {1, 0, 1}, actors.AllowSeveral: {2, 0, 0}}[policy]
	if got := [3]int{in, out, no}; got != want {
		t.Errorf("%s: in, kicked, refused %v, want %v", p.uid, got, want)
	}
	for who, s := range p.probes {
		if bound := s.Session.UID() == p.uid; bound != live[who] {
			t.Errorf("%s: session %d has uid %q", p.uid, who, s.Session.UID())
		}
	}
}
