// Package store is the small consistent store that nodes share: who is there,
// and which node owns which room. It holds a few hundred bytes a room and is
// asked when something begins or ends, never while a message is on its way.
//
// Store says what is needed of it; Memory serves a node alone and tests, package
// store/etcd a cluster. Package storetest holds the rules that both must pass.
package store

import (
	"context"
	"errors"
	"time"
)

// Lease is the id of a lease. Zero is none: what is written with it stays.
type Lease int64

// Record is one key as the store held it at some revision.
type Record struct {
	Key   string
	Value []byte // the receiver's own
	Lease Lease  // the record goes when this ends
	// Epoch is the revision at which the key came to be. It is never reused and
	// only grows: of two owners of one key the later has the greater.
	Epoch uint64
	// Revision is that of the last write, or of the deletion.
	Revision uint64
}

// Event is one change of a key.
type Event struct {
	Record  // only Key and Revision are set when Deleted
	Deleted bool
}

// Guard is a key on which a write depends.
type Guard struct {
	Key   string
	Epoch uint64
	Below []byte // limit of what is written over, byte by byte; nil: none
}

// ErrNoLease says that a lease has ended, or never was: what was written with it
// is gone, and the next to come may own it.
var ErrNoLease = errors.New("store: no such lease")

// ErrCompacted says that a watch cannot start from so old a revision: list again.
var ErrCompacted = errors.New("store: revision is compacted")

// Store is usable from any goroutine. Every method ends with its context. After
// an error other than the ones named here the outcome is unknown: what was asked
// may have happened.
type Store interface {
	// Grant opens a lease that ends ttl after its last renewal, and returns the
	// time that it really has.
	Grant(ctx context.Context, ttl time.Duration) (Lease, time.Duration, error)
	// Renew starts the lease's time anew, somewhere between call and return, and
	// returns that time. A lease that has ended is ErrNoLease.
	Renew(ctx context.Context, l Lease) (time.Duration, error)
	// Revoke ends a lease and deletes what was written with it. A lease that has
	// ended already is no error.
	Revoke(ctx context.Context, l Lease) error

	// Create writes a key that is not there. When it is there, created is false
	// and rec is what there is.
	Create(ctx context.Context, key string, value []byte, l Lease) (rec Record, created bool, err error)
	// Put writes a key whether it is there or not.
	Put(ctx context.Context, key string, value []byte, l Lease) (Record, error)
	// PutIf writes a key, without a lease, if the guard's key is still the one that
	// came to be at its epoch, and the value that is to be replaced, if there is one,
	// sorts below the guard's limit.
	PutIf(ctx context.Context, key string, value []byte, guard Guard) (written bool, err error)
	// Delete removes a key if it is still the one that came to be at epoch.
	Delete(ctx context.Context, key string, epoch uint64) (deleted bool, err error)

	// List returns all records below prefix, by key, and the revision they were
	// read at.
	List(ctx context.Context, prefix string) ([]Record, uint64, error)
	// Watch calls f with the changes below prefix that follow the revision after,
	// in order, from one goroutine, until ctx ends or the watch is lost. It never
	// returns nil. A store that has lost its quorum is a lost watch. F must not
	// call the store.
	Watch(ctx context.Context, prefix string, after uint64, f func([]Event)) error

	// Close ends the store's use by this process; leases run out by themselves.
	Close() error
}
