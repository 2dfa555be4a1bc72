package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// ErrBroken is what a broken Faulty answers.
var ErrBroken = errors.New("storetest: broken")

// Faulty is a store that can be taken away from one process that uses it. Its
// zero faults let everything through. Its methods are usable from any goroutine.
type Faulty struct {
	store.Store
	mode atomic.Pointer[fault]
}

type fault struct {
	freeze, deaf bool
	err          error
}

// NewFaulty wraps a store.
func NewFaulty(s store.Store) *Faulty {
	f := &Faulty{Store: s}
	f.mode.Store(&fault{})
	return f
}

// Break makes every call fail at once, and ends watches.
func (f *Faulty) Break() { f.mode.Store(&fault{err: ErrBroken}) }

// Freeze makes every call hang until its context ends; watches stay silent.
func (f *Faulty) Freeze() { f.mode.Store(&fault{freeze: true}) }

// Deafen carries every call out, but lets its answer be lost.
func (f *Faulty) Deafen() { f.mode.Store(&fault{deaf: true}) }

// Heal ends every fault.
func (f *Faulty) Heal() { f.mode.Store(&fault{}) }

// before says what becomes of a call that is about to be made.
func (f *Faulty) before(ctx context.Context) error {
	m := f.mode.Load()
	if m.freeze {
		<-ctx.Done()
		return ctx.Err()
	}
	return m.err
}

// after says what becomes of the answer of a call.
func (f *Faulty) after(ctx context.Context, err error) error {
	if f.mode.Load().deaf {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// Grant implements store.Store.
func (f *Faulty) Grant(ctx context.Context, ttl time.Duration) (store.Lease, time.Duration, error) {
	if err := f.before(ctx); err != nil {
		return 0, 0, err
	}
	l, ttl, err := f.Store.Grant(ctx, ttl)
	return l, ttl, f.after(ctx, err)
}

// Renew implements store.Store.
func (f *Faulty) Renew(ctx context.Context, l store.Lease) (time.Duration, error) {
	if err := f.before(ctx); err != nil {
		return 0, err
	}
	ttl, err := f.Store.Renew(ctx, l)
	return ttl, f.after(ctx, err)
}

// Revoke implements store.Store.
func (f *Faulty) Revoke(ctx context.Context, l store.Lease) error {
	if err := f.before(ctx); err != nil {
		return err
	}
	return f.after(ctx, f.Store.Revoke(ctx, l))
}

// Create implements store.Store.
func (f *Faulty) Create(ctx context.Context, key string, value []byte, l store.Lease) (store.Record, bool, error) {
	if err := f.before(ctx); err != nil {
		return store.Record{}, false, err
	}
	rec, created, err := f.Store.Create(ctx, key, value, l)
	return rec, created, f.after(ctx, err)
}

// Put implements store.Store.
func (f *Faulty) Put(ctx context.Context, key string, value []byte, l store.Lease) (store.Record, error) {
	if err := f.before(ctx); err != nil {
		return store.Record{}, err
	}
	rec, err := f.Store.Put(ctx, key, value, l)
	return rec, f.after(ctx, err)
}

// PutIf implements store.Store.
func (f *Faulty) PutIf(ctx context.Context, key string, value []byte, guard store.Guard) (bool, error) {
	if err := f.before(ctx); err != nil {
		return false, err
	}
	written, err := f.Store.PutIf(ctx, key, value, guard)
	return written, f.after(ctx, err)
}

// Delete implements store.Store.
func (f *Faulty) Delete(ctx context.Context, key string, epoch uint64) (bool, error) {
	if err := f.before(ctx); err != nil {
		return false, err
	}
	deleted, err := f.Store.Delete(ctx, key, epoch)
	return deleted, f.after(ctx, err)
}

// List implements store.Store.
func (f *Faulty) List(ctx context.Context, prefix string) ([]store.Record, uint64, error) {
	if err := f.before(ctx); err != nil {
		return nil, 0, err
	}
	recs, rev, err := f.Store.List(ctx, prefix)
	return recs, rev, f.after(ctx, err)
}

// Watch implements store.Store. A watch that runs when the store breaks ends
// with the first event that it would have brought.
func (f *Faulty) Watch(ctx context.Context, prefix string, after uint64, each func([]store.Event)) error {
	if err := f.before(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := f.Store.Watch(ctx, prefix, after, func(events []store.Event) {
		if f.mode.Load().freeze || f.mode.Load().err != nil {
			cancel(ErrBroken)
			return
		}
		each(events)
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
