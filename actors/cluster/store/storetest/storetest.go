// Package storetest holds the rules of store.Store as tests, which every
// implementation runs.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// TTL is what the tests ask leases for that are to run out: the shortest that etcd
// grants is two seconds. Others outlive their test, on a machine that is busy too.
const (
	TTL     = 2 * time.Second
	longTTL = time.Minute
)

// Run runs the rules against what open returns, each in a sub-test under a prefix
// of its own, so that open may return the same store every time. Around, when not
// nil, wraps each rule: synctest.Test does, for a store that lives in fake time.
func Run(t *testing.T, around func(*testing.T, func(*testing.T)), open func(t *testing.T) store.Store) {
	if around == nil {
		around = func(t *testing.T, f func(*testing.T)) { f(t) }
	}
	for _, rule := range []struct {
		name string
		test func(*harness)
	}{
		{"one creator of many wins, and the others see it", oneCreator},
		{"epochs grow and are never reused", epochsGrow},
		{"a record goes with its lease", recordGoesWithLease},
		{"a renewed lease lives on", renewedLeaseLives},
		{"a lease that ended cannot be used", endedLease},
		{"delete checks the epoch", deleteChecksEpoch},
		{"put keeps the epoch", putKeepsEpoch},
		{"a guarded put needs its guard", guardedPut},
		{"a watch misses nothing after its list", watchFollowsList},
		{"a watch ends with its context", watchEnds},
		{"list sees its prefix only", listPrefix},
	} {
		t.Run(rule.name, func(t *testing.T) {
			around(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				rule.test(&harness{T: t, ctx: ctx, Store: open(t), prefix: fmt.Sprintf("/test/%s/%d/", t.Name(), time.Now().UnixNano())})
			})
		})
	}
}

type harness struct {
	*testing.T
	store.Store
	ctx    context.Context
	prefix string
}

func (h *harness) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *harness) lease(want time.Duration) store.Lease {
	h.Helper()
	l, ttl, err := h.Grant(h.ctx, want)
	h.must(err)
	if ttl < want {
		h.Fatalf("granted %v, asked for %v", ttl, want)
	}
	return l
}

func (h *harness) create(key, value string, l store.Lease) store.Record {
	h.Helper()
	rec, created, err := h.Create(h.ctx, h.prefix+key, []byte(value), l)
	h.must(err)
	if !created {
		h.Fatalf("%s was there already: %q", key, rec.Value)
	}
	return rec
}

func (h *harness) keys() []string {
	h.Helper()
	recs, _, err := h.List(h.ctx, h.prefix)
	h.must(err)
	keys := make([]string, 0, len(recs))
	for _, r := range recs {
		keys = append(keys, r.Key[len(h.prefix):])
	}
	return keys
}

func (h *harness) wantKeys(why string, want ...string) {
	h.Helper()
	if got := h.keys(); !slices.Equal(got, want) {
		h.Fatalf("%s: keys %q, want %q", why, got, want)
	}
}

func oneCreator(h *harness) {
	const racers = 8
	l := h.lease(longTTL)
	type result struct {
		rec     store.Record
		created bool
		err     error
	}
	results := make(chan result, racers)
	for i := range racers {
		go func() {
			var r result
			r.rec, r.created, r.err = h.Create(h.ctx, h.prefix+"room", fmt.Append(nil, i), l)
			results <- r
		}()
	}
	var winner string
	values := make(map[string]bool)
	epochs := make(map[uint64]bool)
	for range racers {
		r := <-results
		h.must(r.err)
		if r.created {
			if winner != "" {
				h.Fatal("two creators won")
			}
			winner = string(r.rec.Value)
		}
		if r.rec.Lease != l {
			h.Fatalf("record carries lease %d, want %d", r.rec.Lease, l)
		}
		values[string(r.rec.Value)], epochs[r.rec.Epoch] = true, true
	}
	if winner == "" || len(values) != 1 || len(epochs) != 1 {
		h.Fatalf("winner %q, but the racers saw values %v, epochs %v", winner, values, epochs)
	}
}

func epochsGrow(h *harness) {
	var last uint64
	for range 3 {
		rec := h.create("room", "", 0)
		if rec.Epoch <= last {
			h.Fatalf("epoch %d after %d", rec.Epoch, last)
		}
		last = rec.Epoch
		_, err := h.Delete(h.ctx, rec.Key, rec.Epoch)
		h.must(err)
	}
}

