package link

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// Carrier takes envelopes to other processes. It may lose them; what it delivers
// of one goroutine's messages to one peer, it delivers in order.
type Carrier interface {
	// Send never blocks. The envelope is not changed after it was handed over.
	Send(to Peer, e *wire.Envelope)
	// Probe says whether somebody listens at the address.
	Probe(ctx context.Context, addr string) error
	// Forget drops what is kept for a peer that left long ago. Should it be spoken to
	// all the same, it is as on the first day.
	Forget(p Peer)
}

// Config is what a link needs. Self and Carrier are required.
type Config struct {
	Self    Peer
	Carrier Carrier
	// Window is how many messages (4096 when zero) and bytes (16 MiB) may be on
	// the way to one peer. Past it Send refuses.
	Window, WindowBytes int
	// Inbox is how many calls may wait for this process (1024 when zero). Past it
	// they are answered 503.
	Inbox  int
	Logger *slog.Logger
}

// Errors of Send. In all cases nothing has been sent.
var (
	ErrBusy   = errors.New("link: window to the peer is full")
	ErrDown   = errors.New("link: no connection to the peer")
	ErrClosed = errors.New("link: closed")
)

// ErrGone ends a call to a peer that leaves the cluster.
var ErrGone = errors.New("link: the peer has left the cluster")

// Link is one process's end of all connections to its peers. Its methods are
// usable from any goroutine.
type Link struct {
	// Set at birth, read-only afterwards.
	cfg    Config
	log    *slog.Logger
	direct map[uint32]func(from Peer, e *wire.Envelope)
	served map[uint32]func(*Call)
	run    context.Context // ends with the link
	stop   context.CancelFunc
	tasks  sync.WaitGroup

	peers  sync.Map // id → *peer: many read, few write
	view   atomic.Pointer[roster.View]
	calls  calls
	server server
	stats  stats
}

