package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster"
	"github.com/shaddock-game/shaddock/actors/cluster/apps"
	"github.com/shaddock-game/shaddock/actors/cluster/carrier"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd"
)

// Cluster says which cluster a server belongs to. The zero value is a server
// alone: it needs nothing else and pays for nothing.
type Cluster struct {
	Etcd      []string          // endpoints of the etcd that the nodes share; empty: a server alone
	EtcdLogin EtcdLogin         // how this node shows itself to it
	Name      string            // of the cluster, default "shaddock": several may share an etcd
	Node      string            // of this node, for people, default its address
	Roles     []string          // "gate" takes players, "rooms" runs rooms; default both
	Labels    map[string]string // of this node, for kinds of rooms that need some
	Weight    float64           // share of new rooms relative to other nodes, default 1
	Listen    string            // for peers, default "127.0.0.1:0"
	Advertise string            // where peers reach it, when that is another address
	Cert, Key string            // of this node (PEM), read again when they change
	CA        string            // that signed the certificates of all nodes
	Insecure  bool              // no certificates, though others can reach the listener
	TTL       time.Duration     // after which a host that vanished is given up, default 10 s
	Away      time.Duration     // over which players are sent away before a stop, default 2 s
	AwayURL   string            // where they are told to connect; empty: where they did
	// Needs are labels that nodes must have to run rooms of a kind, besides those of
	// rooms.Kind.Needs. All nodes must be told the same.
	Needs map[string]map[string]string
}

func (c *Cluster) on() bool { return len(c.Etcd) > 0 }

func (c *Cluster) gate() bool {
	return !c.on() || len(c.Roles) == 0 || slices.Contains(c.Roles, cluster.RoleGate)
}

// joinTimeout is how long a start may wait for etcd.
const joinTimeout = 20 * time.Second

// node is this server's part of the cluster.
type node struct {
	*cluster.Node
	store *etcd.Store
	apps  *apps.Apps
}

// openNode prepares the node, before the sessions start; it joins in joinCluster.
func (s *server) openNode() error {
	c := &s.cfg.Cluster
	if !c.on() {
		return nil
	}
	cfg := cluster.Config{
		Name: c.Name, Node: c.Node, Listen: cmp.Or(c.Listen, "127.0.0.1:0"), Advertise: c.Advertise,
		Insecure: c.Insecure, Roles: c.Roles, Labels: c.Labels, Needs: c.Needs, Weight: c.Weight, TTL: c.TTL,
		Load: s.load, Logger: s.cfg.Log, Sessions: s.actors.Prefix(),
	}
	var err error
	if c.Cert != "" {
		if cfg.TLS, err = carrier.Certificates(c.Cert, c.Key, c.CA, ""); err != nil {
			return fmt.Errorf("--cluster-cert, --cluster-key, --cluster-ca: %w", err)
		}
	}
	n, err := cluster.Open(cfg) // ahead of the store's client, see UseStore
	if err != nil {
		return fmt.Errorf("--cluster-listen: %w", err)
	}
	store, err := c.openEtcd(s.cfg.Log)
	if err != nil {
		n.Close()
		return err
	}
	n.UseStore(store)
	s.node = &node{n, store, apps.Join(s.actors, n, s.cfg.Log)}
	s.rooms.Spread(n)
	s.actors.Users().Spread(n)
	s.tally.spread(n)
	return nil
}

func (s *server) load() roster.Load {
	r := s.rooms.Stats()
	return roster.Load{Rooms: int(r.Rooms), Members: int(r.Members), Sessions: int(s.actors.Stats().Sessions), CPU: math.Round(s.cpu.cores()*10) / 10} // what changes is written to the store
}

func (s *server) joinCluster() error {
	if s.node == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	if err := s.node.Start(ctx); err != nil {
		return s.cfg.Cluster.etcdFailed(err)
	}
	self := s.node.Self()
	s.cfg.Log.Info("node joined", "node", self.ID, "addr", self.Addr, slog.Int("members", len(s.node.Members().Members())))
	return nil
}

// warnings are what an operator of a cluster should look at.
func (s *server) warnings() (all []string) {
	if s.node == nil || s.node.Members() == nil {
		return nil
	}
	if !s.node.Held() {
		all = append(all, "this node is not sure of its lease: its rooms pause until the store answers")
	}
	for _, u := range s.node.Directory().Unhosted() {
		all = append(all, u.String())
	}
	return all
}

// leave is a node's way out: its rooms go on elsewhere while its players are told
// to, and are sent away one after the other, so that they do not all come back at
// the same moment somewhere else.
func (s *server) leave(ctx context.Context) error {
	if s.node == nil || s.node.Members() == nil {
		return nil
	}
	rooms := make(chan error, 1)
	go func() { rooms <- s.node.Drain(ctx) }()
	s.actors.SendAway(ctx, s.cfg.Cluster.Away, s.cfg.Cluster.AwayURL)
	return <-rooms
}

func (n *node) close(ctx context.Context) error {
	err := n.Leave(ctx)
	n.apps.Close()
	return errors.Join(err, n.store.Close())
}
