package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms/live"
	"github.com/shaddock-game/shaddock/transport"
)

// config is what to measure.
type config struct {
	sessions int
	burst    int
	window   time.Duration
}

// result is what was measured.
type result struct {
	config
	fill           time.Duration
	resident, heap float64 // bytes that the sessions added
	single, merged cost
}

// cost is what one walk over everybody took.
type cost struct {
	clock, cpu time.Duration
	writes     int64
}

func (c cost) perSession(n float64) float64 { return float64(c.cpu) / n }

// crowd is the other end of all sessions. What they hear is counted where it
// arrives, a counter each, because the loops write at the same time; in bytes,
// because looking at them would cost more than writing them.
type crowd struct {
	server *transport.Server
	joined atomic.Int64
	full   bool     // everybody has joined; set while nothing is written
	heard  []uint32 // bytes, by session; written by its loop
	pushes int      // to the first session
	locals []*transport.Local
}

// inFlight is how many sessions may be on their way into the room at once: its
// mailbox is bounded.
const inFlight = 2000

// run starts a server, fills the room and says something.
func run(ctx context.Context, cfg config, log io.Writer) (r *result, err error) {
	serving := make(chan *transport.Server, 1)
	ended := make(chan error, 1)
	srvCtx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		ended <- app.Run(srvCtx, app.Config{
			Listen: "127.0.0.1:0", Admin: "off", MaxConns: cfg.sessions + 100, Heartbeat: -1, RateLimit: -1, ByteRate: -1,
			Live:        live.Config{Window: cfg.window, Batch: -1, Rate: -1, History: -1, Counting: time.Hour},
			OnTransport: func(s *transport.Server) { serving <- s }, Grace: time.Minute,
		})
	}()
	defer func() {
		stop()
		if e := <-ended; err == nil && e != nil && !errors.Is(e, context.DeadlineExceeded) {
			err = e
		}
	}()
	c := &crowd{heard: make([]uint32, cfg.sessions), locals: make([]*transport.Local, 0, cfg.sessions)}
	select {
	case c.server = <-serving:
	case err := <-ended:
		ended <- nil
		return nil, err
	}
	r = &result{config: cfg}
	resident, heap := memory()
	begin := time.Now()
	if err := c.fill(ctx, cfg.sessions, log); err != nil {
		return nil, err
	}
	r.fill = time.Since(begin)
	after, heapAfter := memory()
	r.resident, r.heap = after-resident, heapAfter-heap
	if r.single, err = c.say(ctx, 1); err != nil {
		return nil, err
	}
	if err = c.silence(ctx, 2*cfg.window); err != nil {
		return nil, err
	}
	if r.merged, err = c.say(ctx, cfg.burst); err != nil {
		return nil, err
	}
	return r, nil
}

// fill opens all sessions; each shakes hands and joins.
func (c *crowd) fill(ctx context.Context, n int, log io.Writer) error {
	hello := protocol.AppendPacket(nil, protocol.Handshake, []byte(`{"sys":{"type":"scale","version":"1"}}`))
	hello = protocol.AppendPacket(hello, protocol.HandshakeAck, nil)
	hello = appendMessage(hello, protocol.Message{Type: protocol.Request, ID: 1, Route: "live.join", Body: []byte(`{"room":"r"}`)})
	for i := range n {
		l := c.server.ServeLocal(func(b []byte) { c.hear(i, b) })
		c.locals = append(c.locals, l)
		l.Write(hello)
		if i%inFlight == inFlight-1 || i == n-1 {
			if err := until(ctx, func() bool { return c.joined.Load() > int64(i-inFlight/2) || c.joined.Load() == int64(n) }); err != nil {
				return fmt.Errorf("%d of %d sessions joined: %w", c.joined.Load(), i, err)
			}
		}
		if i%100_000 == 99_999 {
			fmt.Fprintf(log, "%d sessions\n", i+1)
		}
	}
	err := until(ctx, func() bool { return c.joined.Load() == int64(n) })
	c.full = true
	return err
}

// hear is the sink of a session: it counts what comes, and joins that succeeded.
func (c *crowd) hear(i int, b []byte) {
	if !c.full && bytes.Contains(b, []byte(`"success"`)) {
		c.joined.Add(1)
	}
	if i == 0 {
		c.pushes += bytes.Count(b, onMessage)
	}
	c.heard[i] += uint32(len(b))
}

var onMessage = []byte("onMessage")

// say has the first session say n messages, and waits until they are written to
// everybody.
func (c *crowd) say(ctx context.Context, said int) (k cost, err error) {
	all := make([]byte, 0, 128*said)
	for i := range said {
		body := fmt.Appendf(nil, `{"name":"the first","content":"message %d of a usual length"}`, i)
		all = appendMessage(all, protocol.Message{Type: protocol.Notify, Route: "live.send", Body: body})
	}
	clear(c.heard)
	c.pushes = 0
	before := c.server.Stats()
	want := before.MessagesOut + uint64(said*len(c.locals))
	begin, used := time.Now(), cpu()
	c.locals[0].Write(all)
	err = until(ctx, func() bool { return c.server.Stats().MessagesOut >= want })
	k.clock, k.cpu = time.Since(begin), cpu()-used
	k.writes = int64(c.server.Stats().Writes - before.Writes)
	if err != nil {
		return k, err
	}
	for i, n := range c.heard {
		if n != c.heard[0] || c.pushes != said {
			return k, fmt.Errorf("session %d heard %d bytes, the first %d in %d messages of %d", i, n, c.heard[0], c.pushes, said)
		}
	}
	return k, nil
}

// silence waits for a window to end.
func (c *crowd) silence(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// patience bounds every wait for the server.
const patience = 2 * time.Minute

// until polls: there is no event for "everyone has got it" that would not cost
// what is being measured.
func until(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// appendMessage appends a data package; messages of this program always fit.
func appendMessage(b []byte, m protocol.Message) []byte {
	b, mark := protocol.BeginPacket(b, protocol.Data)
	b, err := protocol.AppendMessage(b, m)
	if err != nil {
		panic(err) // a route of ours that is too long
	}
	return protocol.EndPacket(b, mark)
}

// memory is what is resident, and what of it lies on the heap, without garbage.
func memory() (resident, heap float64) {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var pages, rss float64
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		_, _ = fmt.Sscan(string(b), &pages, &rss) // what is no number stays 0, and shows
	}
	return rss * float64(os.Getpagesize()), float64(m.HeapAlloc)
}

// cpu is the processor time that the process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
