package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/carrier"
	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// The roles of a node. A node with both is the default.
const (
	RoleGate  = roster.Gate  // takes players
	RoleRooms = roster.Rooms // runs rooms
)

// Config says which cluster a node belongs to and what it is there for. Store and
// Listen are required.
type Config struct {
	Store store.Store // the caller's to close, after Close
	Name  string      // of the cluster: nodes of one name and store are one; "shaddock" when empty

	Node      string // the operator's name for this node; its address when empty
	Listen    string // host:port for peers; port 0 picks a free one
	Advertise string // host:port where peers reach it, when that is another
	TLS       *tls.Config
	Insecure  bool // listen without TLS on an address that others reach

	Roles  []string          // both when empty
	Labels map[string]string // for placement
	Weight float64           // share of new rooms relative to other nodes, 1 when 0
	// Sessions begins the ids of this node's sessions, see actors.App.Prefix.
	Sessions uint64
	TTL      time.Duration // of the node's lease, 10 s when 0
	// Needs are labels that the operator demands of nodes, by kind of room, besides
	// those that the kind demands by itself. All nodes must be told the same.
	Needs map[string]map[string]string

	// Load is asked for this node's figures every two seconds; it must not block.
	Load   func() roster.Load
	Logger *slog.Logger

	// Connect makes the link instead of the network's, for tests in one process.
	Connect func(boot string) (*link.Link, func(ctx context.Context, addr string) error)
}

// Node is this process's part of a cluster. Register with Serve, Direct and Watch,
// then Start; from then on its methods are usable from any goroutine.
type Node struct {
	// Set before Start, read-only afterwards.
	cfg     Config
	log     *slog.Logger
	carrier *carrier.Carrier // nil when Config.Connect made the link
	link    *link.Link
	dial    func(ctx context.Context, addr string) error
	hosts   hosts
	rules   map[string]directory.Rule
	watch   []func(roster.Standing)
	broken  chan string // addresses of peers whose connection broke

	run   context.Context // ends with the node
	stop  context.CancelFunc
	tasks sync.WaitGroup

	// Set by Start.
	roster    atomic.Pointer[roster.Roster] // behind directory; nil again when closed
	directory atomic.Pointer[directory.Directory]
}

