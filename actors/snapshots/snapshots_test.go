package snapshots_test

import (
	"testing"

	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/actors/snapshots/snapshotstest"
)

func TestMemory(t *testing.T) {
	snapshotstest.Run(t, snapshotstest.Subject{
		Open:    func(*testing.T) snapshots.Store { return snapshots.NewMemory() },
		Gives:   true,
		Forgets: true,
	})
}

// Nop is the store that needs no rules: it takes all and has nothing.
func TestNop(t *testing.T) {
	var s snapshots.Store = snapshots.Nop{}
	k := snapshots.Key{Kind: "a", ID: "1"}
	if err := s.Save(t.Context(), k, 5, 1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	got, err := s.Claim(t.Context(), k, 4)
	if err != nil || got.Data != nil || got.By != 0 || got.Epoch != 4 {
		t.Fatalf("got %+v, %v", got, err)
	}
}
