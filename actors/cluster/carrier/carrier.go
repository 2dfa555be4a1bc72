// Package carrier is link.Carrier on the remote of the actor runtime.
//
// The remote runs on an actor system of its own, in which nothing else lives: a
// peer can send to, watch and stop anything that it can name in the system it
// reaches, so what it reaches must be one mailbox and no more. The sessions and
// rooms of this process are on another system, which no peer can address, and
// which is not touched when the remote starts or fails.
package carrier

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// Config says where this process listens for its peers. Boot and Listen are
// required.
type Config struct {
	Boot   string // this process's boot id
	Listen string // host:port; port 0 picks a free one
	// Advertise is where peers reach this process, host:port. It is needed when
	// Listen is no address that they could use.
	Advertise string
	// TLS authenticates both sides, see Certificates. Whoever reaches the listener
	// speaks for the cluster, so without it only loopback addresses are taken,
	// unless Insecure is set.
	TLS      *tls.Config
	Insecure bool
	Logger   *slog.Logger
}

// Receiver takes in what a carrier brings; *link.Link is one. Its methods are
// called on the carrier's goroutines and must not block.
type Receiver interface {
	Receive(from link.Peer, e *wire.Envelope)
	Broken(addr string)
}

// Carrier is this process's listener and its connections to peers. Its methods
// are usable from any goroutine.
type Carrier struct {
	cfg    Config
	log    *slog.Logger
	self   link.Peer
	system *actor.ActorSystem
	remote *remote.Remote
	pid    *actor.PID // sender of all we send
	in     Receiver
	events *eventstream.Subscription
	pids   sync.Map // link.Peer → *actor.PID of its inbox: written once, read for each message
}

// The sizes of the remote's own batches and queues. A batch must stay far below
// maxMessage, since one that is larger ends the stream with all that is queued;
// the queue only starts at its size and grows, bounded by the link's window.
const (
	batchMessages = 256
	queueMessages = 2048
	maxMessage    = 64 << 20
)

// What a stream and a connection may have on the way before it is read. With sizes
// of our own gRPC does not measure the line, for which it sends a ping with nearly
// every message of a line that is not busy.
const (
	streamWindow = 8 << 20
	connWindow   = 16 << 20
)

// Keepalive notices a peer whose host vanished; a crashed process is noticed by
// its connection. Ten seconds is the least that gRPC clients take.
const (
	keepaliveEvery = 10 * time.Second
	keepaliveWait  = 2 * time.Second
)

// Listen starts the listener. Receive is not called before Start.
func Listen(cfg Config) (c *Carrier, err error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	host, port, err := cfg.check()
	if err != nil {
		return nil, err
	}
	// The remote panics when it cannot listen.
	defer func() {
		if r := recover(); r != nil {
			c, err = nil, fmt.Errorf("cluster listener %s: %v", cfg.Listen, r)
		}
	}()
	c = &Carrier{cfg: cfg, log: cfg.Logger}
	c.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(quiet{cfg.Logger.Handler()})
	}))
	rc := remote.Configure(host, port, c.options()...)
	rc.AdvertisedHost = cfg.Advertise
	// Any more attempts would sleep two seconds each inside of the endpoint's
	// actor, holding all that is sent meanwhile. The link looks for lost peers.
	rc.MaxRetryCount = 1
	c.remote = remote.NewRemote(c.system, rc)
	c.remote.Start()
	c.self = link.Peer{ID: cfg.Boot, Addr: c.system.Address()}
	c.pid = actor.NewPID(c.self.Addr, inboxName(c.self.ID))
	return c, nil
}

// On is a carrier on a system whose remote somebody else has started and will stop,
// with the security that they gave it. Whoever reaches that remote reaches all of
// the system, so this is for programs that live with that already.
func On(system *actor.ActorSystem, log *slog.Logger) *Carrier {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Carrier{log: log, system: system, self: link.Peer{ID: system.ID, Addr: system.Address()}}
	c.pid = actor.NewPID(c.self.Addr, inboxName(c.self.ID))
	return c
}

// Self returns this process as its peers address it.
func (c *Carrier) Self() link.Peer { return c.self }

// Start begins to hand what arrives to in.
func (c *Carrier) Start(in Receiver) error {
	c.in = in
	// From the next line on messages arrive, and are answered from other goroutines.
	if _, fresh := c.system.ProcessRegistry.Add(inbox{c}, inboxName(c.self.ID)); !fresh {
		return errors.New("cluster listener: started twice")
	}
	c.events = c.system.EventStream.Subscribe(func(e any) {
		if end, ok := e.(*remote.EndpointTerminatedEvent); ok {
			c.in.Broken(end.Address)
		}
	})
	return nil
}

