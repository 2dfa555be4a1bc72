package tests

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

// loginByName serves a login that believes what it is told.
func loginByName(a *actors.App, _ *rooms.Host) error {
	actors.Handle(a, "test.login", func(c *actors.Ctx, req *struct{ UID string }) (*struct{}, error) {
		c.Bind(req.UID)
		return nil, nil
	})
	return nil
}

// What a rival can see, and how often both of a pair do, by policy. With kick-old
// the older is let in as well, for a moment.
var raceEnds = map[string]map[string]int{
	"kick-old":      {"let in": 2, "kicked": 1, "closed": 1, "push": 1, "echo": 1},
	"refuse-new":    {"let in": 1, "refused": 1, "push": 1, "echo": 2},
	"allow-several": {"let in": 2, "push": 2, "echo": 2},
}

// "Duplicate login on two gates at once, 1,000 racing pairs: exactly one session of
// each remains", seen by the clients of real processes: who is let in, whose socket
// closes with which word, whom a push reaches, and what the nodes count.
func TestRacingPairsOnTwoProcesses(t *testing.T) {
	c := startCluster(t)
	for policy, want := range raceEnds {
		pairs := 100
		if policy == "kick-old" {
			pairs = 1000
		}
		t.Run(policy, func(t *testing.T) {
			node := func(role string, n int) *fleet.Node {
				return c.node(fmt.Sprint(policy, "-", role, n), "--roles", role, "--cluster-name", policy, "--duplicate-login", policy)
			}
			keeper, gates := node("rooms", 1), []*fleet.Node{node("gate", 1), node("gate", 2)}
			r := &loginRace{t: t, nodes: append(gates, keeper)}
			r.connect(gates, pairs)
			r.logIn()
			r.push(gates)
			r.check(want)
			r.count(want)
			for _, n := range r.nodes {
				n.Kill()
			}
		})
	}
}

// rival is one of two clients that log in as the same user at the same moment.
type rival struct {
	*peer
	uid  string
	gate int // first or second
	seen map[string]int
}

// loginRace is pairs of rivals, the first of each on one gate and the second on the
// other.
type loginRace struct {
	t     *testing.T
	nodes []*fleet.Node
	pairs [][2]*rival
}

func (r *loginRace) connect(gates []*fleet.Node, pairs int) {
	r.t.Helper()
	for i := range pairs {
		var p [2]*rival
		for j, g := range gates {
			p[j] = &rival{peer: join(r.t, g.Players(), ""), uid: fmt.Sprint("user ", i), gate: j, seen: make(map[string]int)}
		}
		r.pairs = append(r.pairs, p)
	}
}

// logIn has all rivals log in at the same moment, and waits until each is answered.
func (r *loginRace) logIn() {
	r.t.Helper()
	r.each(func(v *rival) error { return v.ask("test.login", fmt.Sprintf(`{"uid":%q}`, v.uid)) })
	r.each(func(v *rival) error { return v.seeUntil("let in", "refused") })
}

// push has something pushed to each user once, by one gate or the other, and waits
// until each rival has seen all that there is for it.
func (r *loginRace) push(gates []*fleet.Node) {
	r.t.Helper()
	callers := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 8, MaxIdleConnsPerHost: 8}, Timeout: patience}
	defer callers.CloseIdleConnections()
	r.each(func(v *rival) error {
		if v.gate > 0 {
			return nil // once for each pair
		}
		at := gates[len(v.uid)%2].Players() // one or the other
		res, err := callers.PostForm("http://"+at+"/push/user", url.Values{"user": {v.uid}, "items": {`["mail"]`}})
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusAccepted {
			return fmt.Errorf("push: %d %s: %w", res.StatusCode, body, err)
		}
		return nil
	})
	r.each(func(v *rival) error {
		_ = v.ask("room.echo", `"here"`) // who was kicked has nobody to ask
		return v.seeUntil("echo", "closed")
	})
}

// each calls f for all rivals at once, and returns when it is done with them.
func (r *loginRace) each(f func(*rival) error) {
	r.t.Helper()
	var all sync.WaitGroup
	ready, errs := make(chan struct{}), make(chan error, 2*len(r.pairs))
	for _, p := range r.pairs {
		for _, v := range p {
			all.Go(func() {
				<-ready
				if err := f(v); err != nil {
					errs <- fmt.Errorf("%s, who has seen %v: %w", v.uid, v.seen, err)
				}
			})
		}
	}
	close(ready)
	all.Wait()
	close(errs)
	for err := range errs {
		r.t.Fatal(err)
	}
}

