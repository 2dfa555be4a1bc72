package tests

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// "the same while 100 other sessions push to it": the answers of one session stay
// complete and in order among the pushes of a room.
func TestPipelinedRequestsWhileOthersPush(t *testing.T) {
	addr, _ := serve(t, app.Config{RateLimit: -1, ByteRate: -1})
	p := join(t, addr, "/nano")
	p.wantAnswer("join", p.request("room.join", `{}`))
	var others sync.WaitGroup
	t.Cleanup(others.Wait) // after the connections are closed
	const senders, each = 100, 20
	for i := range senders {
		o := join(t, addr, "")
		o.wantAnswer("join", o.request("room.join", `{}`))
		others.Go(func() {
			for n := range each {
				_ = o.trySend(data(t, protocol.Message{Type: protocol.Notify, Route: "room.message", Body: fmt.Appendf(nil, `{"name":"%d","content":"%d"}`, i, n)}))
			}
		})
		others.Go(func() { // keep reading, or be closed as a slow one
			for {
				if _, err := o.read(); err != nil {
					return
				}
			}
		})
	}
	var batch []byte
	const first, n = 1000, 1000
	for i := range uint64(n) {
		batch = append(batch, data(t, protocol.Message{Type: protocol.Request, ID: first + i, Route: "room.echo", Body: []byte(`{}`)})...)
	}
	p.send(batch)
	answers, pushes, next := 0, 0, make(map[string]int)
	for answers < n || pushes < senders*each {
		m := p.message("answers and pushes")
		switch {
		case m.Type == protocol.Response:
			if m.ID != uint64(first+answers) {
				t.Fatalf("answer %d has id %d", answers, m.ID)
			}
			answers++
		case m.Route == "onMessage":
			var name, content int
			if _, err := fmt.Sscanf(string(m.Body), `{"name":"%d","content":"%d"}`, &name, &content); err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprint(name)
			if next[key] != content {
				t.Fatalf("sender %d: message %d arrived, want %d", name, content, next[key])
			}
			next[key]++
			pushes++
		}
	}
}

// FEATURES 6, "closing 300 sessions in one handler freezing the server".
func TestThreeHundredSessionsClosedInOneHandler(t *testing.T) {
	var refs sync.Map
	addr, _ := serve(t, app.Config{Setup: func(a *actors.App, _ *rooms.Host) error {
		actors.Handle(a, "test.register", func(c *actors.Ctx, _ *struct{}) (*struct{}, error) {
			refs.Store(c.Session().ID(), c.Session())
			return &struct{}{}, nil
		})
		actors.Handle(a, "test.closeall", func(c *actors.Ctx, _ *struct{}) (*struct{}, error) {
			refs.Range(func(_, v any) bool {
				v.(*actors.Ref).Kick(protocol.ReasonKicked, "all out")
				return true
			})
			return &struct{}{}, nil
		})
		return nil
	}})
	peers := make([]*peer, 300)
	for i := range peers {
		peers[i] = join(t, addr, "/nano")
		peers[i].wantAnswer("register", peers[i].request("test.register", `{}`))
	}
	boss := join(t, addr, "/nano")
	boss.wantAnswer("close all", boss.request("test.closeall", `{}`))
	boss.wantEcho("the server goes on")
	for _, p := range peers {
		p.wantClosed("each is kicked with the reason", protocol.ReasonKicked)
	}
	boss.wantEcho("and on")
}

// A handler that sleeps or panics affects nobody else (FEATURES 6, "one global
// logic goroutine, frozen by one handler").
func TestSleepingAndPanickingHandlers(t *testing.T) {
	release := make(chan struct{})
	addr, _ := serve(t, app.Config{Setup: func(a *actors.App, _ *rooms.Host) error {
		actors.Handle(a, "test.sleep", func(*actors.Ctx, *struct{}) (*struct{}, error) {
			<-release
			return &struct{}{}, nil
		})
		actors.Handle(a, "test.panic", func(*actors.Ctx, *struct{}) (*struct{}, error) { panic("on purpose") })
		return nil
	}})
	sleeper, other := join(t, addr, "/nano"), join(t, addr, "")
	asleep := sleeper.request("test.sleep", `{}`)
	for range 100 {
		other.wantEcho("others are served meanwhile")
	}
	close(release)
	sleeper.wantAnswer("the sleeper's own answer", asleep)
	other.wantCode("a panic", other.request("test.panic", `{}`), protocol.CodeInternal)
	other.wantEcho("its session lives on")
}

// "10,000 connect/close cycles (flat memory)", and "closed sessions never
// forgotten (4.6 KB each)", and "ghost members after quick login/close".
func TestConnectCloseCyclesLeaveNothing(t *testing.T) {
	addr, admin := serve(t, app.Config{RateLimit: -1, ByteRate: -1})
	cycle := func(n int) {
		const batch = 500 // a subtest lets go of what it cleans up
		for range n / batch {
			t.Run("batch", func(t *testing.T) {
				for i := range batch {
					p := join(t, addr, []string{"", "/nano"}[i%2])
					if i%3 == 0 {
						p.request("room.join", `{}`) // and away before the answer
					}
					p.conn.Close()
				}
			})
		}
		wantMetric(t, admin, "shaddock_connections", 0)
		wantMetric(t, admin, "shaddock_sessions", 0)
		wantMetric(t, admin, "shaddock_room_members", 0)
	}
	settled := func() (heap uint64, goroutines int) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, runtime.NumGoroutine()
	}
	const cycles = 10_000
	cycle(cycles / 10)
	heap, goroutines := settled()
	cycle(cycles)
	deadline := time.Now().Add(patience)
	for {
		h, g := settled()
		grown := int64(h) - int64(heap)
		// The actor runtime's registry touches its 32,768 shards one by one, 12 MB in
		// all, and gives none back; a session that were kept would cost ten times this.
		if grown < cycles*400 && g <= goroutines+3 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %d cycles: heap grew by %d bytes, goroutines %d -> %d", cycles, grown, goroutines, g)
		}
		runtime.Gosched()
	}
}
