package rooms_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// "/push/* … work cluster-wide": a room is told things by any node.
func TestTellAcrossNodes(t *testing.T) {
	type order struct{ Add int }
	kind := countKind(rooms.OnTold(func(r *count, c *rooms.Ctx, o *order) error {
		if o.Add < 0 {
			return protocol.Errorf(protocol.CodeRefused, "no")
		}
		r.N += o.Add
		c.Broadcast("onNext", r)
		return nil
	}))
	inTown(t, "g1 g2 b", []rooms.Kind{kind}, func(t *town) {
		p := actorstest.Connect(t.T, t.nodes["g1"].app)
		p.WantReply("join", p.Request("count.join", `{"room":"x"}`), `{}`)
		tell := func(node, room string, add int) error {
			verdict := make(chan error, 1)
			t.nodes[node].host.Tell(rooms.Key{Kind: "count", ID: room}, &order{add}, func(err error) { verdict <- err })
			return <-verdict
		}
		for i, node := range []string{"b", "g1", "g2"} {
			if err := tell(node, "x", 1); err != nil {
				t.Fatalf("told by %s: %v", node, err)
			}
			p.WantPush("told by "+node, "onNext", []string{`{"n":1}`, `{"n":2}`, `{"n":3}`}[i])
			if err := tell(node, "nowhere", 1); !errors.Is(err, rooms.ErrNoRoom) {
				t.Errorf("no such room, told by %s: %v", node, err)
			}
			if err := tell(node, "x", -1); protocol.AsError(err).Code != protocol.CodeRefused {
				t.Errorf("refused, told by %s: %v", node, err)
			}
		}
	})
}

// "503 only when certainly nothing was delivered": what was told to a room whose node
// is lost meanwhile, or that fails half way, is unsure; what never left, or was
// refused, is not.
func TestTellAndLose(t *testing.T) {
	type order struct{ What string }
	cable := func() {}
	kind := countKind(rooms.OnTold(func(r *count, c *rooms.Ctx, o *order) error {
		c.Broadcast("onNext", r)
		switch o.What {
		case "fail":
			panic("half way")
		case "cut the cable":
			cable() // no answer leaves
		case "refuse":
			return errors.New("no")
		}
		return nil
	}))
	inTown(t, "g1 g2 b", []rooms.Kind{kind.OnPanic(rooms.PanicContinue)}, func(t *town) {
		g1, g2, b := t.nodes["g1"], t.nodes["g2"], t.nodes["b"]
		p := g1.counter("x")
		tell := func(n *citizen, what string) <-chan error {
			verdict := make(chan error, 1)
			n.host.Tell(rooms.Key{Kind: "count", ID: "x"}, &order{what}, func(err error) { verdict <- err })
			return verdict
		}
		for _, n := range []*citizen{g2, b} {
			if err := <-tell(n, "fail"); !errors.Is(err, rooms.ErrUnsure) {
				t.Errorf("failed half way, told by %s: %v", n.addr, err)
			}
			p.WantPush("it had spoken", "onNext", `{"n":0}`)
			if err := <-tell(n, "refuse"); err == nil || errors.Is(err, rooms.ErrUnsure) {
				t.Errorf("refused, told by %s: %v", n.addr, err)
			}
			p.WantPush("it had spoken", "onNext", `{"n":0}`)
		}
		t.net.Cut(g2.addr, b.addr)
		cut := tell(g2, "go")
		time.Sleep(time.Second)
		t.net.Join(g2.addr, b.addr)
		if err := <-cut; err != nil {
			t.Errorf("told through a short cut: %v", err)
		}
		p.WantPush("once", "onNext", `{"n":0}`)
		p.WantIdle("and not again")

		cable = func() { t.net.Cut(g2.addr, b.addr) }
		lost := tell(g2, "cut the cable")
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		p.WantPush("it was said", "onNext", `{"n":0}`)
		b.kill()
		if err := <-lost; !errors.Is(err, rooms.ErrUnsure) {
			t.Errorf("the node was lost behind it: %v", err)
		}
		time.Sleep(time.Second)
		if err := <-tell(g2, "go"); err == nil || errors.Is(err, rooms.ErrUnsure) {
			t.Errorf("nobody runs rooms any more: %v", err)
		}
	})
}

// "Refuse to acknowledge": a room that cannot be saved stands still. It refuses what it
// is told, at once, and holds no more than its limit of what is said past it.
func TestStandingStillIsBounded(t *testing.T) {
	var member *actors.Ref
	type order struct{}
	kind := countKind(
		rooms.Snapshots(1, func(r *count) ([]byte, error) { return json.Marshal(r) },
			func(r *count, _ *rooms.Ctx, b []byte) error { return json.Unmarshal(b, r) }),
		rooms.OnRequest("hand", func(_ *count, _ *rooms.Ctx, m *rooms.Member, _ *rooms.Anything) (*rooms.Empty, error) {
			member = m.Session()
			return &rooms.Empty{}, nil
		}),
		rooms.OnTold(func(r *count, c *rooms.Ctx, _ *order) error {
			r.N++
			c.Broadcast("onNext", r)
			return nil
		}),
	).Kept()
	inTown(t, "g1 g2 b", []rooms.Kind{kind}, func(t *town) {
		g1, g2, b := t.nodes["g1"], t.nodes["g2"], t.nodes["b"]
		p := g1.counter("x")
		p.WantReply("a reference", p.Request("count.hand", `{}`), `{}`)
		tell := func(n *citizen) error {
			verdict := make(chan error, 1)
			n.host.Tell(rooms.Key{Kind: "count", ID: "x"}, &order{}, func(err error) { verdict <- err })
			return <-verdict
		}
		if err := tell(g2); err != nil {
			t.Fatal(err)
		}
		p.WantPush("all is well", "onNext", `{"n":1}`)
		b.store.Break()
		if err := tell(b); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		began := time.Now()
		if err := tell(b); !errors.Is(err, rooms.ErrPaused) {
			t.Errorf("told here: %v", err)
		}
		if err := tell(g2); protocol.AsError(err).Code != protocol.CodeUnavailable {
			t.Errorf("told elsewhere: %v", err)
		}
		if d := time.Since(began); d > 100*time.Millisecond {
			t.Errorf("refused after %v", d)
		}
		if n := b.host.Stats().Paused; n != 2 {
			t.Errorf("%d refusals counted", n)
		}
		const pushes, size = 250, 64 << 10 // twice the limit
		for range pushes {
			member.Push("onNoise", strings.Repeat("x", size))
			synctest.Wait()
		}
		refused := b.app.Stats().FarRefused
		if held := (pushes - refused) * size; refused == 0 || held < 7<<20 || held > 9<<20 {
			t.Errorf("%d of %d pushes refused", refused, pushes)
		}
		b.store.Heal()
		p.WantPush("what waited", "onNext", `{"n":2}`)
		for range pushes - refused {
			if m := p.Message("and all that was taken"); m.Route != "onNoise" {
				t.Fatalf("got %s %s", m.Route, m.Body)
			}
		}
		if err := tell(g2); err != nil {
			t.Errorf("told when all is well: %v", err)
		}
		p.WantPush("it goes on", "onNext", `{"n":3}`)
	})
}
