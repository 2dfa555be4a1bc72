package rooms_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// place is the answer of the join of duels.
type place struct {
	Room string `json:"room"`
	Mode string `json:"mode"`
}

type wish struct {
	Mode string `json:"mode"`
}

type duel struct{}

func (*duel) join(c *rooms.Ctx, _ *rooms.Member, w *wish) (*place, error) {
	if w.Mode == "refused" {
		return nil, protocol.Errorf(protocol.CodeRefused, "not you")
	}
	return &place{c.ID(), c.Labels()["mode"]}, nil
}

func (*duel) begin(c *rooms.Ctx, _ *rooms.Member, _ *rooms.Empty) { c.SetLabel("state", "playing") }

func (*duel) end(c *rooms.Ctx, _ *rooms.Member, _ *rooms.Empty) {
	c.CloseWith(protocol.ReasonOver, "well played")
}

func (*duel) init(c *rooms.Ctx) error {
	if c.Labels()["mode"] == "broken" {
		return errors.New("no such mode")
	}
	return nil
}

func duels() rooms.Kind {
	k := rooms.KindOf("duel", rooms.OnJoin((*duel).join), rooms.OnInit((*duel).init),
		rooms.OnNotify("begin", (*duel).begin), rooms.OnNotify("end", (*duel).end)).Seats(2).Listed()
	return rooms.MatchBy(k, func(w *wish) (rooms.Labels, error) {
		if w.Mode == "unknown" {
			return nil, protocol.Errorf(protocol.CodeBadRequest, "no such mode")
		}
		return rooms.Labels{"mode": w.Mode}, nil
	})
}

// enter joins a duel and returns where.
func enter(p *actorstest.Probe, body string) (at place) {
	id := p.Request("duel.join", body)
	m := p.Message("the answer of the join")
	if m.ID != id || m.Error || json.Unmarshal(m.Body, &at) != nil {
		at.Room = "refused: " + string(m.Body)
	}
	return at
}

// Joins that name no room are paired two by two, however many come at once, and
// among those that want the same.
func TestMatchmaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, duels())
		defer stop()
		const players = 200
		var wg sync.WaitGroup
		at := make([]place, players)
		for i := range players {
			p := actorstest.Connect(t, a)
			wg.Go(func() { at[i] = enter(p, fmt.Sprintf(`{"mode":"m%d"}`, i%2)) })
		}
		wg.Wait()
		seats := map[string][]int{}
		for i, p := range at {
			if want := fmt.Sprintf("m%d", i%2); p.Mode != want {
				t.Errorf("player %d wanted %s and is in %+v", i, want, p)
			}
			seats[p.Room] = append(seats[p.Room], i)
		}
		if len(seats) != players/2 {
			t.Errorf("%d players are in %d rooms: %v", players, len(seats), seats)
		}
		if s := h.Stats(); s.Rooms != players/2 || s.Members != players || s.Refused != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestMatchAfterLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, stop := host(t, duels())
		defer stop()
		ann, bob, cid, dan := actorstest.Connect(t, a), actorstest.Connect(t, a), actorstest.Connect(t, a), actorstest.Connect(t, a)
		first := enter(ann, `{}`)
		if again := enter(ann, `{}`); again != first {
			t.Errorf("a second join went to %+v, not to %+v", again, first)
		}
		if got := enter(bob, `{}`); got != first {
			t.Errorf("bob is in %+v, ann in %+v", got, first)
		}
		bob.Drop()
		time.Sleep(time.Second) // the directory hears within 50 ms
		if got := enter(cid, `{}`); got != first {
			t.Errorf("cid is in %+v, bob's seat was in %+v", got, first)
		}
		if got := enter(dan, fmt.Sprintf(`{"room":%q}`, first.Room)); got.Room != `refused: {"code":503,"msg":"room is full"}` {
			t.Errorf("dan is in %+v by its name, which is full", got)
		}
		dan.WantCode("what the match refuses", dan.Request("duel.join", `{"mode":"unknown"}`), protocol.CodeBadRequest)
		dan.WantCode("what the room refuses", dan.Request("duel.join", `{"mode":"refused"}`), protocol.CodeRefused)
		dan.WantCode("a room that cannot open", dan.Request("duel.join", `{"mode":"broken"}`), protocol.CodeUnavailable)
		if got := enter(dan, `{"mode":""}`); got.Room == first.Room {
			t.Errorf("dan was matched into the full room")
		}
	})
}

func TestListCreateFindClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, duels(), arenaKind())
		defer stop()
		ctx := t.Context()
		red, err := h.Create(ctx, "duel", "red", rooms.Labels{"mode": "ranked"})
		if err != nil || red != (rooms.Key{Kind: "duel", ID: "red"}) {
			t.Fatalf("create red: %v %v", red, err)
		}
		if _, err = h.Create(ctx, "duel", "red", nil); protocol.AsError(err).Code != protocol.CodeConflict {
			t.Errorf("create red twice: %v", err)
		}
		if _, err = h.Create(ctx, "duel", "", rooms.Labels{"mode": "broken"}); protocol.AsError(err).Code != protocol.CodeUnavailable {
			t.Errorf("create a room whose OnInit fails: %v", err)
		}
		other, err := h.Create(ctx, "duel", "", rooms.Labels{"mode": "casual"})
		if err != nil || other.ID == "" {
			t.Fatalf("create another: %v %v", other, err)
		}
		if _, err = h.Create(ctx, "chess", "", nil); err == nil {
			t.Error("a room of a kind that is not installed was created")
		}

		p := actorstest.Connect(t, a)
		if at := enter(p, `{"mode":"ranked"}`); at != (place{"red", "ranked"}) {
			t.Errorf("matched into %+v, want the ranked room that was created", at)
		}
		p.Notify("duel.begin", ``)
		time.Sleep(time.Second)
		list := fmt.Sprintf(`{"rooms":[{"room":"red","members":1,"seats":2,"labels":{"mode":"ranked","state":"playing"}},`+
			`{"room":%q,"members":0,"seats":2,"labels":{"mode":"casual"}}]}`, other.ID)
		p.WantReply("clients see the list", p.Request("duel.list", `{}`), list)
		p.WantReply("by labels", p.Request("duel.list", `{"labels":{"mode":"none"}}`), `{"rooms":[]}`)
		p.WantCode("only where the kind says so", p.Request("arena.list", `{}`), protocol.CodeNoRoute)
		if info, ok, err := h.Find(ctx, red); err != nil || !ok || info.Members != 1 || info.Labels["state"] != "playing" {
			t.Errorf("find red: %+v %v %v", info, ok, err)
		}

		p.Notify("duel.end", ``)
		p.WantPush("the members hear why", "onRoomClosed", `{"kind":"duel","room":"red","code":17,"reason":"well played"}`)
		synctest.Wait()
		if _, ok, err := h.Find(ctx, red); err != nil || ok {
			t.Errorf("red is still found: %v", err)
		}
		time.Sleep(time.Minute) // nobody came: the other has been put away
		left, err := h.List(ctx, "duel", nil)
		if err != nil || !slices.Equal(keys(left), nil) {
			t.Errorf("rooms left: %+v %v", left, err)
		}
	})
}

func keys(infos []rooms.Info) (ks []rooms.Key) {
	for _, i := range infos {
		ks = append(ks, i.Key)
	}
	return ks
}

// A kind may keep the route that its clients know.
func TestJoinRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, stop := host(t, duels().JoinRoute("Lobby.Enter"))
		defer stop()
		p := actorstest.Connect(t, a)
		p.WantReply("the route it was given", p.Request("Lobby.Enter", `{"room":"x"}`), `{"room":"x","mode":""}`)
		p.WantCode("not the usual one", p.Request("duel.join", `{}`), protocol.CodeNoRoute)
	})
}

func TestMatchByOfAnotherType(t *testing.T) {
	k := rooms.MatchBy(duels(), func(*hit) (rooms.Labels, error) { return nil, nil })
	if _, err := rooms.NewSim(k, rooms.SimConfig{}); err == nil {
		t.Error("MatchBy and OnJoin read different types, and nobody complains")
	}
}
