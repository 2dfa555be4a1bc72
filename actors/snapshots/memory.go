package snapshots

import (
	"context"
	"fmt"
	"slices"
)

// Memory keeps snapshots within this process: rooms of a node alone come back from
// it after they were put away, but not after a restart. It forgets nothing, a room
// whose game is over but for its epoch.
type Memory struct {
	// rooms travels: whoever has taken it out of the channel owns it until it is
	// put back.
	rooms chan map[Key]memorized
}

// memorized is one room; epoch is that of the last claim.
type memorized struct {
	data           []byte
	epoch, by, seq uint64
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	m := &Memory{rooms: make(chan map[Key]memorized, 1)}
	m.rooms <- make(map[Key]memorized)
	return m
}

// Claim implements Store.
func (m *Memory) Claim(ctx context.Context, k Key, epoch uint64) (s Snapshot, err error) {
	err = m.with(ctx, k, func(r *memorized) error {
		if epoch == 0 {
			epoch = r.epoch + 1
		}
		if epoch < r.epoch {
			return fmt.Errorf("claim %s: %w", k, ErrFenced)
		}
		if epoch > r.epoch {
			r.epoch, r.seq = epoch, 0
		}
		s = Snapshot{Data: slices.Clone(r.data), By: r.by, Epoch: epoch}
		return nil
	})
	return s, err
}

// Save implements Store.
func (m *Memory) Save(ctx context.Context, k Key, epoch, seq uint64, data []byte) error {
	return m.with(ctx, k, func(r *memorized) error {
		if epoch < r.epoch || epoch == r.epoch && seq < r.seq {
			return fmt.Errorf("save %s: %w", k, ErrFenced)
		}
		*r = memorized{data: slices.Clone(data), epoch: epoch, by: epoch, seq: seq}
		return nil
	})
}

// Close implements Store.
func (m *Memory) Close() error { return nil }

// with runs f on a copy of what is known of a room, which it may change.
func (m *Memory) with(ctx context.Context, k Key, f func(r *memorized) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	rooms := <-m.rooms
	defer func() { m.rooms <- rooms }()
	r := rooms[k]
	err := f(&r)
	if err == nil {
		rooms[k] = r
	}
	return err
}
