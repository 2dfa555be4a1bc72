package tests

import (
	"context"
	"fmt"
	"net/url"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// An idle hour of a whole server, in fake time: transport, sessions, rooms and all,
// with clients on pipes who sit in rooms and send nothing but heartbeats. Nobody is
// closed, nobody hears anything else, and memory and goroutines are what they were.
func TestIdleHourOfAWholeServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect, stop := serveOnPipes(t, app.Config{Heartbeat: 30 * time.Second})
		idlers := make([]*idler, 100)
		for i := range idlers {
			p := connect([]string{"", "/nano"}[i%2])
			p.handshake("")
			p.wantAnswer("join", p.request("room.join", fmt.Sprintf(`{"room":"r%d"}`, i%10)))
			idlers[i] = &idler{peer: p, said: make(chan protocol.Message, 64)}
		}
		var all sync.WaitGroup
		leave := make(chan struct{})
		for _, c := range idlers {
			all.Go(func() { c.beat(30*time.Second, leave) })
			go c.listen() // ends with the connection
		}
		time.Sleep(5 * time.Minute) // everything that is made once has been made
		for _, c := range idlers {
			c.drain() // who came behind it
		}
		heap, goroutines := atRest()
		time.Sleep(time.Hour)
		heapAfter, goroutinesAfter := atRest()

		if goroutinesAfter != goroutines {
			t.Errorf("%d goroutines before the hour, %d after it", goroutines, goroutinesAfter)
		}
		if grown := int64(heapAfter) - int64(heap); grown > 64<<10 {
			t.Errorf("the heap grew by %d bytes in an hour of silence", grown)
		}
		close(leave)
		all.Wait()
		synctest.Wait() // listen has said its last
		for i, c := range idlers {
			if m, any := c.drain(); any {
				t.Errorf("client %d heard %s %s", i, m.Route, m.Body)
			}
			if c.beats < 120 {
				t.Errorf("client %d heard %d heartbeats in an hour, want 120", i, c.beats)
			}
			id := c.request("room.echo", "still here")
			if m := <-c.said; m.ID != id || string(m.Body) != "still here" {
				t.Errorf("client %d: after the hour, echo answers %d %s", i, m.ID, m.Body)
			}
		}
		stop()
	})
}

// serveOnPipes runs the server inside a bubble: it listens nowhere, and whoever
// connects gets one end of a pipe. stop wants it to end cleanly.
func serveOnPipes(t *testing.T, cfg app.Config) (connect func(path string) *peer, stop func()) {
	t.Helper()
	var wires *transport.Server
	up := make(chan struct{})
	cfg.Listen, cfg.Admin, cfg.Portable = "off", "off", true
	cfg.OnTransport = func(s *transport.Server) { wires = s }
	cfg.OnListening = func(string, string) { close(up) }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx, cfg) }()
	<-up
	connect = func(path string) *peer {
		t.Helper()
		client, server := transport.Pipe()
		wires.ServeConn(server)
		p := &peer{t: t, conn: client, ws: path != ""}
		if p.ws {
			if _, _, err := (ws.Dialer{}).Upgrade(client, &url.URL{Scheme: "ws", Host: "pipe", Path: path}); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	return connect, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server did not stop cleanly: %v", err)
		}
	}
}

// idler is a client that only keeps its connection.
type idler struct {
	*peer
	said  chan protocol.Message
	beats int // owned by listen; to be read while the bubble is at rest
}

// beat sends a heartbeat every interval, as clients do.
func (c *idler) beat(every time.Duration, leave <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-leave:
			return
		case <-tick.C:
			if err := c.trySend(protocol.AppendPacket(nil, protocol.Heartbeat, nil)); err != nil {
				c.t.Errorf("heartbeat: %v", err)
				return
			}
		}
	}
}

// listen counts heartbeats and hands on all else, until the connection ends.
func (c *idler) listen() {
	_ = c.conn.SetReadDeadline(time.Time{})
	for {
		p, rest, err := protocol.CutPacket(c.in, protocol.MaxPacketBody)
		switch {
		case err != nil:
			if c.fill() != nil {
				return
			}
			continue
		case p.Type == protocol.Heartbeat:
			c.beats++
		case p.Type == protocol.Data:
			m, err := protocol.ParseMessage(p.Body, nil)
			if err != nil {
				c.t.Errorf("%v in %x", err, p.Body)
			}
			c.said <- m
		}
		c.in = rest
	}
}

// drain forgets what was heard and returns the last of it.
func (c *idler) drain() (last protocol.Message, any bool) {
	for {
		select {
		case last = <-c.said:
			any = true
		default:
			return last, any
		}
	}
}

// atRest measures when nothing goes on.
func atRest() (heap uint64, goroutines int) {
	synctest.Wait()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, runtime.NumGoroutine()
}
