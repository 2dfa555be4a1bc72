package rooms_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/cluster"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// login has an application believe what uid a client names.
func login(_ string, app *actors.App, _ *cluster.Config) {
	actors.HandleRaw(app, "gate.login", func(c *actors.Ctx, body []byte) ([]byte, error) {
		c.Bind(string(body))
		return nil, nil
	})
}

// Users go to nodes by their uid, whichever gate they come through, and stay when
// a node joins.
func TestUsersToNodesByUID(t *testing.T) {
	kind := homeKind().Place(func(room rooms.Key, nodes []rooms.Node) string {
		byName := slices.SortedFunc(slices.Values(nodes), func(a, b rooms.Node) int { return len(a.Name) - len(b.Name) })
		uid, err := strconv.Atoi(room.ID)
		if err != nil {
			return ""
		}
		return byName[uid%len(byName)].ID
	})
	inTown(t, "", []rooms.Kind{kind}, func(t *town) {
		t.setup = login
		for _, name := range []string{"g", "g2", "b", "bb", "bbb"} { // told apart by their length
			t.start(name)
		}
		synctest.Wait()
		var users []*actorstest.Probe
		for uid := range 9 {
			p := actorstest.Connect(t.T, t.nodes[[]string{"g", "g2"}[uid/2%2]].app)
			p.WantReply("login", p.Request("gate.login", strconv.Itoa(uid)), "")
			p.WantReply("goes home", p.Request("home.join", `{}`), fmt.Sprintf(`{"room":"%d"}`, uid))
			users = append(users, p)
		}
		check := func(why string) {
			t.Helper()
			for i, name := range []string{"b", "bb", "bbb"} {
				if n := t.nodes[name].host.Stats().Rooms; n != 3 {
					t.Fatalf("%s: node %d runs %d homes, want those of three users", why, i, n)
				}
			}
		}
		check("nine users over three nodes")
		t.start("bbbb")
		time.Sleep(time.Minute)
		check("a node that joins takes nothing")
		for uid, p := range users {
			p.WantReply("still at home", p.Request("home.join", `{}`), fmt.Sprintf(`{"room":"%d"}`, uid))
		}
		p := actorstest.Connect(t.T, t.nodes["g"].app)
		p.WantReply("login", p.Request("gate.login", "11"), "")
		p.WantReply("goes home", p.Request("home.join", `{}`), `{"room":"11"}`)
		synctest.Wait()
		if n := t.nodes["bbbb"].host.Stats().Rooms; n != 1 {
			t.Fatalf("the new node runs %d homes, want that of user 11 of four nodes", n)
		}
		for _, p := range append(users, p) {
			p.Drop()
		}
	})
}

// RoomBy is asked for joins that name no room, and may refuse.
func TestRoomBy(t *testing.T) {
	inTown(t, "", []rooms.Kind{homeKind()}, func(t *town) {
		t.setup = login
		app := t.start("a").app
		synctest.Wait()
		p := actorstest.Connect(t.T, app)
		p.WantCode("nobody is at home anywhere", p.Request("home.join", `{}`), protocol.CodeUnauthenticated)
		p.WantReply("a visit", p.Request("home.join", `{"room":"7"}`), `{"room":"7"}`)
		p.Drop()
	})
}

// A kind that needs labels runs where they are, and says what is missing.
func TestNeeds(t *testing.T) {
	kind := homeKind().RoomBy(nil).Needs(map[string]string{"disk": "fast"})
	var logged bytes.Buffer // of the node without them
	inTown(t, "", []rooms.Kind{kind}, func(t *town) {
		t.setup = func(name string, _ *actors.App, cfg *cluster.Config) {
			cfg.Logger = slog.New(slog.NewTextHandler(&logged, nil))
			cfg.Needs = map[string]map[string]string{"home": {"zone": "b"}} // the operator's, besides
			if name == "fast" {
				cfg.Labels = map[string]string{"disk": "fast", "zone": "b"}
				cfg.Logger = nil
			}
		}
		slow := t.start("slow")
		synctest.Wait()
		p := actorstest.Connect(t.T, slow.app)
		id := p.Request("home.join", `{}`)
		time.Sleep(4 * time.Second)
		if m := p.Message("told before it gives up"); m.ID != id || string(m.Body) != `{"code":503,"msg":"no node with the labels disk=fast,zone=b runs rooms of kind home"}` {
			t.Errorf("answer %d is %s", m.ID, m.Body)
		}
		time.Sleep(2 * time.Second) // for the next look after the kinds
		t.start("fast")
		time.Sleep(2 * time.Second)
		p.WantReply("now there is one", p.Request("home.join", `{}`), `{"room":"1"}`)
		if n := t.nodes["fast"].host.Stats().Rooms; n != 1 {
			t.Fatalf("%d rooms on the node with the labels", n)
		}
		p.Drop()
		time.Sleep(5 * time.Second)
	})
	for _, want := range []string{
		`level=WARN msg="rooms of a kind cannot run anywhere" kind=home why="no node with the labels disk=fast,zone=b runs rooms of kind home"`,
		`level=INFO msg="rooms of a kind can run again" kind=home`,
	} {
		if n := strings.Count(logged.String(), want); n != 1 {
			t.Errorf("logged %d times, want once: %s\n%s", n, want, &logged)
		}
	}
}
