package rooms_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

func keptKind() rooms.Kind {
	return countKind(
		rooms.Snapshots(1, func(r *count) ([]byte, error) { return json.Marshal(r) },
			func(r *count, _ *rooms.Ctx, b []byte) error { return json.Unmarshal(b, r) }),
		rooms.OnReturn(func(*count, *rooms.Ctx, *rooms.Member, *rooms.Anything) error { return nil }),
	).Kept()
}

// "no acknowledged message of a saved room lost": through kill, leave and idleness
// a kept room goes on where it was.
func TestKeptRooms(t *testing.T) {
	inTown(t, "g1 b c", []rooms.Kind{keptKind()}, func(t *town) {
		const n = 10
		var members []*actorstest.Probe
		for i := range n {
			p := actorstest.Connect(t.T, t.nodes["g1"].app)
			p.WantReply("join", p.Request("count.join", fmt.Sprintf(`{"room":%d}`, i)), `{}`)
			members = append(members, p)
		}
		last := 0
		count := func(what string) {
			t.Helper()
			last++
			for i, p := range members {
				if got, code := next(t.T, p); got != last || code != 0 {
					t.Fatalf("%s: room %d says %d, code %d; want %d", what, i, got, code, last)
				}
			}
		}
		count("all is well")
		count("all is well")
		t.start("d")
		t.nodes["b"].kill()
		count("a host was killed")
		count("and afterwards")
		left := make(chan struct{})
		go func() {
			defer close(left)
			t.nodes["c"].stop()
		}()
		count("a host leaves")
		count("a host leaves")
		<-left
		count("it has left")
		for _, p := range members {
			p.WantReply("leave", p.Request("count.leave", ``), `{"code":0,"result":"success"}`)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := t.rooms(); got != 0 {
			t.Fatalf("%d rooms though nobody is in one", got)
		}
		for i, p := range members {
			p.WantReply("join again", p.Request("count.join", fmt.Sprintf(`{"room":%d}`, i)), `{}`)
		}
		count("they were put away meanwhile")
	})
}

// What a room says leaves after it was saved, and not at all when it could not be.
func TestNothingIsSaidBeforeItIsSaved(t *testing.T) {
	inTown(t, "g1 b", []rooms.Kind{keptKind()}, func(t *town) {
		p := actorstest.Connect(t.T, t.nodes["g1"].app)
		p.WantReply("join", p.Request("count.join", `{}`), `{}`)
		b := t.nodes["b"]
		b.store.Break()
		p.Request("count.next", `{}`)
		time.Sleep(3 * time.Second)
		p.WantIdle("it could not be saved")
		b.store.Heal()
		if m := p.Message("the store is back"); m.Type != protocol.Push || string(m.Body) != `{"n":1}` {
			t.Fatalf("got %v %s", m.Type, m.Body)
		}
	})
}
