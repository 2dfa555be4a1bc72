// Package snapshots holds what rooms are to come back with, outside of the room
// and, but for Memory, outside of its process.
//
// A snapshot belongs to the activation of its room that claimed it last. Claims
// are ordered by epochs, which only grow: once a later activation has claimed a
// room, whatever an earlier one still has under way is refused, so that it can
// neither undo nor hide what its successor has saved.
//
//	claim 7 ──► save 7.1, save 7.2, …        claim 9 ──► save 9.1, …
//	                      save 7.3 ────────────────► ErrFenced
//
// Saves of one activation are numbered, so that one whose caller has given it up
// cannot undo a later one when it arrives after all.
//
// Package snapshotstest holds the rules that all stores must pass.
package snapshots

import (
	"context"
	"errors"
	"net/url"
)

// Key names a room: its kind and its id within the kind.
type Key struct{ Kind, ID string }

func (k Key) String() string { return k.Kind + "/" + k.ID }

// Path is the key as one printable word, the same for no two keys. An id may hold
// anything.
func (k Key) Path() string { return url.PathEscape(k.Kind) + "/" + url.PathEscape(k.ID) }

// Snapshot is what a store holds of one room.
type Snapshot struct {
	Data  []byte // nil when there is none; the receiver's own
	By    uint64 // epoch of the activation that saved it last, 0: none has
	Epoch uint64 // of the claim that returned it
}

// ErrFenced says that a later activation has claimed the room: whatever this one
// would save, the other may have gone on from.
var ErrFenced = errors.New("snapshot of a room that a later activation has claimed")

// Store keeps the snapshots of rooms. Its methods are usable from any goroutine
// and end with their context. After an error that is not ErrFenced the outcome is
// unknown; to ask again does no harm.
type Store interface {
	// Claim makes epoch the activation that may save, and returns what the last one
	// left. An epoch below that of another claim is ErrFenced; to claim again
	// with the same is not. Epoch 0 asks the store for the next epoch of this
	// room, for nodes that have nobody else who numbers activations; a store that
	// follows the epochs of a cluster refuses that.
	Claim(ctx context.Context, k Key, epoch uint64) (Snapshot, error)
	// Save replaces the snapshot. Empty data says that there is none any more.
	// Data is not kept. The caller numbers its saves by seq, from 1; the same may
	// be tried again. A save of an epoch below that of the last claim, or with a
	// number below that of a save of the same epoch, changes nothing and is
	// ErrFenced.
	Save(ctx context.Context, k Key, epoch, seq uint64, data []byte) error
	// Close ends the use of the store by this process. Nothing may be asked
	// afterwards.
	Close() error
}

// Nop keeps nothing: rooms begin anew each time.
type Nop struct{}

// Claim implements Store.
func (Nop) Claim(_ context.Context, _ Key, epoch uint64) (Snapshot, error) {
	return Snapshot{Epoch: max(epoch, 1)}, nil
}

// Save implements Store.
func (Nop) Save(context.Context, Key, uint64, uint64, []byte) error { return nil }

// Close implements Store.
func (Nop) Close() error { return nil }
