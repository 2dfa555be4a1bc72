package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/snapshots/sqlstore/postgrestest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

// ledger is a game that must not forget: it counts, and says how far it has come.
type ledger struct {
	N int `json:"n"`
}

func (l *ledger) add(*rooms.Ctx, *rooms.Member, *rooms.Anything) (*ledger, error) {
	l.N++
	return l, nil
}

func ledgerKind() rooms.Kind {
	return rooms.KindOf("ledger",
		rooms.OnJoin(func(*ledger, *rooms.Ctx, *rooms.Member, *rooms.Anything) (*rooms.Empty, error) {
			return &rooms.Empty{}, nil
		}),
		rooms.OnRequest("add", (*ledger).add),
		rooms.Snapshots(1, func(l *ledger) ([]byte, error) { return json.Marshal(l) },
			func(l *ledger, _ *rooms.Ctx, b []byte) error { return json.Unmarshal(b, l) }),
		rooms.OnReturn(func(*ledger, *rooms.Ctx, *rooms.Member, *rooms.Anything) error { return nil }),
	).Kept()
}

// books are rooms that count, and how far each has said that it is.
type books struct {
	t    *testing.T
	said []int
}

// open joins each of them by a connection of its own.
func (b *books) open(players string) (open []*peer) {
	b.t.Helper()
	for i := range b.said {
		p := join(b.t, players, "/nano")
		p.wantAnswer("join", p.request("ledger.join", fmt.Sprintf(`{"room":"ledger %d"}`, i)))
		open = append(open, p)
	}
	return open
}

// add has each of them count once and checks that none has forgotten.
func (b *books) add(what string, open []*peer) {
	b.t.Helper()
	for i, p := range open {
		var l ledger
		m := p.wantAnswer(what, p.request("ledger.add", `{}`))
		if err := json.Unmarshal(m.Body, &l); err != nil {
			b.t.Fatalf("%s: %s: %v", what, m.Body, err)
		}
		// What was under way when a server died may have been saved.
		if l.N <= b.said[i] || l.N > b.said[i]+2 {
			b.t.Fatalf("%s: room %d says %d, had said %d", what, i, l.N, b.said[i])
		}
		b.said[i] = l.N
	}
}

// "A restart of a single node with SQLite brings its rooms back", after kill -9 in
// the middle of calls and after an orderly stop: no acknowledged operation is lost.
func TestRoomsOutliveTheirServer(t *testing.T) {
	f, err := fleet.Start(fleet.Config{Command: os.Args[:1], Env: []string{nodeEnv + "=1"}, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	n, err := f.Add("alone", "--store", "sqlite:"+filepath.Join(t.TempDir(), "rooms.db"))
	if err != nil {
		t.Fatal(err)
	}
	b := &books{t: t, said: make([]int, 8)}
	open := b.open(n.Players())
	for round := range 3 {
		for range 5 {
			b.add(fmt.Sprintf("round %d", round), open)
		}
		for _, p := range open {
			p.request("ledger.add", `{}`) // nobody waits for these
		}
		if round < 2 {
			n.Kill()
		} else if err := n.Stop(); err != nil {
			t.Fatal(err)
		}
		for _, p := range open {
			p.conn.Close()
		}
		if err := n.Start(); err != nil {
			t.Fatal(err)
		}
		open = b.open(n.Players())
	}
	b.add("at the end", open)
	page, err := n.Get("/metrics")
	if err != nil || !strings.Contains(page, "shaddock_room_saves_total 8\n") {
		t.Errorf("the metrics do not show 8 saves: %v", err)
	}
}

// Rooms of a cluster that are kept in PostgreSQL go on elsewhere with all that they
// have acknowledged.
func TestClusterOnPostgres(t *testing.T) {
	url := postgrestest.Start(t)
	c := startCluster(t)
	hosts := []*fleet.Node{c.node("r1", "--roles", "rooms", "--store", url), c.node("r2", "--roles", "rooms", "--store", url)}
	gate := c.node("g1", "--roles", "gate", "--store", url)
	b := &books{t: t, said: make([]int, 16)}
	open := b.open(gate.Players())
	for range 5 {
		b.add("all is well", open)
	}
	began := time.Now()
	hosts[0].Kill()
	b.add("a host was killed", open)
	t.Logf("all rooms answered %v after the kill", time.Since(began).Round(time.Millisecond))
	c.node("r3", "--roles", "rooms", "--store", url)
	c.must(hosts[1].Stop())
	b.add("a host has left", open)
	for _, p := range open {
		p.wantAnswer("leave", p.request("ledger.leave", ``))
	}
	for i, p := range open {
		id := p.request("ledger.add", `{}`)
		p.wantCode("room left", id, protocol.CodeRefused)
		p.wantAnswer("join again", p.request("ledger.join", fmt.Sprintf(`{"room":"ledger %d"}`, i)))
	}
	b.add("after a while without members", open)
}
