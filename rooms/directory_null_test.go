package rooms_test

import (
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/rooms"
)

// What another node reports may be anything: a directory goes on after a null.
func TestReportOfNothing(t *testing.T) {
	inTown(t, "g b", []rooms.Kind{arenaKind()}, func(tn *town) {
		g, b := tn.nodes["g"], tn.nodes["b"]
		for _, body := range []string{`[null]`, `[{}]`, `null`, `{`} {
			if err := g.Send(b.Self(), &wire.Envelope{Op: wire.OpRoomReports, Body: []byte(body)}); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		if n := b.app.Stats().Panics; n != 0 {
			t.Errorf("%d panics", n)
		}
	})
}