// Close stops listening and ends the connections. Nothing may be sent afterwards.
func (c *Carrier) Close() {
	if c.events != nil {
		c.system.EventStream.Unsubscribe(c.events)
		c.system.ProcessRegistry.Remove(c.pid)
	}
	if c.remote == nil {
		return
	}
	// Not gracefully: that sets the table of connections to nil under its users.
	c.remote.Shutdown(false)
	// The remote has no other way to end its outgoing connections.
	seen := make(map[string]bool)
	c.pids.Range(func(k, _ any) bool {
		if addr := k.(link.Peer).Addr; !seen[addr] {
			seen[addr] = true
			c.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: addr})
		}
		return true
	})
}

// Send implements link.Carrier.
func (c *Carrier) Send(to link.Peer, e *wire.Envelope) {
	v, ok := c.pids.Load(to)
	if !ok {
		v, _ = c.pids.LoadOrStore(to, actor.NewPID(to.Addr, inboxName(to.ID)))
	}
	c.system.Root.RequestWithCustomSender(v.(*actor.PID), e, c.pid)
}

// Probe implements link.Carrier.
func (c *Carrier) Probe(ctx context.Context, addr string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Forget implements link.Carrier.
func (c *Carrier) Forget(p link.Peer) { c.pids.Delete(p) }

func (c *Config) check() (host string, port int, err error) {
	host, p, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return "", 0, fmt.Errorf("cluster listener: %w", err)
	}
	if port, err = strconv.Atoi(p); err != nil {
		return "", 0, fmt.Errorf("cluster listener: port %q: %w", p, err)
	}
	addr, err := netip.ParseAddr(host)
	loopback := host == "localhost" || err == nil && addr.IsLoopback()
	if !loopback && c.TLS == nil && !c.Insecure {
		return "", 0, fmt.Errorf("cluster listener %s: whoever reaches it is obeyed: give certificates, listen on loopback, or ask for an insecure cluster", c.Listen)
	}
	if host == "" || err == nil && addr.IsUnspecified() {
		if c.Advertise == "" {
			return "", 0, fmt.Errorf("cluster listener %s: say by which address peers reach it", c.Listen)
		}
	}
	return host, port, nil
}

func (c *Carrier) options() []remote.ConfigOption {
	dial, serve := insecure.NewCredentials(), insecure.NewCredentials()
	if c.cfg.TLS != nil {
		dial, serve = credentials.NewTLS(c.cfg.TLS), credentials.NewTLS(c.cfg.TLS)
	}
	return []remote.ConfigOption{
		remote.WithEndpointWriterBatchSize(batchMessages),
		remote.WithEndpointWriterQueueSize(queueMessages),
		remote.WithDialOptions(
			grpc.WithTransportCredentials(direct{dial}),
			grpc.WithInitialWindowSize(streamWindow),
			grpc.WithInitialConnWindowSize(connWindow),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveEvery, Timeout: keepaliveWait, PermitWithoutStream: true}),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 2 * time.Second}),
		),
		remote.WithServerOptions(
			grpc.Creds(direct{serve}),
			grpc.InitialWindowSize(streamWindow),
			grpc.InitialConnWindowSize(connWindow),
			grpc.MaxRecvMsgSize(maxMessage),
			grpc.StreamInterceptor(c.recover),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		),
	}
}

// recover keeps a stream that this process cannot read from ending the process:
// the remote dereferences nil when it meets a message type that is not linked in.
func (c *Carrier) recover(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer func() {
		if r := recover(); r != nil {
			c.log.Error("peer sent what this node cannot read; its connection was closed", "panic", r, "stack", string(debug.Stack()))
			err = errors.New("unreadable message")
		}
	}()
	return handle(srv, stream)
}

// inbox is the one process that peers can reach.
type inbox struct{ c *Carrier }

// inboxName carries the boot id, so that what was meant for an earlier process at
// this address finds nobody.
func inboxName(boot string) string { return "link/" + boot }

// SendUserMessage implements actor.Process, on the goroutine that reads the
// stream.
func (b inbox) SendUserMessage(_ *actor.PID, message any) {
	_, m, sender := actor.UnwrapEnvelope(message)
	e, ok := m.(*wire.Envelope)
	if !ok || sender == nil {
		return // not of a link; nothing of ours sends it
	}
	boot, ok := strings.CutPrefix(sender.Id, "link/")
	if !ok {
		return
	}
	b.c.in.Receive(link.Peer{ID: boot, Addr: sender.Address}, e)
}

// SendSystemMessage implements actor.Process: peers may not watch or stop it.
func (b inbox) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (b inbox) Stop(*actor.PID) {}
