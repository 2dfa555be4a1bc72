package cluster

import (
	"context"
	"fmt"
	"net/url"

	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// Snapshots keeps the snapshots of rooms in the cluster's own store, for games
// whose state is small: etcd takes no value over 1.5 MB and is not made for many
// large ones. A snapshot stays when its room is put away or its node is lost.
type Snapshots struct{ node *Node }

// Snapshots returns them.
func (n *Node) Snapshots() Snapshots { return Snapshots{n} }

func (s Snapshots) key(k directory.Key) string {
	// The slash at the end keeps room 1 apart from room 10 in a list.
	return s.node.prefix("snapshots") + url.PathEscape(k.Kind) + "/" + url.PathEscape(k.ID) + "/"
}

// Load returns the last snapshot of a room, nil when there is none.
func (s Snapshots) Load(ctx context.Context, k directory.Key) ([]byte, error) {
	recs, _, err := s.node.cfg.Store.List(ctx, s.key(k))
	if err != nil {
		return nil, fmt.Errorf("load snapshot of %s: %w", k, err)
	}
	if len(recs) == 0 {
		return nil, nil
	}
	return recs[0].Value, nil
}

// Save writes the snapshot of the activation epoch, in one transaction with the
// check that it still owns the room; if not, nothing is written and the error is
// directory.ErrFenced.
func (s Snapshots) Save(ctx context.Context, k directory.Key, epoch uint64, snapshot []byte) error {
	guard := store.Guard{Key: s.node.prefix("rooms") + k.Path(), Epoch: epoch}
	ok, err := s.node.cfg.Store.PutIf(ctx, s.key(k), snapshot, guard)
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", k, err)
	}
	if !ok {
		return fmt.Errorf("save snapshot of %s: %w", k, directory.ErrFenced)
	}
	return nil
}
