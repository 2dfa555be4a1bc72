package swarm

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// swarm is one run.
type swarm struct {
	// Set at birth, read-only afterwards.
	cfg      Config
	clock    measure.Clock
	born     int64
	run      uint16
	routes   *protocol.Routes
	ledger   *measure.Ledger
	shards   []*shard
	sessions []*session
	local    bool // the target is this machine

	// Any goroutine.
	ready  atomic.Int64 // sessions that are where their scenario wants them
	lost   atomic.Int64 // connections that ended without our asking
	ending atomic.Bool
}

// shard is one loop with the sessions that live on it.
type shard struct {
	swarm   *swarm
	client  *transport.Client
	dialing sync.Mutex   // held while a Dial has not returned
	arrived atomic.Int64 // deliveries or answers
	noise   atomic.Int64 // pushes that are none of ours

	// Owned by the loop; read by others once it has ended.
	sheet *measure.Sheet
}

// now is the time since the run's begin, in nanoseconds: what marks carry.
func (w *swarm) now() int64 { return w.clock.Now() - w.born }

// Run carries out cfg. An error says that the run could not be made; what the
// server did wrong is in the report.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	w, err := newSwarm(cfg)
	if err != nil {
		return nil, err
	}
	rep := newReport(&cfg)
	before := usage(cfg.PID)
	if err = w.connect(ctx); err == nil {
		w.quieten(ctx)
		rep.connected(before, usage(cfg.PID), cfg.Sessions)
		own, server := usage(selfPID), usage(cfg.PID)
		rep.Begin = time.Now()
		paced := w.drive(ctx)
		w.drain(ctx, paced)
		rep.End = time.Now()
		rep.used(server, usage(cfg.PID), own, usage(selfPID), paced)
	}
	w.ending.Store(true)
	w.shutdown()
	if err != nil {
		return nil, err
	}
	rep.settle(w)
	return rep, nil
}

func newSwarm(cfg Config) (*swarm, error) {
	u, err := url.Parse(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("--addr %s: %w", cfg.Addr, err)
	}
	routes, err := protocol.NewRoutes([]string{"room.join", "room.message", "room.echo", "onMessage", "onMembers", "onNewUser", "onLeave"}, nil)
	if err != nil {
		return nil, err
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	w := &swarm{cfg: cfg, clock: measure.NewClock(), routes: routes, local: ip.Is4() && ip.IsLoopback()}
	w.born = w.clock.Now()
	w.run = uint16(w.born/1e6) & 0xfff
	w.ledger = measure.NewLedger(0, cfg.Rooms, w.clock, false)
	for range cfg.Loops {
		client, err := transport.NewClient(transport.ClientConfig{Loops: 1, Dial: 30 * time.Second, MaxBody: 4 << 20, OutLimit: 8 << 20})
		if err != nil {
			return nil, err
		}
		w.shards = append(w.shards, &shard{swarm: w, client: client, sheet: measure.NewSheet(numMetrics)})
	}
	return w, nil
}

// connect opens all sessions at the rate of the ramp and waits until each is
// where its scenario wants it.
func (w *swarm) connect(ctx context.Context) error {
	step := time.NewTicker(10 * time.Millisecond)
	defer step.Stop()
	perStep := max(1, w.cfg.Ramp/100)
	for len(w.sessions) < w.cfg.Sessions {
		for range min(perStep, w.cfg.Sessions-len(w.sessions)) {
			if err := w.dial(); err != nil {
				return err
			}
		}
		select {
		case <-step.C:
		case <-ctx.Done():
			return fmt.Errorf("interrupted after %d connections", len(w.sessions))
		}
	}
	return w.assemble(ctx)
}

// assembleTime bounds the wait for sessions to arrive: a large room takes a while
// to announce everyone to everyone.
const assembleTime = 2 * time.Minute

func (w *swarm) assemble(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, assembleTime)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for w.ready.Load() < int64(w.cfg.Sessions) {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d sessions arrived, %d connections were lost: is the server at %s?",
				w.ready.Load(), w.cfg.Sessions, w.lost.Load(), w.cfg.Addr)
		}
		if n := w.lost.Load(); n > 0 {
			return fmt.Errorf("%d connections were lost before the run began (%d of %d sessions arrived): is the server at %s?",
				n, w.ready.Load(), w.cfg.Sessions, w.cfg.Addr)
		}
	}
	return nil
}

// perAddress is how many connections leave from one loopback address: an address
// has some 28,000 ports.
const perAddress = 4000

func (w *swarm) dial() error {
	i := len(w.sessions)
	sh := w.shards[i%len(w.shards)]
	s := &session{shard: sh, number: uint32(i), room: uint32(i % w.cfg.Rooms), began: w.clock.Now()}
	var opts transport.DialOptions
	if w.local && w.cfg.Sessions > perAddress {
		opts.LocalAddr = netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + i/perAddress)})
	}
	sh.dialing.Lock()
	defer sh.dialing.Unlock()
	var err error
	if s.conn, err = sh.client.Dial(w.cfg.Addr, opts, s); err != nil {
		return err
	}
	w.sessions = append(w.sessions, s)
	return nil
}

func (w *swarm) arrived() (n int64) {
	for _, sh := range w.shards {
		n += sh.arrived.Load()
	}
	return n
}

// quieten waits until the room has stopped announcing who came: that is not what
// is to be measured. A room of n has n²/2 of these to say.
func (w *swarm) quieten(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, assembleTime)
	defer cancel()
	for before := int64(-1); ctx.Err() == nil; {
		var noise int64
		for _, sh := range w.shards {
			noise += sh.noise.Load()
		}
		if noise == before {
			return
		}
		before = noise
		w.wait(ctx, w.cfg.Settle)
	}
}

// wait passes time, unless the run is interrupted.
func (w *swarm) wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// shutdown ends the loops; afterwards everything is the caller's.
func (w *swarm) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, sh := range w.shards {
		all.Go(func() { _ = sh.client.Shutdown(ctx) }) // those who do not say goodbye are cut off
	}
	all.Wait()
}