// New makes a link. Register what it receives with Direct and Serve, then Start
// it and let the carrier call Receive and Broken.
func New(cfg Config) *Link {
	if cfg.Window == 0 {
		cfg.Window = 4096
	}
	if cfg.WindowBytes == 0 {
		cfg.WindowBytes = 16 << 20
	}
	if cfg.Inbox == 0 {
		cfg.Inbox = 1024
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Link{
		cfg: cfg, log: cfg.Logger,
		direct: make(map[uint32]func(Peer, *wire.Envelope)),
		served: make(map[uint32]func(*Call)),
	}
	l.run, l.stop = context.WithCancel(context.Background())
	l.server = server{link: l, in: make(chan arrival, cfg.Inbox), seen: make(map[string]*history)}
	l.direct[wire.OpAck] = func(Peer, *wire.Envelope) {}
	l.direct[wire.OpPing] = l.pinged
	l.direct[wire.OpAnswer] = l.calls.answered
	return l
}

// Direct registers a receiver of one op, before Start. It is called on the
// carrier's goroutine, in the order of the sender's messages, and must not block.
func (l *Link) Direct(op uint32, f func(from Peer, e *wire.Envelope)) { l.direct[op] = f }

// Serve registers what carries out the calls of one op, before Start. It is called
// from one goroutine, with each call once, and must not block; the answer may
// come later.
func (l *Link) Serve(op uint32, f func(*Call)) { l.served[op] = f }

// Start begins the link's own work.
func (l *Link) Start() {
	l.tasks.Go(l.server.run)
	l.tasks.Go(l.tick)
}

// Close ends the link's own work; what is called later does nothing.
func (l *Link) Close() {
	l.stop()
	l.calls.failAll(func(string) bool { return true }, ErrClosed)
	l.tasks.Wait()
}

// Self returns this process as its peers know it.
func (l *Link) Self() Peer { return l.cfg.Self }

// Send sends one message, or refuses. It takes over e and fills in its place;
// the body is not changed by anybody afterwards. A message to this process itself
// is received before Send returns.
func (l *Link) Send(to Peer, e *wire.Envelope) error {
	if l.run.Err() != nil {
		return ErrClosed
	}
	if to.ID == l.cfg.Self.ID {
		l.dispatch(to, e)
		return nil
	}
	p := l.peer(to)
	if p.down.Load() {
		l.stats.refusedDown.Add(1)
		return ErrDown
	}
	if !p.room(l.cfg.WindowBytes) {
		l.stats.refusedBusy.Add(1)
		return ErrBusy
	}
	p.stamp(e)
	l.stats.sent.Add(1)
	l.stats.sentBytes.Add(int64(len(e.Body)))
	l.cfg.Carrier.Send(p.Peer, e)
	return nil
}

// Receive takes in what the carrier brings, on the carrier's goroutine.
func (l *Link) Receive(from Peer, e *wire.Envelope) {
	if l.run.Err() != nil {
		return
	}
	p := l.peer(from)
	p.down.Store(false) // whoever speaks is there
	p.arrived(e)
	l.stats.received.Add(1)
	l.stats.receivedBytes.Add(int64(len(e.Body)))
	l.dispatch(from, e)
	// Half a window unacknowledged would soon hold the peer up.
	if p.owesAck() > uint64(l.cfg.Window/8) || p.owesBytes.Load() > int64(l.cfg.WindowBytes/8) {
		l.ack(p)
	}
}

func (l *Link) dispatch(from Peer, e *wire.Envelope) {
	if f, ok := l.direct[e.Op]; ok {
		f(from, e)
		return
	}
	if e.Call != 0 {
		l.server.offer(from, e)
		return
	}
	l.stats.unknown.Add(1)
}

// Broken tells that the carrier lost its connection to an address. What was on
// the way may be lost. Sends are refused until somebody listens there again: the
// remote would take them and drop them.
func (l *Link) Broken(addr string) {
	l.peers.Range(func(_, v any) bool {
		if p := v.(*peer); p.Addr == addr && p.down.CompareAndSwap(false, true) {
			l.stats.broken.Add(1)
			l.log.Info("connection to a peer broke", "peer", p.ID, "addr", addr)
		}
		return true
	})
}

// Members tells who is in the cluster, from one goroutine. Calls to those that left
// fail. What the link counts of them is kept for a while, since who only lost its
// lease comes back as the same.
func (l *Link) Members(v *roster.View) {
	for _, m := range l.view.Swap(v).Left(v) {
		l.calls.failAll(func(id string) bool { return id == m.ID }, ErrGone)
	}
}

// Reachable says whether messages to a peer are taken at the moment.
func (l *Link) Reachable(to Peer) bool {
	v, ok := l.peers.Load(to.ID)
	return !ok || (!v.(*peer).down.Load() && v.(*peer).room(l.cfg.WindowBytes))
}

func (l *Link) peer(id Peer) *peer {
	if v, ok := l.peers.Load(id.ID); ok {
		return v.(*peer)
	}
	v, _ := l.peers.LoadOrStore(id.ID, newPeer(id, l.cfg.Window))
	return v.(*peer)
}

func (l *Link) ack(p *peer) {
	e := &wire.Envelope{Op: wire.OpAck, LinkAck: p.tells()}
	l.cfg.Carrier.Send(p.Peer, e)
}

// pinged answers a peer that hears nothing of its messages. They were sent before
// the ping on the same path: what has not arrived by now is lost.
func (l *Link) pinged(from Peer, e *wire.Envelope) {
	p := l.peer(from)
	raise(&p.highest, e.Seq)
	l.ack(p)
}

const (
	tickEvery   = 50 * time.Millisecond
	ackTicks    = 3 // that a message waits for one that goes the other way anyhow
	stallAfter  = 300 * time.Millisecond
	forgetAfter = 5 * time.Minute // without a word from who left the cluster
	lastProbe   = time.Second / 2 // between looks at a lost peer, at most
)

// tick acknowledges what no other message has, asks after what the peers do not
// acknowledge, and looks whether lost peers are back.
func (l *Link) tick() {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-l.run.Done():
			return
		case now := <-t.C:
			l.peers.Range(func(_, v any) bool {
				l.tickPeer(now, v.(*peer))
				return true
			})
		}
	}
}

func (l *Link) tickPeer(now time.Time, p *peer) {
	if received := p.received.Load(); received != p.heard || p.heardAt.IsZero() {
		p.heard, p.heardAt = received, now
	} else if _, member := l.view.Load().Get(p.ID); !member && now.Sub(p.heardAt) > forgetAfter {
		l.peers.Delete(p.ID)
		l.cfg.Carrier.Forget(p.Peer)
		return
	}
	if p.down.Load() {
		l.probe(now, p)
		return
	}
	p.pause = 0
	if told := p.told.Load(); told != p.lastTold || p.owesAck() == 0 {
		p.lastTold, p.owes = told, 0
	} else if p.owes++; p.owes >= ackTicks {
		l.ack(p)
	}
	acked := p.acked.Load()
	if acked != p.lastAcked || acked == p.sent.Load() {
		p.lastAcked, p.stalled = acked, now
		return
	}
	if now.Sub(p.stalled) >= stallAfter {
		p.stalled = now
		l.stats.pings.Add(1)
		l.cfg.Carrier.Send(p.Peer, &wire.Envelope{Op: wire.OpPing, Seq: p.sent.Load()})
	}
}

// probe asks, less and less often, whether a lost peer's host listens again.
func (l *Link) probe(now time.Time, p *peer) {
	if now.Before(p.probeAt) || !p.probing.CompareAndSwap(false, true) {
		return
	}
	p.pause = min(max(2*p.pause, tickEvery), lastProbe)
	p.probeAt = now.Add(p.pause)
	l.tasks.Go(func() {
		defer p.probing.Store(false)
		ctx, cancel := context.WithTimeout(l.run, time.Second)
		defer cancel()
		if l.cfg.Carrier.Probe(ctx, p.Addr) == nil {
			p.down.Store(false)
		}
	})
}
