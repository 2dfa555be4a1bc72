package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

// nodeRoutes are what players can ask of the nodes of tests, besides the demos.
func nodeRoutes(a *actors.App, h *rooms.Host) error {
	if err := loginByName(a, h); err != nil {
		return err
	}
	guild, err := a.NewGroup("guild", actors.GroupConfig{})
	if err != nil {
		return err
	}
	type none = struct{}
	type word struct{ Text string }
	bounded := func(c *actors.Ctx) (context.Context, context.CancelFunc) {
		return context.WithTimeout(c.Context(), 4*time.Second)
	}
	actors.Handle(a, "test.rooms", func(c *actors.Ctx, _ *none) (*[]rooms.Info, error) {
		ctx, cancel := bounded(c)
		defer cancel()
		list, err := h.List(ctx, "room", nil)
		return &list, err
	}, actors.Blocking())
	actors.Handle(a, "test.enter", func(c *actors.Ctx, _ *none) (*none, error) {
		ctx, cancel := bounded(c)
		defer cancel()
		return &none{}, guild.Add(ctx, c.Session(), nil)
	}, actors.Blocking())
	actors.Handle(a, "test.count", func(c *actors.Ctx, _ *none) (*map[string]int, error) {
		ctx, cancel := bounded(c)
		defer cancel()
		n, err := guild.Count(ctx)
		return &map[string]int{"n": n}, err
	}, actors.Blocking())
	actors.Handle(a, "test.shout", func(_ *actors.Ctx, w *word) (*none, error) {
		return &none{}, guild.Broadcast("onShout", w, nil)
	})
	return nil
}

// kick asks a node's operator page to end a user's sessions.
func (c *cluster) kick(n *fleet.Node, uid string) (status int, text string) {
	c.t.Helper()
	r, err := http.PostForm(n.Admin()+"/kick", url.Values{"uid": {uid}, "reason": {"enough"}})
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return r.StatusCode, strings.TrimSpace(string(b))
}

// "Groups, users …, room directory, /push/* … work cluster-wide", by processes: players
// on two gates, all rooms on a third node, each asked on either gate.
func TestPushesOfProcesses(t *testing.T) {
	c := startCluster(t)
	c.node("host", "--roles", "rooms")
	gates := []*fleet.Node{c.node("g1", "--roles", "gate"), c.node("g2", "--roles", "gate")}
	var players []*peer
	var pages []*page
	for i, g := range gates {
		p := join(t, g.Players(), "/nano")
		p.wantAnswer("login", p.request("test.login", fmt.Sprintf(`{"uid":"user-%d"}`, i)))
		p.wantAnswer("group", p.request("test.enter", `{}`))
		players = append(players, p)
		w := openPage(t, g.Players(), "/connect")
		w.say(`{"type":"JOIN","data":{"room":"r"}}`)
		w.wantIdle("in")
		pages = append(pages, w)
	}
	for i, g := range gates {
		here, there := i, 1-i
		a := api{t, g.Players()}
		for _, to := range []int{here, there} {
			a.post("/push/user", form("user", fmt.Sprint("user-", to), "items", `[{"n":1},{"n":2}]`)).want("to a user", 202, 2, 0)
			for n := range 2 {
				if m := players[to].until("by its uid", protocol.Push, "onMessage"); string(m.Body) != fmt.Sprintf(`{"n":%d}`, n+1) {
					t.Fatalf("user %d asked at gate %d: got %s", to, here, m.Body)
				}
			}
		}
		a.post("/push/room", form("room", "r", "items", `["room"]`)).want("to a room", 202, 1, 0)
		a.post("/push/all", form("items", `["all"]`)).want("to everyone", 202, 1, 0)
		a.post("/push/room", form("room", "nobody's", "items", `[1]`)).want("no such room", 404, 0, 1)
		a.post("/push/user", form("user", "nobody", "items", `[1]`)).want("no such user", 404, 0, 1)
		for k, w := range pages {
			got := []string{string(w.items(1)[0]), string(w.items(1)[0])}
			if slices.Sort(got); !slices.Equal(got, []string{`"all"`, `"room"`}) { // between the two there is no order
				t.Fatalf("page of gate %d, posted at %d: got %v", k, i, got)
			}
			w.wantIdle("each once")
		}
	}
	wantShouts(t, players)
	wantListing(t, players)

	if status, text := c.kick(gates[0], "user-1"); status != 200 || text != "kicked 1" {
		t.Errorf("kick of a user elsewhere: %d %s", status, text)
	}
	players[1].wantClosed("by its uid", protocol.ReasonKicked)
	if status, _ := c.kick(gates[0], "user-1"); status != 404 {
		t.Errorf("kick of who has gone: %d", status)
	}
	eventually(t, func() error {
		if m := players[0].wantAnswer("count", players[0].request("test.count", `{}`)); string(m.Body) != `{"n":1}` {
			return fmt.Errorf("the group counts %s", m.Body)
		}
		return nil
	})
}