// ask sends a request, from any goroutine.
func (v *rival) ask(route, body string) error {
	v.next++
	return v.trySend(data(v.t, protocol.Message{Type: protocol.Request, ID: v.next, Route: route, Body: []byte(body)}))
}

// seeUntil notes what comes until it is one of some.
func (v *rival) seeUntil(ends ...string) error {
	for {
		what, err := v.see()
		if err != nil {
			return err
		}
		v.seen[what]++
		if slices.Contains(ends, what) {
			return nil
		}
	}
}

// see returns what comes next, or an error when that is nothing to be seen in a race.
func (v *rival) see() (string, error) {
	pkt, err := v.read()
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		v.conn.Close()
		return "closed", nil
	}
	if err != nil {
		return "", err
	}
	if pkt.Type == protocol.Kick {
		why, _, err := protocol.ParseKick(pkt.Body)
		if err != nil || why != protocol.ReasonReplaced {
			return "", fmt.Errorf("kicked with %s: %w", pkt.Body, err)
		}
		return "kicked", nil
	}
	m, err := protocol.ParseMessage(pkt.Body, nil)
	switch {
	case err != nil:
		return "", err
	case m.Type == protocol.Push && string(m.Body) == `"mail"`:
		return "push", nil
	case m.Type == protocol.Response && m.ID == 1 && !m.Error:
		return "let in", nil
	case m.Type == protocol.Response && m.ID == 1 && strings.Contains(string(m.Body), `"code":409`):
		return "refused", nil
	case m.Type == protocol.Response && m.ID == 2 && !m.Error:
		return "echo", nil
	}
	return "", fmt.Errorf("got %v %d %s", m.Type, m.ID, m.Body)
}

// check compares what the rivals have seen with what they should have.
func (r *loginRace) check(want map[string]int) {
	r.t.Helper()
	for _, p := range r.pairs {
		both := make(map[string]int)
		for _, v := range p {
			for what, n := range v.seen {
				both[what] += n
			}
			if v.seen["push"] != v.seen["let in"]-v.seen["kicked"] {
				r.t.Errorf("one of %s has seen %v: the push is for who is in, and nobody else", v.uid, v.seen)
			}
		}
		if !maps.Equal(both, want) {
			r.t.Errorf("%s: both together have seen %v, want %v", p[0].uid, both, want)
		}
	}
}

// count compares that with what the nodes say, now and when all have gone.
func (r *loginRace) count(want map[string]int) {
	r.t.Helper()
	pairs := float64(len(r.pairs))
	if pairs == 1000 { // enough for each part of the users to have some
		r.wantSums(map[string]float64{"cluster_user_shards": 64, "cluster_user_shard_starts_total": 64})
	}
	r.wantSums(map[string]float64{
		"cluster_user_found_twice_total": 0, `cluster_user_refused_total{cause="undecided"}`: 0,
		"users": pairs, "sessions": pairs * float64(want["echo"]), "connections": pairs * float64(want["echo"]),
		"logins_total": pairs * float64(want["let in"]), "logins_refused_total": pairs * float64(want["refused"]),
		"logins_forced_total": 0, "live_delivered_total": pairs * float64(want["push"]),
		`sessions_ended_total{reason="replaced"}`: pairs * float64(want["kicked"]),
	})
	for _, p := range r.pairs {
		p[0].conn.Close()
		p[1].conn.Close()
	}
	r.wantSums(map[string]float64{"users": 0, "sessions": 0})
}

// wantSums waits until all nodes together show these values.
func (r *loginRace) wantSums(want map[string]float64) {
	r.t.Helper()
	eventually(r.t, func() error {
		sums := make(map[string]float64)
		for name := range want {
			sums[name] = 0
		}
		for _, n := range r.nodes {
			page, err := n.Get("/metrics")
			if err != nil {
				return err
			}
			for line := range strings.Lines(page) {
				name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "shaddock_"), " ")
				if _, asked := want[name]; asked {
					v, err := strconv.ParseFloat(value, 64)
					if err != nil {
						return err
					}
					sums[name] += v
				}
			}
		}
		if !maps.Equal(sums, want) {
			return fmt.Errorf("the nodes count %v, want %v", sums, want)
		}
		return nil
	})
}
