package swarm

import (
	"crypto/tls"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// worker is one process's part of a run.
type worker struct {
	// Set at birth, read-only afterwards.
	*plan
	index    int
	epoch    int64
	run      uint16
	clock    measure.Clock
	ledger   *measure.Ledger
	timers   *timers
	callers  *callers
	shards   []*shard
	hands    []*hand // of the shards, the driver and the callers
	driver   *driver
	sessions []*session
	members  []int32         // by room: how many hear a publication, in all processes
	early    bool            // some setup publishes
	awaited  map[string]bool // routes of pushes that some step waits for
	known    []string        // routes
	local    bool            // the servers are on this machine's loopback
	tls      *tls.Config
	send     func(news)

	// Any goroutine.
	routes      atomic.Pointer[protocol.Routes]
	dict        atomic.Pointer[protocol.Routes] // what the server compresses, nil: nothing
	dials       atomic.Uint32
	beginAt     atomic.Int64 // 0: not yet
	measureFrom atomic.Int64 // what was planned before is not timed
	ending      atomic.Bool
	trouble     atomic.Pointer[string]

	banked struct {
		sync.Mutex
		final
	}

	// Owned by the foreman.
	cuts cutter
}

// shard is one loop with the sessions that live on it.
type shard struct {
	worker *worker
	client *transport.Client
	hand   *hand
}

// newWorker makes a process's sessions, not yet connected. send takes its news,
// in order, and does not block for long.
func newWorker(s *setup, send func(news)) (*worker, error) {
	p := s.plan
	if p == nil {
		var err error
		if p, err = newPlan(s.Config); err != nil {
			return nil, err
		}
	}
	w := &worker{
		plan: p, index: s.Worker, epoch: s.Epoch, run: s.Run, send: send,
		clock: measure.NewClock(), timers: newTimers(), awaited: map[string]bool{},
	}
	w.tokens = s.Tokens
	w.measureFrom.Store(math.MaxInt64)
	w.ledger = measure.NewLedger(uint8(w.index), w.Rooms, w.clock, w.layout.shared())
	w.known = p.scen.Routes()
	if !p.scen.Text {
		routes, err := protocol.NewRoutes(w.known, nil)
		if err != nil {
			return nil, err
		}
		w.routes.Store(routes)
	}
	if err := w.target(); err != nil {
		return nil, err
	}
	for i := range p.scen.Behaviours {
		b := &p.scen.Behaviours[i]
		b.Awaits(w.awaited)
		w.early = w.early || slices.ContainsFunc(b.Setup, func(op scenario.Op) bool { return op.Publish })
	}
	if err := w.shardUp(); err != nil {
		return nil, err
	}
	w.populate()
	w.callers = newCallers(w)
	return w, nil
}

// target looks at where the servers are.
func (w *worker) target() error {
	w.local = runtime.GOOS == "linux" // elsewhere only 127.0.0.1 itself is an address
	for _, a := range w.Addr {
		u, err := url.Parse(a)
		if err != nil {
			return fmt.Errorf("--addr %s: %w", a, err)
		}
		ip, _ := netip.ParseAddr(u.Hostname())
		w.local = w.local && ip.Is4() && ip.IsLoopback()
	}
	var err error
	w.tls, err = tlsConfig(w.CA, w.Insecure)
	return err
}

// shardUp starts the loops.
func (w *worker) shardUp() error {
	cfg := transport.ClientConfig{Loops: 1, Dial: w.Dial, MaxBody: 4 << 20, OutLimit: 8 << 20}
	if w.scen.Stops {
		cfg.InMessages, cfg.InBytes = 1, 1
	}
	for i := range w.Loops {
		client, err := transport.NewClient(cfg)
		if err != nil {
			return err
		}
		sh := &shard{worker: w, client: client, hand: newHand(w, uint64(i))}
		w.shards = append(w.shards, sh)
		w.hands = append(w.hands, sh.hand)
	}
	w.driver = newDriver(w, newHand(w, uint64(w.Loops)))
	w.hands = append(w.hands, w.driver.hand)
	return nil
}

// populate makes the sessions and counts who hears whom.
func (w *worker) populate() {
	w.members = make([]int32, w.Rooms)
	for g := range w.Sessions {
		at := w.layout.at(g)
		kind := &w.scen.Behaviours[at.kind]
		if kind.Stays() {
			w.members[at.room]++
		}
		if at.worker != w.index {
			continue
		}
		w.sessions = append(w.sessions, &session{
			shard: w.shards[len(w.sessions)%len(w.shards)], kind: kind,
			number: uint32(g), room: at.room, url: w.Addr[at.addr],
		})
	}
	w.driver.choose()
}

// addressDials is how many connections leave from one loopback address before
// the next one is used: an address has some 28,000 ports, and those of closed
// connections rest for a minute.
const addressDials = 1000

// dialOptions spreads the source addresses over 127.0.0.0/8.
func (w *worker) dialOptions() transport.DialOptions {
	opts := transport.DialOptions{TLS: w.tls, Text: w.scen.Text}
	if w.local {
		n := w.dials.Add(1) / addressDials
		opts.LocalAddr = netip.AddrFrom4([4]byte{127, byte(1 + w.index%250), byte(n / 250 % 250), byte(1 + n%250)})
	}
	return opts
}

// token is what {{token}} stands for in session number.
func (w *worker) token(number uint32) string {
	if len(w.tokens) == 0 {
		return ""
	}
	return w.tokens[int(number)%len(w.tokens)]
}

// learn keeps the dictionary of the first handshake: a server's sessions share it.
func (w *worker) learn(offered *protocol.Routes) {
	if offered == nil || w.dict.Load() != nil || !w.dict.CompareAndSwap(nil, offered) {
		return
	}
	if all, err := protocol.NewRoutes(w.known, offered.Dict()); err == nil {
		w.routes.Store(all)
	}
}

// code is the number of a route in the server's dictionary, 0: send it whole.
func (w *worker) code(route string) uint16 {
	if w.NoDict {
		return 0
	}
	return w.dict.Load().Code(route)
}

// report keeps the first thing that went wrong, for the person at the screen.
func (w *worker) report(what string) {
	w.trouble.CompareAndSwap(nil, &what)
}

// status sums up what the hands know.
func (w *worker) status() status {
	var t tally
	driven := w.driver.done.Load() // before the sums: they then hold all that was begun
	for _, h := range w.hands {
		one := h.tally()
		t.add(&one)
	}
	s := status{
		Sessions: len(w.sessions), Ready: t.ready, Failed: t.failed, Open: t.open, Noise: t.noise,
		Expected: t.expected, Delivered: t.delivered, Waiting: t.asked - t.answered, Driven: driven,
	}
	if what := w.trouble.Load(); what != nil {
		s.Trouble = *what
	}
	return s
}

// settle balances all accounts. Only after the loops have ended.
func (w *worker) settle(logs []measure.Log) final {
	sum := w.banked.final
	for _, s := range w.sessions {
		b := s.inbox.Settle(w.ledger, logs)
		sum.Owed += b.Owed
		sum.Received += b.Received
	}
	return sum
}

// phase is what the worker is busy with at a moment.
func (w *worker) phase(now int64) report.Phase {
	begin := w.beginAt.Load()
	switch {
	case begin == 0 || now < begin:
		if st := w.status(); st.Ready+st.Failed == int64(st.Sessions) {
			return report.Settling
		}
		return report.Connecting
	case now < w.measureFrom.Load():
		return report.WarmUp
	case now < w.driver.end.Load():
		return report.Measuring
	}
	return report.Draining
}
