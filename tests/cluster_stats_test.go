package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/shaddock-game/shaddock/tests/fleet"
)

// clusterStats is /stats of an admin listener.
type clusterStats struct {
	OnlineConnections, RoomCount, SendMessageTotal, MergerRoomTotal, DispatchTotal int64

	Nodes, SilentNodes int
	Silent             []string
	ByNode             []struct {
		Node  string
		Stats struct{ OnlineConnections, RoomCount, SendMessageTotal, MergerRoomTotal int64 }
	}
}

func (c *cluster) stats(n *fleet.Node) (s clusterStats, err error) {
	text, err := n.Get("/stats")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

// "/stats … merged": players on two gates, rooms on a third node; each of them answers
// for all, and says whose answer is missing when one is paused.
func TestStatsOfProcesses(t *testing.T) {
	c := startCluster(t)
	host, g1, g2 := c.node("host", "--roles", "rooms"), c.node("g1", "--roles", "gate"), c.node("g2", "--roles", "gate")
	for i, g := range []*fleet.Node{g1, g1, g2} {
		p := openPage(t, g.Players(), "/connect")
		p.say(fmt.Sprintf(`{"type":"JOIN","data":{"room":"r%d"}}`, i%2))
		p.wantIdle("in")
	}
	api{t, g1.Players()}.post("/push/room", form("room", "r0", "items", `[1,2]`)).want("by a gate", 202, 2, 0)

	want := func(what string, n *fleet.Node, want string) {
		t.Helper()
		eventually(t, func() error {
			s, err := c.stats(n)
			if err != nil {
				return err
			}
			got := fmt.Sprintf("%d sessions, %d rooms, %d sent, %d taken by rooms, %d dispatched; %d nodes, %d silent %v;",
				s.OnlineConnections, s.RoomCount, s.SendMessageTotal, s.MergerRoomTotal, s.DispatchTotal, s.Nodes, s.SilentNodes, s.Silent)
			for _, n := range s.ByNode {
				got += fmt.Sprintf(" %s %d/%d/%d/%d", n.Node, n.Stats.OnlineConnections, n.Stats.RoomCount, n.Stats.SendMessageTotal, n.Stats.MergerRoomTotal)
			}
			if got != want {
				return errors.New(what + ":\n got " + got + "\nwant " + want)
			}
			return nil
		})
	}
	all := "3 sessions, 2 rooms, 4 sent, 2 taken by rooms, 2 dispatched; 3 nodes, 0 silent []; g1 2/0/2/0 g2 1/0/2/0 host 0/2/0/2"
	want("a gate answers for all", g1, all)
	want("the other too", g2, all)
	want("a room host as well", host, all)
	if s := (api{t, g2.Players()}).stats(); s["onlineConnections"] != 3 || s["nodes"] != 3 || s["silentNodes"] != 0 {
		t.Errorf("the public /stats says %v", s)
	}
	c.must(g2.Pause())
	want("one is paused", g1, "2 sessions, 2 rooms, 2 sent, 2 taken by rooms, 2 dispatched; 2 nodes, 1 silent [g2]; g1 2/0/2/0 host 0/2/0/2")
	c.must(g2.Resume())
	want("it goes on", g1, all)
	g2.Kill()
	want("it is gone, and what it counted", g1, "2 sessions, 2 rooms, 2 sent, 2 taken by rooms, 2 dispatched; 2 nodes, 0 silent []; g1 2/0/2/0 host 0/2/0/2")
}
