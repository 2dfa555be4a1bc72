package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/link/linktest"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/cmd/server/app/push"
)

// member is one node of a crowd in memory.
type member struct {
	*link.Link
	*tally
	view  *roster.View
	asked atomic.Int64 // for its own counters
}

func (m *member) Members() *roster.View { return m.view }

func (m *member) ServeCall(op uint32, f func(*link.Call)) { m.Serve(op, f) }

func (m *member) Ask(ctx context.Context, to link.Peer, e *wire.Envelope) (*wire.Envelope, error) {
	return m.Call(ctx, to, e)
}

// inCrowd runs f with nodes a, b and c, which have 1, 10 and 100 sessions. An old one
// knows nothing of counters.
func inCrowd(t *testing.T, old string, f func(t *testing.T, net *linktest.Net, a, b, c *member)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		net := linktest.New(1)
		var all []*member
		var records []roster.Member
		for i, name := range []string{"a", "b", "c"} {
			m := &member{Link: net.Add(name, "host:"+name, nil)}
			own := push.Stats{OnlineConnections: []int64{1, 10, 100}[i], Nodes: 1}
			m.tally = newTally("node "+name, func() push.Stats { m.asked.Add(1); return own })
			if name != old {
				m.spread(m)
			}
			m.nodes = m
			all, records = append(all, m), append(records, roster.Member{ID: name, Name: "node " + name, Addr: "host:" + name})
		}
		for _, m := range all {
			m.view = roster.NewView(append([]roster.Member(nil), records...))
			m.Link.Members(m.view)
			m.Start()
		}
		f(t, net, all[0], all[1], all[2])
		for _, m := range all {
			m.Close()
		}
		net.Close()
	})
}

func (m *member) want(t *testing.T, what string, sessions int64, nodes int, silent ...string) tallied {
	t.Helper()
	all, err := m.ask(t.Context())
	if err != nil || all.OnlineConnections != sessions || all.Nodes != nodes || all.Silent != len(silent) || fmt.Sprint(all.Missed) != fmt.Sprint(silent) {
		t.Fatalf("%s: %v, %+v; want %d sessions of %d nodes, silent %v", what, err, all, sessions, nodes, silent)
	}
	return all
}

// "/stats … merged": whoever is asked answers for all.
func TestTallyOfAllNodes(t *testing.T) {
	inCrowd(t, "", func(t *testing.T, _ *linktest.Net, a, b, c *member) {
		for _, m := range []*member{a, b, c} {
			all := m.want(t, "all are well", 111, 3)
			var parts []string
			for _, n := range all.ByNode {
				parts = append(parts, fmt.Sprintf("%s (%s) %d", n.Node, n.ID, n.Stats.OnlineConnections))
			}
			if got, want := strings.Join(parts, ", "), "node a (a) 1, node b (b) 10, node c (c) 100"; got != want {
				t.Errorf("by node %s, want %s", got, want)
			}
		}
	})
}

// Who does not answer is waited for no longer than a second, and named; also one that
// runs an earlier version.
func TestTallyWithoutSome(t *testing.T) {
	inCrowd(t, "c", func(t *testing.T, net *linktest.Net, a, _, _ *member) {
		a.want(t, "c cannot answer", 11, 2, "node c")
		net.Cut("host:a", "host:b")
		time.Sleep(tallyFresh)
		began := time.Now()
		a.want(t, "b is cut off", 1, 1, "node b", "node c")
		if d := time.Since(began); d != tallyTime {
			t.Errorf("answered after %v, want %v", d, tallyTime)
		}
		net.Join("host:a", "host:b")
		time.Sleep(time.Minute)
		a.want(t, "b is back", 11, 2, "node c")
	})
}

// However many ask, a node asks the others twice a second at the most; one that gives
// up asking does not spoil it for the rest.
func TestTallyIsShared(t *testing.T) {
	inCrowd(t, "", func(t *testing.T, net *linktest.Net, a, b, _ *member) {
		net.Cut("host:a", "host:c")
		var askers sync.WaitGroup
		for range 100 {
			askers.Go(func() { a.want(t, "with many others", 11, 2, "node c") })
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		synctest.Wait()
		if _, err := a.ask(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an impatient one: %v", err)
		}
		askers.Wait()
		if n := b.asked.Load(); n != 1 {
			t.Errorf("b was asked %d times", n)
		}
		time.Sleep(tallyFresh)
		a.want(t, "later", 11, 2, "node c")
		if n := b.asked.Load(); n != 2 {
			t.Errorf("b was asked %d times", n)
		}
	})
}

// No counter is forgotten when sums are made or read.
func TestEveryCounterIsSummed(t *testing.T) {
	var one push.Stats
	v := reflect.ValueOf(&one).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.CanInt() {
			f.SetInt(int64(i + 1))
		} else {
			f.SetUint(uint64(i + 1))
		}
	}
	body, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	var read push.Stats
	if err := json.Unmarshal(body, &read); err != nil {
		t.Fatal(err)
	}
	read.Add(one)
	v = reflect.ValueOf(read)
	for i := range v.NumField() {
		if got, want := fmt.Sprint(v.Field(i).Interface()), fmt.Sprint(2*(i+1)); got != want {
			t.Errorf("%s is %s, want %s", v.Type().Field(i).Name, got, want)
		}
	}
}

// A server alone asks nobody and keeps nothing.
func TestTallyAlone(t *testing.T) {
	sessions := int64(0)
	a := newTally("", func() push.Stats { sessions++; return push.Stats{OnlineConnections: sessions, Nodes: 1} })
	for want := range 3 {
		w := httptest.NewRecorder()
		a.serve(w, httptest.NewRequest("GET", "/stats", nil))
		var got tallied
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.OnlineConnections != int64(want+1) || len(got.ByNode) != 1 || got.Missed == nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
	}
}
