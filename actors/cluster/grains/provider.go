package grains

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"

	ours "github.com/shaddock-game/shaddock/actors/cluster"
	"github.com/shaddock-game/shaddock/actors/cluster/directory"
)

// provider is the cluster.ClusterProvider of a placement.
type provider struct{ *Placement }

// StartMember implements cluster.ClusterProvider.
func (p provider) StartMember(c *cluster.Cluster) error { return p.start(c, c.GetClusterKinds()) }

// StartClient implements cluster.ClusterProvider.
func (p provider) StartClient(c *cluster.Cluster) error { return p.start(c, nil) }

// leaveTimeout bounds what cluster.Shutdown waits for.
const leaveTimeout = 30 * time.Second

// Shutdown implements cluster.ClusterProvider. Who can calls Leave instead.
func (p provider) Shutdown(graceful bool) error {
	if !graceful {
		return p.end(func(n *ours.Node) error { n.Close(); return nil })
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	return p.Leave(ctx)
}

// lookup is the cluster.IdentityLookup of a placement.
type lookup struct{ *Placement }

// lookTimeout is how long a lookup may take: as long as protoactor's requests.
const lookTimeout = 5 * time.Second

// Setup implements cluster.IdentityLookup. All is set up when the provider starts.
func (lookup) Setup(*cluster.Cluster, []string, bool) {}

// Shutdown implements cluster.IdentityLookup. The provider's does all.
func (lookup) Shutdown() {}

// Get implements cluster.IdentityLookup: where the grain runs, started if need be,
// or nil. Protoactor asks when it does not know, or when what it knew did not
// answer; so the grain's node is asked each time.
func (l lookup) Get(ci *cluster.ClusterIdentity) *actor.PID {
	n := l.node.Load()
	if n == nil || l.out.Load() || n.Directory() == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	key := keyOf(ci)
	place, err := n.Directory().Confirm(ctx, key)
	if err != nil {
		l.log.Warn("grain was not found", "grain", key.String(), "error", err)
		return nil
	}
	return pidOf(key, place)
}

// RemovePid implements cluster.IdentityLookup.
func (l lookup) RemovePid(ci *cluster.ClusterIdentity, pid *actor.PID) {
	n := l.node.Load()
	if n == nil || n.Directory() == nil {
		return
	}
	key := keyOf(ci)
	if place, ok := n.Directory().Known(key); ok && pidOf(key, place).Equal(pid) {
		n.Directory().Gone(key, place)
	}
}

func keyOf(ci *cluster.ClusterIdentity) directory.Key {
	return directory.Key{Kind: ci.Kind, ID: ci.Identity}
}
