package directory

import (
	"errors"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/protocol"
)

// The id of a room is a player's to choose: one for which a kind's route panics is
// refused, and the node goes on.
func TestRouteThatPanics(t *testing.T) {
	inTown(t, "ab", func(tn *town) {
		tn.rules["room"] = Rule{Route: func(key Key, able []roster.Member) string {
			return able[len(key.ID)-1].ID // nobody has thought of ""
		}}
		a := tn.nodes["a"]
		_, err := a.Find(tn.Context(), Key{"room", ""})
		if e, ok := errors.AsType[*protocol.Error](err); !ok || e.Code != protocol.CodeInternal {
			t.Errorf("a room without a place: %v", err)
		}
		if p, err := a.Find(tn.Context(), Key{"room", "x"}); err != nil || p.Node != "a" {
			t.Errorf("the next: %v, %v", p, err)
		}
	})
}
