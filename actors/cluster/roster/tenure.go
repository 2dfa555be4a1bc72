package roster

import (
	"errors"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// task is what a tenure wants done with the store. One is under way at a time.
type task uint8

const (
	noTask task = iota
	grantLease
	putRecord
	renewLease
)

func (k task) String() string {
	return [...]string{"nothing", "grant lease", "put record", "renew lease"}[k]
}

// tenure is this process's hold on its place in the cluster, as a value: it
// decides from the times it is told and does nothing itself.
type tenure struct {
	ttl time.Duration // after the last sign of life, until what it had is up elsewhere

	lease   store.Lease   // 0: none
	granted time.Duration // what the store gave
	until   time.Time     // nothing may rely on the lease from then on
	renewAt time.Time
	urgent  time.Time // from when on renewal goes before the record
	written uint64    // revision of the own record under this lease, 0: not written
	held    bool
	dirty   bool // the own record has changed since it was last sent

	busy    task
	sent    time.Time // when busy began
	retryAt time.Time // after a failure
	fails   int
}

// safe is the part of a granted time that is used: what is left must cover that
// the store's clock may run faster and that a write under way still lands.
const safe = 0.8

// leased is the part of a tenure's ttl that it asks a lease for. Etcd looks for
// leases that have run out every half second, and what their owner had must be
// found gone and begin elsewhere: all that is to be over by the end of ttl.
const leased = 0.8

// ask is the time that a lease is asked for.
func (t *tenure) ask() time.Duration { return time.Duration(leased * float64(t.ttl)) }

// renewals is how often a lease is renewed in its time. The more often, the more
// of it is always left when the store goes away; a renewal is no write in etcd.
const renewals = 10

// next says what to do now and when to ask again if nothing happens until then.
// It also ends the hold when its time has come.
func (t *tenure) next(now time.Time) (do task, wake time.Time) {
	if t.held && !now.Before(t.until) {
		t.held = false
	}
	wake = now.Add(time.Hour)
	if t.held {
		wake = t.until
	}
	if t.busy != noTask {
		return noTask, wake
	}
	if now.Before(t.retryAt) {
		return noTask, earlier(wake, t.retryAt)
	}
	switch {
	case t.lease == 0:
		return grantLease, wake
	case !now.Before(t.until) || !now.Before(t.urgent):
		return renewLease, wake
	case t.written == 0 || t.dirty: // by a slow store, it would never be its turn otherwise
		return putRecord, wake
	case !now.Before(t.renewAt):
		return renewLease, wake
	}
	return noTask, earlier(wake, t.renewAt)
}

// begin notes that a task has been sent.
func (t *tenure) begin(now time.Time, do task) {
	t.busy, t.sent = do, now
	if do == putRecord {
		t.dirty = false
	}
}

// outcome is what became of a task.
type outcome struct {
	lease    store.Lease
	ttl      time.Duration
	revision uint64
	err      error
}

// done takes in what became of the task under way.
func (t *tenure) done(now time.Time, o outcome) {
	do := t.busy
	t.busy = noTask
	if errors.Is(o.err, store.ErrNoLease) {
		*t = tenure{ttl: t.ttl}
		return
	}
	if o.err != nil {
		t.fails++
		t.retryAt = now.Add(t.pause())
		t.dirty = t.dirty || do == putRecord
		return
	}
	t.fails, t.retryAt = 0, time.Time{}
	switch do {
	case grantLease:
		t.lease, t.written = o.lease, 0
		t.extend(o.ttl)
	case renewLease:
		t.extend(o.ttl)
	case putRecord:
		t.written = o.revision
	}
	t.held = t.lease != 0 && t.written != 0 && now.Before(t.until)
}

// extend counts a granted time from when it was asked for, the earliest that the
// store can have begun to count.
func (t *tenure) extend(ttl time.Duration) {
	t.granted = ttl
	t.until = t.sent.Add(time.Duration(safe * float64(ttl)))
	t.renewAt, t.urgent = t.sent.Add(ttl/renewals), t.sent.Add(ttl/3)
}

// deleted takes in that the own record was deleted at a revision. The lease may
// have ended, which a renewal will tell; until then nothing may rely on it.
func (t *tenure) deleted(revision uint64) {
	if t.written == 0 || revision <= t.written {
		return // of an earlier lease: written anew since
	}
	t.held, t.written = false, 0
	t.until, t.retryAt = time.Time{}, time.Time{}
}

// timeout is how long a task may take. A renewal that was swallowed must leave
// time for another before the hold ends.
func (t *tenure) timeout() time.Duration { return t.ttl / 4 }

// pause is the time between a failure and the next attempt. What it comes to at the
// most, rooms are away for longer than the store was.
func (t *tenure) pause() time.Duration {
	return min(t.ttl/40<<min(t.fails-1, 4), t.ttl/20)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
