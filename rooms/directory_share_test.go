package rooms_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

func (n *citizen) connect() *actorstest.Probe { return actorstest.Connect(n.town.T, n.app) }

// enterDuel joins and fails the test when that is refused.
func (n *citizen) enterDuel(body string) place {
	n.town.Helper()
	at := enter(n.connect(), body)
	if strings.HasPrefix(at.Room, "refused") {
		n.town.Fatalf("%s joined %s and is in %+v", n.addr, body, at)
	}
	return at
}

// Players of different gates meet, at once and after a while, and all at the same
// time; whoever is asked for a list has the same.
func TestMatchesAcrossNodes(t *testing.T) {
	inTown(t, "g1 g2 b c", []rooms.Kind{duels()}, func(t *town) {
		first := t.nodes["g1"].enterDuel(`{"mode":"a"}`)
		time.Sleep(time.Minute)
		if got := t.nodes["g2"].enterDuel(`{"mode":"a"}`); got != first {
			t.Errorf("a minute later the other is in %+v, not in %+v", got, first)
		}
		const players = 60
		var wg sync.WaitGroup
		at := make([]place, players)
		for i := range players {
			n := t.nodes[[]string{"g1", "g2", "b"}[i%3]]
			p := n.connect()
			wg.Go(func() { at[i] = enter(p, `{"mode":"rush"}`) })
		}
		wg.Wait()
		in := map[string]int{}
		for _, p := range at {
			in[p.Room]++
		}
		if len(in) != players/2 {
			t.Errorf("%d players are in %d rooms: %v", players, len(in), in)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for name, n := range t.nodes {
			if list, err := n.host.List(t.Context(), "duel", rooms.Labels{"mode": "rush"}); err != nil || len(list) != players/2 {
				t.Errorf("%s lists %d rooms, %v", name, len(list), err)
			}
		}
	})
}

func TestCreateAcrossNodes(t *testing.T) {
	inTown(t, "g1 g2 b c", []rooms.Kind{duels()}, func(t *town) {
		ctx, g, h := t.Context(), t.nodes["g1"], t.nodes["g2"]
		for i := range 6 { // on either node
			id := fmt.Sprint("made", i)
			if _, err := g.host.Create(ctx, "duel", id, rooms.Labels{"mode": id}); err != nil {
				t.Fatalf("create: %v", err)
			}
			if _, err := h.host.Create(ctx, "duel", id, nil); protocol.AsError(err).Code != protocol.CodeConflict {
				t.Errorf("created again from another node: %v", err)
			}
			time.Sleep(time.Second)
			if info, ok, err := h.host.Find(ctx, rooms.Key{Kind: "duel", ID: id}); err != nil || !ok || info.Labels["mode"] != id {
				t.Errorf("found %+v %v %v", info, ok, err)
			}
			if at := h.enterDuel(fmt.Sprintf(`{"mode":%q}`, id)); at != (place{id, id}) {
				t.Errorf("matched into %+v", at)
			}
		}
		if _, err := g.host.Create(ctx, "duel", "", rooms.Labels{"mode": "broken"}); protocol.AsError(err).Code != protocol.CodeUnavailable {
			t.Errorf("a room whose OnInit fails: %v", err)
		}
	})
}

// The node that keeps the list goes, whichever that is: the rooms that are left
// tell the next one.
func TestListOutlivesItsHome(t *testing.T) {
	for _, victim := range []string{"b", "c"} {
		t.Run(victim, func(t *testing.T) {
			inTown(t, "g1 g2 b c", []rooms.Kind{duels()}, func(t *town) {
				waiting := make(map[string]place)
				for i := range 8 {
					mode := fmt.Sprint("m", i)
					waiting[mode] = t.nodes["g1"].enterDuel(fmt.Sprintf(`{"mode":%q}`, mode))
				}
				t.nodes[victim].kill()
				time.Sleep(time.Minute)
				synctest.Wait()
				list, err := t.nodes["g2"].host.List(t.Context(), "duel", nil)
				if err != nil || len(list) != len(waiting) {
					t.Fatalf("%d rooms are listed, %v, want %d: %+v", len(list), err, len(waiting), list)
				}
			})
		})
	}
}
