package apps_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
)

// A part of a group that only other nodes needed goes when it has been empty for a
// while; nobody notices, also who needs it at that very moment.
func TestEmptyPartsGo(t *testing.T) {
	inTown(t, "a c", func(t *town) {
		a, c, ctx := t.nodes["a"], t.nodes["c"], t.Context()
		g := a.group("g")
		cid := actorstest.Connect(t.T, c.app)
		ref := a.find(cid)

		t.must(g.Add(ctx, ref, nil))
		time.Sleep(10 * time.Minute)
		t.sent("who is in stays in", actors.Sent{Sent: 1}, func(done func(actors.Sent)) error { return g.Broadcast("onNews", number{1}, done) })
		cid.WantPush("the push", "onNews", `{"n":1}`)

		for i := range 100 {
			t.must(g.Leave(ctx, ref))
			time.Sleep(2*time.Minute - 10*time.Millisecond + time.Duration(i)*200*time.Microsecond) // about when the part goes
			t.must(g.Add(ctx, ref, nil))
			t.sent("it is in", actors.Sent{Sent: 1}, func(done func(actors.Sent)) error { return g.Broadcast("onNews", number{2}, done) })
			cid.WantPush("each time", "onNews", `{"n":2}`)
		}
		t.must(g.Leave(ctx, ref))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if _, ok := c.app.Group("g"); ok {
			t.Error("the empty part is still there")
		}
		t.count("nobody is in", g, 0)
		t.sent("nobody hears it", actors.Sent{}, func(done func(actors.Sent)) error { return g.Broadcast("onNews", number{3}, done) })
	})
}

// A part that somebody of its own node has got hold of stays.
func TestPartsInUseStay(t *testing.T) {
	inTown(t, "a b c", func(t *town) {
		a, b, c, ctx := t.nodes["a"], t.nodes["b"], t.nodes["c"], t.Context()
		g := a.group("g")
		bob, cid := actorstest.Connect(t.T, b.app), actorstest.Connect(t.T, c.app)
		t.must(g.Add(ctx, a.find(bob), nil))
		t.must(g.Add(ctx, a.find(cid), nil))
		found, ok := b.app.Group("g")
		if !ok {
			t.Fatal("b has no part")
		}
		made := c.group("g")
		t.must(g.LeaveAll(ctx))
		time.Sleep(time.Hour)
		t.must(found.Add(ctx, &bob.Session.Ref, nil))
		t.must(made.Add(ctx, &cid.Session.Ref, nil))
		t.count("both are in", g, 2)
		if again, _ := b.app.Group("g"); again != found {
			t.Error("another part was made")
		}
	})
}
