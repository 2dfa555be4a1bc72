package rooms_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// news is what outsiders tell the arena of these tests.
type news struct{ items []any }

func (a *arena) told(c *rooms.Ctx, n *news) error {
	if len(n.items) == 0 {
		return errNoNews
	}
	c.BroadcastBatch("onNews", n.items)
	return nil
}

var errNoNews = errors.New("no news")

// verdict tells and waits.
func verdict(h *rooms.Host, room string, msg any) error {
	got := make(chan error, 1)
	h.Tell(rooms.Key{Kind: "arena", ID: room}, msg, func(err error) { got <- err })
	return <-got
}

func TestTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, arenaKind(rooms.OnTold((*arena).told)))
		defer stop()
		for _, row := range []struct {
			why  string
			room string
			msg  any
			want error
		}{
			{"a room that is not active is not started", "1", &news{}, rooms.ErrNoRoom},
			{"what the room returns is the verdict", "red", &news{}, errNoNews},
			{"a message of another type", "red", "hello", rooms.ErrNoRoom},
			{"taken", "red", &news{[]any{1, "two"}}, nil},
		} {
			if row.room == "red" && h.Stats().Rooms == 0 {
				in(t, a, "red")
			}
			if err := verdict(h, row.room, row.msg); !errors.Is(err, row.want) {
				t.Errorf("%s: verdict %v, want %v", row.why, err, row.want)
			}
		}
		if n := h.Stats().Rooms; n != 1 {
			t.Errorf("%d rooms are active, want 1", n)
		}
	})
}

// A kind without OnTold takes nothing from outside.
func TestTellKindThatDoesNotListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, arenaKind())
		defer stop()
		in(t, a, "1")
		if err := verdict(h, "1", &news{}); !errors.Is(err, rooms.ErrNoRoom) {
			t.Errorf("verdict %v, want ErrNoRoom", err)
		}
	})
}

// A batch arrives whole and in order, in frames that clients can read, and every
// push is accounted for.
func TestBatchAndTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, arenaKind(rooms.OnTold((*arena).told)))
		defer stop()
		probes := []*actorstest.Probe{in(t, a, "1"), in(t, a, "1")}
		probes[0].Message("the first hears of the second")
		before := h.Traffic("arena")
		items := make([]any, 2000)
		for i := range items {
			items[i] = map[string]string{"i": fmt.Sprint(i), "pad": strings.Repeat("x", i%200)}
		}
		items[7] = make(chan int) // cannot be written: left out, the others arrive
		if err := verdict(h, "1", &news{items}); err != nil {
			t.Fatalf("verdict: %v", err)
		}
		for _, p := range probes {
			for i := range items {
				if i == 7 {
					continue
				}
				m := p.Message(fmt.Sprintf("item %d", i))
				var got struct{ I string }
				if json.Unmarshal(m.Body, &got) != nil || m.Type != protocol.Push || m.Route != "onNews" || got.I != fmt.Sprint(i) {
					t.Fatalf("item %d: got %v %s %.40s", i, m.Type, m.Route, m.Body)
				}
			}
			p.WantIdle("nothing twice")
		}
		synctest.Wait()
		after := h.Traffic("arena")
		pushed, delivered := after.Pushed-before.Pushed, after.Delivered-before.Delivered
		if pushed != 1999 || delivered != 2*1999 || after.Dropped != 0 || after.Pending != 0 || after.PendingBytes != 0 {
			t.Errorf("traffic %+v after %+v, want 1999 pushes to 2 members and nothing pending", after, before)
		}
		if n := h.Stats().Unwritable; n != 1 {
			t.Errorf("%d unwritable pushes, want 1", n)
		}
	})
}
