package rooms_test

import (
	"errors"
	"testing"

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
