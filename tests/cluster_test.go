package tests

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

// The distributed demo, by processes: players of two gates in rooms of other nodes,
// through the loss of a room host and the orderly leave of another.
func TestClusterOfProcesses(t *testing.T) {
	c := startCluster(t)
	hosts := []*fleet.Node{c.node("r1", "--roles", "rooms"), c.node("r2", "--roles", "rooms")}
	gates := []*fleet.Node{c.node("g1", "--roles", "gate"), c.node("g2", "--roles", "gate")}

	const rooms = 16
	var ann, bob []*peer // one of each in every room
	for i := range rooms {
		a, b := join(t, gates[0].Players(), "/nano"), join(t, gates[1].Players(), "")
		body := fmt.Sprintf(`{"room":"room %d"}`, i)
		a.wantAnswer("ann joins", a.request("room.join", body))
		b.wantAnswer("bob joins", b.request("room.join", body))
		ann, bob = append(ann, a), append(bob, b)
	}
	talk(t, "all nodes are well", ann, bob)
	var page struct {
		Nodes []struct {
			Name string
			Owns int
		}
		Rooms []struct{ Room, Node string }
	}
	if err := json.Unmarshal([]byte(c.page(gates[0], "/cluster.json")), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Nodes) != 4 || len(page.Rooms) != rooms {
		t.Fatalf("the cluster page shows %d nodes and %d rooms: %+v", len(page.Nodes), len(page.Rooms), page)
	}
	if m := c.page(gates[0], "/metrics"); !strings.Contains(m, "shaddock_cluster_members 4") {
		t.Fatal("the metrics of a gate do not count four members")
	}

	began := time.Now()
	hosts[0].Kill()
	talk(t, "a host was killed", ann, bob)
	t.Logf("all rooms of a killed host answered %v after it", time.Since(began).Round(time.Millisecond))

	host := c.node("r3", "--roles", "rooms")
	began = time.Now()
	c.must(hosts[1].Stop())
	talk(t, "a host left in order", ann, bob)
	t.Logf("it took %v", time.Since(began).Round(time.Millisecond))
	c.wantMoves(gates[1], map[string]string{"node lost": "r1", "drain": "r2"})
	wantAlertsMeasured(t, c.page(gates[1], "/metrics")+c.page(host, "/metrics"))

	c.must(gates[0].Signal(syscall.SIGTERM))
	for _, a := range ann {
		if m := a.until("first a word", protocol.Push, "sys.goaway"); !strings.Contains(string(m.Body), `"after":`) {
			t.Fatalf("goaway %s", m.Body)
		}
	}
	for _, a := range ann {
		a.wantClosed("then the end", protocol.ReasonShutdown)
		a.conn.Close()
	}
	for _, b := range bob {
		b.until("ann's gate has gone", protocol.Push, "onLeave")
	}
	c.must(gates[0].Wait(patience))
}

// wantMoves looks at the cluster page for rooms that left nodes for these causes.
func (c *cluster) wantMoves(n *fleet.Node, from map[string]string) {
	c.t.Helper()
	t := c.t
	var page struct {
		Moves []struct {
			Room, From, To, Why string
			Epoch, TookNS       uint64
		}
	}
	if err := json.Unmarshal([]byte(c.page(n, "/cluster.json")), &page); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, m := range page.Moves {
		if from[m.Why] != m.From || m.Room == "" || m.Epoch == 0 {
			t.Errorf("a move that was none: %+v", m)
		}
		seen[m.Why]++
	}
	html, metrics := c.page(n, "/cluster"), c.page(n, "/metrics")
	for why := range from {
		if seen[why] == 0 {
			t.Errorf("no move for the cause %q: %+v", why, page.Moves)
		}
		if !strings.Contains(html, `data-why="`+why+`"`) || strings.Contains(metrics, fmt.Sprintf("shaddock_cluster_moves_total{why=%q} 0", why)) {
			t.Errorf("the page or the metrics do not tell of %q", why)
		}
	}
}

// talk has everybody say something in request form, and wait until both hear it.
func talk(t *testing.T, what string, ann, bob []*peer) {
	t.Helper()
	for i := range ann {
		id := ann[i].request("room.message", fmt.Sprintf(`{"name":"ann","content":%q}`, what))
		if m := ann[i].wantAnswer(what, id); m.Error {
			t.Fatalf("%s: room %d answers %s", what, i, m.Body)
		}
		if m := bob[i].until(what, protocol.Push, "onMessage"); string(m.Body) != fmt.Sprintf(`{"name":"ann","content":%q}`, what) {
			t.Fatalf("%s: bob of room %d got %s", what, i, m.Body)
		}
	}
}

// until returns the next message of a type and route, and passes over others.
func (p *peer) until(what string, typ protocol.MessageType, route string) protocol.Message {
	p.t.Helper()
	for {
		if m := p.message(what + ": " + route); m.Type == typ && m.Route == route {
			return m
		}
	}
}
