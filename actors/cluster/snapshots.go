package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/snapshots"
)

// Snapshots keeps the snapshots of rooms in the cluster's own store, for games
// whose state is small: etcd takes no value over 1.5 MB and is not made for many
// large ones. A snapshot stays when its room is put away or its node is lost.
//
// A value is the epoch and the number of the save, eight bytes each with the
// highest first, so that values sort as saves follow each other, and the data.
type Snapshots struct{ node *Node }

var _ snapshots.Store = Snapshots{}

// Snapshots returns them.
func (n *Node) Snapshots() Snapshots { return Snapshots{n} }

const snapshotHead = 16

func snapshotHeader(epoch, seq uint64) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, snapshotHead), epoch)
	return binary.BigEndian.AppendUint64(b, seq)
}

func (s Snapshots) key(k snapshots.Key) string {
	// The slash at the end keeps room 1 apart from room 10 in a list.
	return s.node.prefix("snapshots") + k.Path() + "/"
}

func (s Snapshots) owner(k snapshots.Key) string { return s.node.prefix("rooms") + k.Path() }

var errNoEpoch = errors.New("the cluster numbers its rooms")

// Claim implements snapshots.Store. The room's key in the store is the claim; it is
// looked at behind the snapshot, so that nobody else can have owned the room and
// saved meanwhile.
func (s Snapshots) Claim(ctx context.Context, k snapshots.Key, epoch uint64) (snapshots.Snapshot, error) {
	got, err := s.claim(ctx, k, epoch)
	if err != nil {
		return snapshots.Snapshot{}, fmt.Errorf("claim snapshot of %s: %w", k, err)
	}
	return got, nil
}

func (s Snapshots) claim(ctx context.Context, k snapshots.Key, epoch uint64) (got snapshots.Snapshot, err error) {
	if epoch == 0 {
		return got, errNoEpoch
	}
	kept, _, err := s.node.cfg.Store.List(ctx, s.key(k))
	if err != nil {
		return got, err
	}
	rooms, _, err := s.node.cfg.Store.List(ctx, s.owner(k))
	if err != nil {
		return got, err
	}
	owned := false
	for _, r := range rooms { // room 1 is also the beginning of room 10
		owned = owned || r.Key == s.owner(k) && r.Epoch == epoch
	}
	if !owned {
		return got, snapshots.ErrFenced
	}
	got.Epoch = epoch
	if len(kept) == 0 {
		return got, nil
	}
	v := kept[0].Value
	if len(v) < snapshotHead {
		return got, fmt.Errorf("value of %d bytes is no snapshot", len(v))
	}
	got.By = binary.BigEndian.Uint64(v)
	if v = v[snapshotHead:]; len(v) > 0 {
		got.Data = v
	}
	return got, nil
}

// Save implements snapshots.Store: one transaction with the check that the
// activation still owns the room.
func (s Snapshots) Save(ctx context.Context, k snapshots.Key, epoch, seq uint64, data []byte) error {
	guard := store.Guard{Key: s.owner(k), Epoch: epoch, Below: snapshotHeader(epoch, seq+1)}
	ok, err := s.node.cfg.Store.PutIf(ctx, s.key(k), append(snapshotHeader(epoch, seq), data...), guard)
	if err == nil && !ok {
		err = snapshots.ErrFenced
	}
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", k, err)
	}
	return nil
}

// Close implements snapshots.Store. The store is the node's.
func (Snapshots) Close() error { return nil }
