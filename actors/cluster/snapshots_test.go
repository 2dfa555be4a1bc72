package cluster

import (
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/actors/snapshots/snapshotstest"
)

func TestSnapshots(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		s := store.NewMemory()
		defer func() { _ = s.Close() }()
		keepTheRules(t, s)
	})
	t.Run("etcd", func(t *testing.T) {
		s, err := etcd.Open(etcd.Config{Endpoints: []string{etcdtest.Start(t).URL}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		keepTheRules(t, s)
	})
}

// keepTheRules has rooms move by deleting their keys and claiming them anew, as the
// directory does.
func keepTheRules(t *testing.T, s store.Store) {
	snap := (&Node{cfg: Config{Store: s, Name: "test"}}).Snapshots()
	owners := make(map[snapshots.Key]uint64)
	snapshotstest.Run(t, snapshotstest.Subject{
		Open: func(*testing.T) snapshots.Store { return snap },
		Next: func(t *testing.T, k snapshots.Key) uint64 {
			if _, err := s.Delete(t.Context(), snap.owner(k), owners[k]); err != nil {
				t.Fatal(err)
			}
			rec, created, err := s.Create(t.Context(), snap.owner(k), []byte("owner"), 0)
			if err != nil || !created {
				t.Fatalf("room %s: %v, %v", k, created, err)
			}
			owners[k] = rec.Epoch
			return rec.Epoch
		},
	})
}
