package grains

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"

	ours "github.com/shaddock-game/shaddock/actors/cluster"
	"github.com/shaddock-game/shaddock/actors/cluster/carrier"
	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// Config says which cluster a program belongs to. The zero value is a node alone.
type Config struct {
	// Open opens the store that the nodes share, when protoactor's remote has
	// started: it replaces the logger of gRPC, which clients that are up read. Nil:
	// a node alone, whose directory is in memory.
	Open   func() (store.Store, error)
	Name   string            // of the cluster, default "shaddock"
	Labels map[string]string // of this node, for rules
	Weight float64           // share of new grains relative to other nodes, 1 when 0
	TTL    time.Duration     // of this node's lease, 10 s when 0
	// Rules say per kind where new grains go, the same on all nodes.
	Rules map[string]directory.Rule
	// Fenced is called, once and from a goroutine of its own, when this process has
	// lost its place and must be started anew.
	Fenced func(error)
	Logger *slog.Logger // nil is silent
}

// Placement is the provider and the lookup of one cluster.Cluster. Its methods are
// usable from any goroutine once that has started.
type Placement struct {
	// Set by New, read-only afterwards.
	cfg Config
	log *slog.Logger

	// Set by start, read-only afterwards.
	cluster *cluster.Cluster
	store   store.Store
	carrier *carrier.Carrier
	host    *host

	node atomic.Pointer[ours.Node] // nil before start and after the end
	out  atomic.Bool               // fenced: this process is not a member any more
	once sync.Once                 // of the end

	// Owned by standing.
	lease store.Lease // the first, and the only one
}

// New makes a placement for one cluster.
func New(cfg Config) *Placement {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Placement{cfg: cfg, log: cfg.Logger}
}

// Configure is cluster.Configure with this placement, a parked gossip, and a remote
// that gives up on a lost peer after one attempt: any more would sleep two seconds
// each while all that is sent waits.
func (p *Placement) Configure(name string, r *remote.Config, options ...cluster.ConfigOption) *cluster.Config {
	r.MaxRetryCount = 1
	cfg := cluster.Configure(name, p.Provider(), p.Lookup(), r, options...)
	cfg.GossipInterval, cfg.HeartbeatExpiration = 24*time.Hour, 100*24*time.Hour
	return cfg
}

// Provider returns the part that knows the members.
func (p *Placement) Provider() cluster.ClusterProvider { return provider{p} }

// Lookup returns the part that knows where grains run.
func (p *Placement) Lookup() cluster.IdentityLookup { return lookup{p} }

// joinTimeout is how long a start may wait for the store.
const joinTimeout = 20 * time.Second

// client is the role of a process that asks grains and runs none.
const client = "client"

// start joins the cluster.
func (p *Placement) start(c *cluster.Cluster, kinds []string) (err error) {
	if p.cluster != nil {
		return errors.New("grains: a placement starts once, with one cluster")
	}
	p.cluster = c
	if p.cfg.Open == nil {
		p.store = store.NewMemory()
	} else if p.store, err = p.cfg.Open(); err != nil {
		return fmt.Errorf("grains: %w", err)
	}
	role := roster.Rooms
	if len(kinds) == 0 {
		role = client
	}
	p.carrier = carrier.On(c.ActorSystem, p.log)
	n, err := ours.Open(ours.Config{
		Store: p.store, Name: p.cfg.Name, Roles: []string{role}, Labels: p.cfg.Labels, Weight: p.cfg.Weight,
		TTL: p.cfg.TTL, Logger: p.log,
		Connect: func(string) (*link.Link, func(context.Context, string) error) {
			return link.New(link.Config{Self: p.carrier.Self(), Carrier: p.carrier, Logger: p.log}), nil
		},
	})
	if err != nil {
		return fmt.Errorf("grains: %w", err)
	}
	p.host = newHost(p, n)
	n.Serve(p.host, kinds)
	for kind, rule := range p.cfg.Rules {
		n.Rule(kind, rule)
	}
	n.Watch(p.standing)
	p.node.Store(n)
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	// What arrives for a node that is about to start is asked again.
	if err = n.Start(ctx); err == nil {
		err = p.carrier.Start(n.Receiver())
	}
	if err != nil {
		p.node.Store(nil)
		n.Close()
		return errors.Join(fmt.Errorf("grains: %w", err), p.store.Close())
	}
	return nil
}

// held says whether what runs here may answer.
func (p *Placement) held() bool {
	n := p.node.Load()
	return n != nil && !p.out.Load() && n.Held()
}

// standing tells protoactor who the members are, and notices the end of our lease.
func (p *Placement) standing(s roster.Standing) {
	if p.out.Load() {
		return
	}
	if s.Held {
		if p.lease == 0 {
			p.lease = s.Lease
		}
		if s.Lease != p.lease {
			p.fence()
			return
		}
	}
	var members cluster.Members
	for _, m := range s.View.Members() {
		if member, ok := memberOf(m); ok {
			members = append(members, member)
		}
	}
	if len(members) > 0 || s.Held { // who knows nobody has nothing to say
		p.cluster.MemberList.UpdateClusterTopology(members)
	}
}

func memberOf(m roster.Member) (*cluster.Member, bool) {
	host, port, err := net.SplitHostPort(m.Addr)
	if err != nil || m.Has(client) {
		return nil, false
	}
	n, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		return nil, false
	}
	return &cluster.Member{Host: host, Port: int32(n), Id: m.ID, Kinds: m.Kinds}, true
}

// errFenced is what Config.Fenced is told.
var errFenced = errors.New("grains: this node's lease has ended and others have taken its place: start the process anew")

// fence ends this node for good, from a goroutine that may wait.
func (p *Placement) fence() {
	p.out.Store(true)
	p.log.Error("node is out of the cluster", "error", errFenced)
	go func() {
		p.host.stopAll()
		if err := p.end(func(n *ours.Node) error { n.Close(); return nil }); err != nil {
			p.log.Warn("store of the cluster was not closed", "error", err)
		}
		if p.cfg.Fenced != nil {
			p.cfg.Fenced(errFenced)
		}
	}()
}

// Drain stops this node's grains, which go on elsewhere when they are asked, and
// takes no new ones. The node stays a member.
func (p *Placement) Drain(ctx context.Context) error {
	n := p.node.Load()
	if n == nil {
		return nil
	}
	return n.Drain(ctx)
}

// Leave is Drain, and then the end of the membership. The actor system and its
// remote are the caller's, who stops the remote with Shutdown(false): gracefully it
// would race with whoever sends.
func (p *Placement) Leave(ctx context.Context) error {
	err := p.Drain(ctx)
	return errors.Join(err, p.end(func(n *ours.Node) error { return n.Leave(ctx) }))
}

// end ends the node by f, once.
func (p *Placement) end(f func(n *ours.Node) error) (err error) {
	p.once.Do(func() {
		n := p.node.Swap(nil)
		if n == nil {
			return
		}
		err = errors.Join(f(n), p.store.Close())
		p.carrier.Close()
		p.host.close()
	})
	return err
}
