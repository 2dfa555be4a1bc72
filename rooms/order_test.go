package rooms_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// A node that regains its place orders its rooms to go on. One whose mailbox is full
// at that moment must not be taken for one that has stopped: its key would be given
// up, and it would run twice.
func TestOrdersOutliveAFlood(t *testing.T) {
	opened, busy := 0, (chan struct{})(nil) // of the bubble
	kind := arenaKind(
		rooms.OnInit(func(*arena, *rooms.Ctx) error { opened++; return nil }),
		rooms.OnTold(func(_ *arena, _ *rooms.Ctx, what string) error {
			if what == "wait" {
				<-busy
			}
			return nil
		}),
	).Mailbox(4)
	inTown(t, "g b", []rooms.Kind{kind}, func(tn *town) {
		busy = make(chan struct{})
		ann := tn.nodes["g"].in("x")
		ann.Request("arena.hit", `{"points":3}`)
		ann.Message("the score")
		ann.Message("the answer")
		b := tn.nodes["b"]
		tell := func(what string) {
			b.host.Tell(rooms.Key{Kind: "arena", ID: "x"}, what, func(error) {})
		}
		tell("wait")
		synctest.Wait()
		for range 8 {
			tell("fill the mailbox")
		}
		b.store.Break()
		time.Sleep(15 * time.Second) // its lease has ended, and so has its key
		b.store.Heal()
		time.Sleep(5 * time.Second)
		close(busy)
		time.Sleep(10 * time.Second)
		for _, ok := ann.Next(); ok; _, ok = ann.Next() {
		}
		id := ann.Request("arena.hit", `{"points":0}`)
		ann.WantPush("the same game goes on", "onScore", `{"score":3}`)
		ann.WantReply("and answers", id, `{"score":3}`)
		if rooms := tn.rooms(); opened != 1 || rooms != 1 {
			t.Errorf("%d games were opened and %d rooms run, want one", opened, rooms)
		}
	})
}

// A room that closes itself when its node is not sure of its lease any more says
// nothing of that, though the order to be silent still waits in its mailbox.
func TestLastWordNeedsALease(t *testing.T) {
	var busy chan struct{} // of the bubble
	kind := arenaKind(rooms.OnTold(func(_ *arena, c *rooms.Ctx, _ string) error {
		<-busy
		c.Broadcast("onLast", 1)
		c.Close(protocol.ReasonKicked)
		return nil
	}))
	inTown(t, "g b", []rooms.Kind{kind}, func(tn *town) {
		busy = make(chan struct{})
		ann, b := tn.nodes["g"].in("x"), tn.nodes["b"]
		b.host.Tell(rooms.Key{Kind: "arena", ID: "x"}, "close", func(error) {})
		b.store.Break()
		for b.Held() {
			time.Sleep(100 * time.Millisecond)
		}
		close(busy) // the others still take it for a member
		time.Sleep(time.Second)
		for m, ok := ann.Next(); ok; m, ok = ann.Next() {
			if m.Route != rooms.ResyncRoute {
				t.Errorf("a room without a lease said %s %s", m.Route, m.Body)
			}
		}
		b.store.Heal()
		time.Sleep(10 * time.Second)
	})
}
