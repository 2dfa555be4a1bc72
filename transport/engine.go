package transport

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// settings are what the connections of one engine have in common. Zero means
// "no limit" here; defaults have been resolved.
type settings struct {
	client    bool
	open      func(*Conn) Receiver
	upgrade   upgradeConfig
	handOff   func(c *Conn, head []byte) // takes a connection that is plain HTTP
	released  func(*Conn)                // a connection is gone
	handshake time.Duration
	flush     time.Duration
	maxHead   int
	maxBody   int
	outLimit  int
	walkLimit int
	budget    budget
	log       *slog.Logger
}

// engine is what a Server and a Client are made of: loops, and the goroutines
// of their portable sockets.
type engine struct {
	// Set at birth, read-only afterwards.
	settings
	born  time.Time // the clock of timers counts from here
	loops []*loop

	side  sync.WaitGroup // goroutines beside the loops: readers, writers, dials
	round sync.WaitGroup // the loops
}

// newEngine starts n loops.
func newEngine(set settings, n int, portable bool) (*engine, error) {
	e := &engine{settings: set, born: time.Now()}
	for i := range n {
		p, err := newPoller(portable)
		if err != nil {
			for _, l := range e.loops {
				l.poll.close()
			}
			return nil, fmt.Errorf("transport: poller %d: %w", i, err)
		}
		e.loops = append(e.loops, newLoop(e, i, p))
	}
	for _, l := range e.loops {
		e.round.Go(l.run)
	}
	return e, nil
}

// clock is the engine's time of t, in nanoseconds and never 0.
func (e *engine) clock(t time.Time) int64 { return max(1, int64(t.Sub(e.born))) }

// pick chooses the loop with the fewest connections. The numbers are as old as
// the last turn of each loop, so the choice counts itself at once.
func (e *engine) pick() *loop {
	best := e.loops[0]
	for _, l := range e.loops[1:] {
		if l.load.Load() < best.load.Load() {
			best = l
		}
	}
	best.load.Add(1)
	return best
}

// stop closes all connections and waits for the loops to end. When ctx ends
// first, the rest is cut off, and counted in a *CutError.
func (e *engine) stop(ctx context.Context) error {
	e.postAll(op{kind: opStop, reason: protocol.ReasonShutdown})
	done := make(chan struct{})
	go func() {
		e.round.Wait()
		e.side.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	left := e.stats().Open
	e.postAll(op{kind: opCut, reason: protocol.ReasonShutdown})
	<-done
	return &CutError{Connections: left, Cause: context.Cause(ctx)}
}

// CutError says that a stop was not given the time that its connections would have
// taken to end: it cut them off. Everything is stopped all the same.
type CutError struct {
	Connections int64 // that had not taken all that was written to them, or not closed their side
	Cause       error // of the end of the time
}

func (e *CutError) Error() string {
	return fmt.Sprintf("transport: shutdown: %d connections cut off: %v", e.Connections, e.Cause)
}

func (e *CutError) Unwrap() error { return e.Cause }

func (e *engine) postAll(o op) {
	for _, l := range e.loops {
		l.post(o)
	}
}

// stats sums the loops' counters.
func (e *engine) stats() Stats {
	var s Stats
	s.Closed = make(map[string]uint64, protocol.NumReasons)
	for _, l := range e.loops {
		l.stats.addTo(&s)
	}
	return s
}