func recordGoesWithLease(h *harness) {
	l := h.lease(longTTL)
	h.create("with", "", l)
	kept := h.create("without", "", 0)
	h.must(h.Revoke(h.ctx, l))
	h.wantKeys("after revoke", "without")
	h.must(h.Revoke(h.ctx, l)) // has ended already: no error
	_, err := h.Delete(h.ctx, kept.Key, kept.Epoch)
	h.must(err)

	_, _, err = h.Create(h.ctx, h.prefix+"runs-out", nil, h.lease(TTL))
	for errors.Is(err, store.ErrNoLease) { // it has, already
		_, _, err = h.Create(h.ctx, h.prefix+"runs-out", nil, h.lease(TTL))
	}
	h.must(err)
	h.waitKeys("the lease runs out by itself")
}

// waitKeys waits for the change that leaves exactly want.
func (h *harness) waitKeys(why string, want ...string) {
	h.Helper()
	_, rev, err := h.List(h.ctx, h.prefix)
	h.must(err)
	if slices.Equal(h.keys(), want) {
		return
	}
	ctx, cancel := context.WithTimeout(h.ctx, 5*TTL)
	defer cancel()
	changed := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- h.Watch(ctx, h.prefix, rev, func([]store.Event) {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	}()
	for {
		select {
		case <-changed:
			if slices.Equal(h.keys(), want) {
				cancel()
				<-ended //nolint:errcheck // cancelled on purpose
				return
			}
		case err := <-ended:
			h.Fatalf("%s: %v; keys %q, want %q", why, err, h.keys(), want)
		}
	}
}

func renewedLeaseLives(h *harness) {
	for !h.renewed() {
		h.Log("once more: a renewal came too late for anything to follow from it")
	}
}

// renewed has a lease live for two times its time; false: it was not renewed in time.
func (h *harness) renewed() bool {
	last := time.Now()
	l := h.lease(TTL)
	late := func(err error) bool { return errors.Is(err, store.ErrNoLease) && time.Since(last) >= TTL }
	if _, _, err := h.Create(h.ctx, h.prefix+"room", nil, l); late(err) {
		return false
	} else if err != nil {
		h.Fatal(err)
	}
	tick := time.NewTicker(TTL / 4)
	defer tick.Stop()
	for range 8 {
		<-tick.C
		now := time.Now()
		ttl, err := h.Renew(h.ctx, l)
		if late(err) {
			return false
		}
		h.must(err)
		if ttl < TTL {
			h.Fatalf("renewed for %v, want %v", ttl, TTL)
		}
		last = now
	}
	if keys := h.keys(); !slices.Equal(keys, []string{"room"}) && time.Since(last) < TTL {
		h.Fatalf("after two times to live: keys %q, want the room", keys)
	}
	return time.Since(last) < TTL
}

func endedLease(h *harness) {
	l := h.lease(longTTL)
	h.must(h.Revoke(h.ctx, l))
	if _, err := h.Renew(h.ctx, l); !errors.Is(err, store.ErrNoLease) {
		h.Fatalf("renew: %v", err)
	}
	if _, created, err := h.Create(h.ctx, h.prefix+"room", nil, l); !errors.Is(err, store.ErrNoLease) || created {
		h.Fatalf("create: %v, %v", created, err)
	}
	if _, err := h.Put(h.ctx, h.prefix+"room", nil, l); !errors.Is(err, store.ErrNoLease) {
		h.Fatalf("put: %v", err)
	}
	h.wantKeys("nothing was written")
}

func deleteChecksEpoch(h *harness) {
	first := h.create("room", "", 0)
	if ok, err := h.Delete(h.ctx, first.Key, first.Epoch+1); ok || err != nil {
		h.Fatalf("delete with another epoch: %v, %v", ok, err)
	}
	if ok, err := h.Delete(h.ctx, first.Key, first.Epoch); !ok || err != nil {
		h.Fatalf("delete: %v, %v", ok, err)
	}
	second := h.create("room", "", 0)
	if ok, err := h.Delete(h.ctx, first.Key, first.Epoch); ok || err != nil {
		h.Fatalf("the former owner deletes its successor's key: %v, %v", ok, err)
	}
	_, err := h.Delete(h.ctx, second.Key, second.Epoch)
	h.must(err)
}

func putKeepsEpoch(h *harness) {
	rec := h.create("node", "up", 0)
	again, err := h.Put(h.ctx, rec.Key, []byte("draining"), 0)
	h.must(err)
	if again.Epoch != rec.Epoch || string(again.Value) != "draining" {
		h.Fatalf("epoch %d value %q, want epoch %d", again.Epoch, again.Value, rec.Epoch)
	}
	if again.Revision <= rec.Revision {
		h.Fatalf("revision %d after %d", again.Revision, rec.Revision)
	}
}

func guardedPut(h *harness) {
	guard := h.create("owner", "1", h.lease(longTTL))
	put := func(why string, g store.Guard, want bool) {
		h.Helper()
		written, err := h.PutIf(h.ctx, h.prefix+"kept", []byte(why), g)
		if h.must(err); written != want {
			h.Fatalf("%s: written %v", why, written)
		}
	}
	put("its own epoch", store.Guard{Key: guard.Key, Epoch: guard.Epoch}, true)
	put("an earlier one", store.Guard{Key: guard.Key, Epoch: guard.Epoch - 1}, false)
	put("nothing below the limit", store.Guard{Key: guard.Key, Epoch: guard.Epoch, Below: []byte("its own epoch")}, false)
	put("its own epoch", store.Guard{Key: guard.Key, Epoch: guard.Epoch, Below: []byte("its own epoch\x00")}, true)
	put("no such key", store.Guard{Key: guard.Key + "x", Epoch: guard.Epoch}, false)
	for i, want := range []bool{true, false} { // a limit matters when there is something to write over
		written, err := h.PutIf(h.ctx, h.prefix+"limited", []byte("b"), store.Guard{Key: guard.Key, Epoch: guard.Epoch, Below: []byte("a")})
		if h.must(err); written != want {
			h.Fatalf("limit, write %d: written %v", i, written)
		}
	}
	h.must(h.Revoke(h.ctx, guard.Lease))
	put("the guard's lease has ended", store.Guard{Key: guard.Key, Epoch: guard.Epoch}, false)
	recs, _, err := h.List(h.ctx, h.prefix+"kept")
	if h.must(err); len(recs) != 1 || string(recs[0].Value) != "its own epoch" || recs[0].Lease != 0 {
		h.Fatalf("kept: %+v", recs)
	}
}

func watchFollowsList(h *harness) {
	old := h.create("old", "1", 0)
	_, rev, err := h.List(h.ctx, h.prefix)
	h.must(err)
	h.create("new", "2", 0) // between list and watch
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	events := make(chan store.Event, 16)
	ended := make(chan error, 1)
	go func() {
		ended <- h.Watch(ctx, h.prefix, rev, func(batch []store.Event) {
			for _, e := range batch {
				events <- e
			}
		})
	}()
	want := func(line string) {
		h.Helper()
		select {
		case e := <-events:
			if e.Revision <= rev {
				h.Fatalf("event of revision %d, after %d", e.Revision, rev)
			}
			rev = e.Revision
			got := fmt.Sprintf("%s=%s deleted=%v", e.Key[len(h.prefix):], e.Value, e.Deleted)
			if got != line {
				h.Fatalf("event %q, want %q", got, line)
			}
		case err := <-ended:
			h.Fatalf("watch ended: %v; want %q", err, line)
		}
	}
	want("new=2 deleted=false")
	_, err = h.Put(h.ctx, old.Key, []byte("3"), 0)
	h.must(err)
	want("old=3 deleted=false")
	_, err = h.Delete(h.ctx, old.Key, old.Epoch)
	h.must(err)
	want("old= deleted=true")
	cancel()
	<-ended //nolint:errcheck // cancelled on purpose
}

func watchEnds(h *harness) {
	ctx, cancel := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.Watch(ctx, h.prefix, 0, func([]store.Event) {}) }()
	cancel()
	if err := <-ended; err == nil {
		h.Fatal("a watch ended without an error")
	}
}

func listPrefix(h *harness) {
	h.create("a/2", "", 0)
	h.create("a/1", "", 0)
	h.create("b", "", 0)
	recs, _, err := h.List(h.ctx, h.prefix+"a/")
	h.must(err)
	if len(recs) != 2 || recs[0].Key != h.prefix+"a/1" || recs[1].Key != h.prefix+"a/2" {
		h.Fatalf("got %v", recs)
	}
}
