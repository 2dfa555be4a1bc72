package snapshotstest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/snapshots"
)

// ErrBroken is what a store says that a test has broken.
var ErrBroken = errors.New("store broken on purpose")

// Fault is what a Faulty does instead of answering at once. The zero value is none.
type Fault struct {
	Room string        // only for rooms with this id; empty: for all
	Slow time.Duration // it answers this much later
	Hang bool          // it does not answer, until who asked gives up
	Err  error         // it refuses
	Deaf bool          // it does what is asked, and says that it has not
}

// Faulty is a store that is as slow and as broken as a test wants.
type Faulty struct {
	snapshots.Store
	fault atomic.Pointer[Fault]
	saves atomic.Int64
}

// NewFaulty returns a store that has no fault yet.
func NewFaulty(s snapshots.Store) *Faulty {
	f := &Faulty{Store: s}
	f.Set(Fault{})
	return f
}

// Set has the store behave so from now on.
func (f *Faulty) Set(fault Fault) { f.fault.Store(&fault) }

// Saves returns how many saves have been asked for.
func (f *Faulty) Saves() int { return int(f.saves.Load()) }

func (f *Faulty) do(ctx context.Context, k snapshots.Key, what func() error) error {
	fault := *f.fault.Load()
	if fault.Room != "" && fault.Room != k.ID {
		fault = Fault{}
	}
	if fault.Hang {
		<-ctx.Done()
	}
	if fault.Slow > 0 {
		t := time.NewTimer(fault.Slow)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if fault.Err != nil {
		return fault.Err
	}
	if err := what(); err != nil || !fault.Deaf {
		return err
	}
	return ErrBroken
}

// Claim implements snapshots.Store.
func (f *Faulty) Claim(ctx context.Context, k snapshots.Key, epoch uint64) (s snapshots.Snapshot, err error) {
	err = f.do(ctx, k, func() (err error) {
		s, err = f.Store.Claim(ctx, k, epoch)
		return err
	})
	return s, err
}

// Save implements snapshots.Store.
func (f *Faulty) Save(ctx context.Context, k snapshots.Key, epoch, seq uint64, data []byte) error {
	f.saves.Add(1)
	return f.do(ctx, k, func() error { return f.Store.Save(ctx, k, epoch, seq, data) })
}