// wantShouts has each of a group say something that both hear.
func wantShouts(t *testing.T, players []*peer) {
	t.Helper()
	for i, p := range players {
		p.notify("test.shout", fmt.Sprintf(`{"text":"%d"}`, i))
	}
	for k, p := range players {
		words := make([]string, 0, 2)
		for range players {
			words = append(words, string(p.until("the group", protocol.Push, "onShout").Body))
		}
		if slices.Sort(words); !slices.Equal(words, []string{`{"Text":"0"}`, `{"Text":"1"}`}) {
			t.Fatalf("player of gate %d: got %v", k, words)
		}
	}
}

// wantListing has players of two gates open rooms, and both see all of them.
func wantListing(t *testing.T, players []*peer) {
	t.Helper()
	for i, p := range players {
		p.wantAnswer("join", p.request("room.join", fmt.Sprintf(`{"room":"of gate %d"}`, i)))
	}
	for _, p := range players {
		eventually(t, func() error {
			var list []rooms.Info
			if err := json.Unmarshal(p.wantAnswer("list", p.request("test.rooms", `{}`)).Body, &list); err != nil {
				return err
			}
			var names []string
			for _, r := range list {
				names = append(names, fmt.Sprint(r.Key.ID, " ", r.Members))
			}
			if slices.Sort(names); !slices.Equal(names, []string{"of gate 0 1", "of gate 1 1"}) {
				return fmt.Errorf("listed %v", names)
			}
			return nil
		})
	}
}

// "a push answered after its room's node died says 504, it may have been said".
func TestPushToALostHost(t *testing.T) {
	c := startCluster(t)
	host := c.node("h1", "--roles", "rooms")
	gate := c.node("g1", "--roles", "gate")
	w := openPage(t, gate.Players(), "/connect")
	w.say(`{"type":"JOIN","data":{"room":"r"}}`)
	w.wantIdle("in")
	a := api{t, gate.Players()}
	a.post("/push/room", form("room", "r", "items", `[1]`)).want("all is well", 202, 1, 0)
	w.items(1)

	c.must(host.Pause())
	posted := make(chan answer, 1)
	go func() { posted <- a.post("/push/room", form("room", "r", "items", `[2,3]`)) }()
	eventually(t, func() error { // the post is on its way to a host that does not look at it
		if n := a.stats()["dispatchPending"]; n != 2 {
			return fmt.Errorf("%d items pending", n)
		}
		return nil
	})
	host.Kill()
	(<-posted).want("the host was lost with it", 504, 0, 0)
	eventually(t, func() error {
		if s := a.stats(); s["unsureItems"] != 2 || s["dispatchFail"] != 0 {
			return fmt.Errorf("stats %v, want 2 items unsure", s)
		}
		return nil
	})
	c.node("h2", "--roles", "rooms")
	eventually(t, func() error {
		if r := a.post("/push/room", form("room", "r", "items", `[4]`)); r.Status != 202 {
			return fmt.Errorf("the room answers %d %s", r.Status, r.Error)
		}
		return nil
	})
	for { // what was unsure may come; what was confirmed must
		if string(w.items(1)[0]) == "4" {
			return
		}
	}
}