// Open begins to listen. Nobody knows of the node before Start.
func Open(cfg Config) (*Node, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Roles) == 0 {
		cfg.Roles = []string{RoleGate, RoleRooms}
	}
	cfg.Name = cmp.Or(cfg.Name, "shaddock")
	n := &Node{cfg: cfg, log: cfg.Logger, rules: make(map[string]directory.Rule), broken: make(chan string, 256)}
	n.run, n.stop = context.WithCancel(context.Background())
	boot := newBoot()
	if cfg.Connect != nil {
		n.link, n.dial = cfg.Connect(boot)
		return n, nil
	}
	c, err := carrier.Listen(carrier.Config{
		Boot: boot, Listen: cfg.Listen, Advertise: cfg.Advertise,
		TLS: cfg.TLS, Insecure: cfg.Insecure, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	n.carrier = c
	n.link = link.New(link.Config{Self: c.Self(), Carrier: c, Logger: cfg.Logger})
	return n, nil
}

// UseStore sets Config.Store before Start. A store whose client uses gRPC is to be
// opened behind the node: the runtime's remote replaces the logger of gRPC when it
// begins to listen, while clients that are up read it.
func (n *Node) UseStore(s store.Store) { n.cfg.Store = s }

// newBoot names one start of a process.
func newBoot() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Serve says who runs the rooms of some kinds that come to this node. It may be
// called for several; of kinds that nobody serves the node runs none.
func (n *Node) Serve(h directory.Host, kinds []string) { n.hosts.add(h, kinds) }

// Rule says where new rooms of a kind go. Every node of the cluster must have the
// same rules, also those that run no rooms. Kinds with a rule, the zero Rule too,
// are looked after: it is logged when no node may run one.
func (n *Node) Rule(kind string, r directory.Rule) {
	if more := n.cfg.Needs[kind]; len(more) > 0 {
		labels := maps.Clone(more)
		maps.Copy(labels, r.Labels)
		r.Labels = labels
	}
	n.rules[kind] = r
}

// Direct registers what takes the messages of one op, see link.Direct.
func (n *Node) Direct(op uint32, f func(from link.Peer, e *wire.Envelope)) { n.link.Direct(op, f) }

// ServeCall registers what carries out the calls of one op, see link.Serve.
func (n *Node) ServeCall(op uint32, f func(*link.Call)) { n.link.Serve(op, f) }

// Watch registers who is told of every change of the members and of this node's
// own standing, from one goroutine.
func (n *Node) Watch(f func(roster.Standing)) { n.watch = append(n.watch, f) }

// Start joins the cluster and returns when this node is a member. When it fails
// nothing is left running but the listener, which Close ends.
func (n *Node) Start(ctx context.Context) error {
	self := n.link.Self()
	member := roster.Member{
		ID: self.ID, Name: cmp.Or(n.cfg.Node, self.Addr), Addr: self.Addr,
		Roles: n.cfg.Roles, Labels: n.cfg.Labels, Weight: n.cfg.Weight, Sessions: n.cfg.Sessions,
	}
	if member.Has(RoleRooms) {
		member.Kinds = n.hosts.kinds()
	}
	ready := make(chan struct{})
	r, err := roster.Join(ctx, roster.Config{
		Store: n.cfg.Store, Prefix: n.prefix("members"), Self: member, TTL: n.cfg.TTL,
		Load: n.cfg.Load, Dial: n.dial, Logger: n.log,
		Changed: func(s roster.Standing) {
			<-ready
			n.changed(s)
		},
	})
	if err != nil {
		close(ready)
		return err
	}
	d := directory.New(directory.Config{
		Store: n.cfg.Store, Prefix: n.prefix("rooms"), Link: n.link, Roster: r,
		Host: n.hosts.host(), Rules: n.rules, Logger: n.log,
	})
	n.directory.Store(d)
	n.roster.Store(r)
	n.changed(r.Standing())
	n.link.Start()
	d.Start()
	close(ready)
	n.tasks.Go(n.lookAfterKinds)
	n.tasks.Go(n.lookAfterPeers)
	if n.carrier != nil {
		return n.carrier.Start(receiver{n})
	}
	return nil
}

func (n *Node) prefix(what string) string { return "/" + n.cfg.Name + "/" + what + "/" }

// changed tells all parts what the roster knows.
func (n *Node) changed(s roster.Standing) {
	d := n.directory.Load()
	if d == nil {
		return // the join failed
	}
	n.link.Members(s.View)
	d.Standing(s)
	for _, f := range n.watch {
		f(s)
	}
}

// Self names this node as its peers address it.
func (n *Node) Self() link.Peer { return n.link.Self() }

// Send sends one message to a peer, or refuses, see link.Send.
func (n *Node) Send(to link.Peer, e *wire.Envelope) error { return n.link.Send(to, e) }

// Ask makes one call of a peer, see link.Call.
func (n *Node) Ask(ctx context.Context, to link.Peer, e *wire.Envelope) (*wire.Envelope, error) {
	return n.link.Call(ctx, to, e)
}

// Held says whether what this node owns is its own now, see roster.Held.
func (n *Node) Held() bool {
	r := n.roster.Load()
	return r != nil && r.Held()
}

// Members returns who is in the cluster, nil before Start.
func (n *Node) Members() *roster.View {
	if r := n.roster.Load(); r != nil {
		return r.View()
	}
	return nil
}

// Directory says where rooms run; nil before Start.
func (n *Node) Directory() *directory.Directory { return n.directory.Load() }

// Moves asks all nodes what they have seen of rooms that moved: each move once, the
// latest first. It waits for no node longer than ctx, and is for people.
func (n *Node) Moves(ctx context.Context) []directory.Move {
	var asked sync.WaitGroup
	members := n.Members().Members()
	seen := make([][]directory.Move, len(members))
	for i, m := range members {
		if m.ID == n.Self().ID {
			seen[i] = n.directory.Load().Moves()
			continue
		}
		asked.Go(func() {
			a, err := n.Ask(ctx, link.Peer{ID: m.ID, Addr: m.Addr}, &wire.Envelope{Op: wire.OpMoves})
			if err != nil || json.Unmarshal(a.Body, &seen[i]) != nil {
				seen[i] = nil // away, or of an earlier version: the others have seen most of it
			}
		})
	}
	asked.Wait()
	return directory.MergeMoves(seen...)
}

// Drain gives up this node's rooms, which go on elsewhere, and takes no new ones.
// The node stays a member.
func (n *Node) Drain(ctx context.Context) error {
	r := n.roster.Load()
	if r == nil {
		return nil
	}
	// Even when the store does not hear of it, the rooms are better saved here.
	return errors.Join(r.Drain(ctx), n.directory.Load().Drain(ctx))
}

// Leave tells the others that this node is gone, and does what Close does.
func (n *Node) Leave(ctx context.Context) error {
	var err error
	if r := n.roster.Load(); r != nil {
		if err = r.Leave(ctx); err != nil {
			err = fmt.Errorf("the others wait for the lease to run out: %w", err)
		}
	}
	n.Close()
	return err
}

// Close ends the node's work at once; its lease runs out by itself. Twice does
// nothing.
func (n *Node) Close() {
	n.stop()
	n.tasks.Wait()
	if r := n.roster.Swap(nil); r != nil {
		r.Close()
		n.link.Close()
		n.directory.Load().Close()
	}
	if n.carrier != nil {
		n.carrier.Close()
		n.carrier = nil
	}
}

// Stats are the counters of a node's parts.
type Stats struct {
	Link      link.Stats
	Roster    roster.Stats
	Directory directory.Stats
}

// Stats returns the counters; zero before Start.
func (n *Node) Stats() (s Stats) {
	r := n.roster.Load()
	if r == nil {
		return s
	}
	return Stats{Link: n.link.Stats(), Roster: r.Stats(), Directory: n.directory.Load().Stats()}
}
