// Package snapshotstest holds the rules that every snapshots.Store must pass.
package snapshotstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/shaddock-game/shaddock/actors/snapshots"
)

// Subject is a store under test.
type Subject struct {
	// Open returns the store, a new client of the same one each time: what is
	// saved by one must be there for the next. Whoever opens it closes it.
	Open func(t *testing.T) snapshots.Store
	// Next returns an epoch above all that it returned before for a key, from
	// whoever numbers the activations. Nil: the test counts.
	Next func(t *testing.T, k snapshots.Key) uint64
	// Gives says that the store numbers activations itself when asked with 0.
	Gives bool
	// Forgets says that only one client sees what is saved.
	Forgets bool
}

// Run checks s against all rules.
func Run(t *testing.T, s Subject) {
	t.Helper()
	if s.Next == nil {
		count := uint64(0)
		s.Next = func(*testing.T, snapshots.Key) uint64 { count++; return count }
	}
	for _, rule := range []struct {
		name string
		f    func(t *trial)
	}{
		{"what was saved is there", (*trial).keeps},
		{"an older epoch is refused", (*trial).fences},
		{"a claim fences before anything is saved", (*trial).claims},
		{"a claim of the same epoch may be repeated", (*trial).repeats},
		{"a save that was overtaken is refused", (*trial).overtaken},
		{"rooms do not touch each other", (*trial).apart},
		{"nothing is not something", (*trial).empties},
		{"data may hold anything", (*trial).holds},
		{"of many that save, the last claim wins", (*trial).races},
		{"what is asked ends with its context", (*trial).ends},
		{"epochs are given and grow, across clients too", (*trial).gives},
	} {
		t.Run(rule.name, func(t *testing.T) {
			tr := &trial{T: t, Subject: s, store: s.Open(t), ctx: t.Context()}
			t.Cleanup(func() { _ = tr.store.Close() })
			rule.f(tr)
		})
	}
}

type trial struct {
	*testing.T
	Subject
	store snapshots.Store
	ctx   context.Context
	saves uint64
}

func (t *trial) key(id string) snapshots.Key {
	return snapshots.Key{Kind: "kind", ID: t.Name() + " " + id}
}

func (t *trial) claim(k snapshots.Key) uint64 {
	t.Helper()
	s, err := t.store.Claim(t.ctx, k, t.Next(t.T, k))
	if err != nil {
		t.Fatalf("claim %s: %v", k, err)
	}
	return s.Epoch
}

func (t *trial) save(k snapshots.Key, epoch uint64, data string) {
	t.Helper()
	if err := t.put(k, epoch, []byte(data)); err != nil {
		t.Fatalf("save %s at %d: %v", k, epoch, err)
	}
}

// put saves with the next number.
func (t *trial) put(k snapshots.Key, epoch uint64, data []byte) error {
	t.saves++
	return t.store.Save(t.ctx, k, epoch, t.saves, data)
}

func (t *trial) want(what string, k snapshots.Key, data string, by uint64) {
	t.Helper()
	epoch := t.Next(t.T, k)
	s, err := t.store.Claim(t.ctx, k, epoch)
	if err != nil {
		t.Fatalf("%s: claim %s: %v", what, k, err)
	}
	if string(s.Data) != data || s.By != by || s.Epoch != epoch {
		t.Fatalf("%s: %q by %d for the claim of %d, want %q by %d for %d", what, s.Data, s.By, s.Epoch, data, by, epoch)
	}
}

func (t *trial) wantFenced(what string, err error) {
	t.Helper()
	if !errors.Is(err, snapshots.ErrFenced) {
		t.Fatalf("%s: error %v, want ErrFenced", what, err)
	}
}

func (t *trial) keeps() {
	k := t.key("a")
	t.want("a room that nobody saved", k, "", 0)
	e := t.claim(k)
	t.save(k, e, "one")
	t.save(k, e, "two")
	if !t.Forgets {
		other := t.Open(t.T)
		defer func() { _ = other.Close() }()
		t.store, other = other, t.store
	}
	t.want("the next activation begins with the last", k, "two", e)
	t.want("who saves nothing changes nothing", k, "two", e)
}

func (t *trial) fences() {
	k := t.key("a")
	old := t.claim(k)
	t.save(k, old, "old")
	next := t.claim(k)
	t.save(k, next, "next")
	t.wantFenced("a save of the older", t.put(k, old, []byte("late")))
	_, err := t.store.Claim(t.ctx, k, old)
	t.wantFenced("a claim of the older", err)
	t.want("the newer is untouched", k, "next", next)
}

func (t *trial) claims() {
	k := t.key("a")
	old := t.claim(k)
	t.save(k, old, "old")
	next := t.claim(k)
	t.wantFenced("the newer may have gone on from it", t.put(k, old, []byte("late")))
	t.save(k, next, "next")
	t.want("the newer", k, "next", next)
}

func (t *trial) repeats() {
	k := t.key("a")
	e := t.claim(k)
	t.save(k, e, "mine")
	s, err := t.store.Claim(t.ctx, k, e)
	if err != nil || string(s.Data) != "mine" || s.By != e {
		t.Fatalf("got %q by %d, %v", s.Data, s.By, err)
	}
	t.save(k, e, "mine again")
	t.want("it goes on", k, "mine again", e)
}

func (t *trial) overtaken() {
	k := t.key("a")
	e := t.claim(k)
	save := func(seq uint64, data string) error { return t.store.Save(t.ctx, k, e, seq, []byte(data)) }
	for _, seq := range []uint64{1, 300, 300} { // the last is a second try
		if err := save(seq, "latest"); err != nil {
			t.Fatalf("save %d: %v", seq, err)
		}
	}
	if _, err := t.store.Claim(t.ctx, k, e); err != nil {
		t.Fatal(err)
	}
	t.wantFenced("a save that comes late", save(299, "late"))
	t.want("the later one", k, "latest", e)
	next := t.claim(k)
	if err := t.store.Save(t.ctx, k, next, 1, []byte("next")); err != nil {
		t.Fatalf("the next activation counts from 1: %v", err)
	}
}

func (t *trial) apart() {
	ids := []string{"1", "10", "1/0", "1%2F0", "", "Ä", "ä", "_", "x\x00y", "x\x00z", "\xff", "\xfe", "it's", "%"}
	epochs := make(map[string]uint64)
	for _, id := range ids {
		k := t.key(id)
		epochs[id] = t.claim(k)
		t.save(k, epochs[id], "of "+id)
	}
	for _, id := range ids {
		t.want(fmt.Sprintf("room %q", id), t.key(id), "of "+id, epochs[id])
	}
}

func (t *trial) empties() {
	k := t.key("a")
	e := t.claim(k)
	t.save(k, e, "something")
	if err := t.put(k, e, nil); err != nil {
		t.Fatal(err)
	}
	s, err := t.store.Claim(t.ctx, k, t.Next(t.T, k))
	if err != nil || s.Data != nil || s.By != e {
		t.Fatalf("got %q by %d, %v; want nothing", s.Data, s.By, err)
	}
	t.wantFenced("the epoch outlives the snapshot", t.put(k, e, []byte("late")))
}

func (t *trial) holds() {
	k := t.key("a")
	e := t.claim(k)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, data := range []string{string(every), "it's \\ 100%", strings.Repeat("big ", 64<<10)} {
		mine := []byte(data)
		if err := t.put(k, e, mine); err != nil {
			t.Fatal(err)
		}
		clear(mine) // data is not kept
		s, err := t.store.Claim(t.ctx, k, e)
		if err != nil || !bytes.Equal(s.Data, []byte(data)) {
			t.Fatalf("%d bytes came back as %d, %v", len(data), len(s.Data), err)
		}
		clear(s.Data) // it is the receiver's own
		if s, err = t.store.Claim(t.ctx, k, e); err != nil || string(s.Data) != data {
			t.Fatalf("a receiver changed what is stored: %v", err)
		}
	}
}

// races has several activations save as fast as they can while each is claimed
// away by the next: what is there at the end is the last one's last word.
func (t *trial) races() {
	const activations, saves = 4, 12
	k := t.key("a")
	var all sync.WaitGroup
	last := uint64(0)
	for range activations {
		e := t.claim(k)
		last = e
		all.Go(func() {
			for n := range saves {
				err := t.store.Save(t.ctx, k, e, uint64(n+1), fmt.Appendf(nil, "%d of %d", n, e))
				if err != nil && !errors.Is(err, snapshots.ErrFenced) {
					t.Errorf("save %d of %d: %v", n, e, err)
				}
			}
		})
	}
	all.Wait()
	t.want("the last one's last word", k, fmt.Sprintf("%d of %d", saves-1, last), last)
}

func (t *trial) ends() {
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	if err := t.store.Save(ctx, t.key("a"), 1, 1, nil); err == nil {
		t.Error("a save went on though nobody waits for it")
	}
	if _, err := t.store.Claim(ctx, t.key("a"), 1); err == nil {
		t.Error("a claim went on though nobody waits for it")
	}
}

func (t *trial) gives() {
	k := t.key("a")
	if !t.Gives {
		if _, err := t.store.Claim(t.ctx, k, 0); err == nil {
			t.Fatal("an epoch was given by a store that follows others")
		}
		return
	}
	old := uint64(0)
	for i := range 3 {
		s, err := t.store.Claim(t.ctx, k, 0)
		if err != nil || s.Epoch <= old {
			t.Fatalf("epoch %d after %d, %v", s.Epoch, old, err)
		}
		if i > 0 {
			t.wantFenced("the one before", t.put(k, old, []byte("late")))
		}
		t.save(k, s.Epoch, "mine")
		old = s.Epoch
		if !t.Forgets {
			_ = t.store.Close()
			t.store = t.Open(t.T)
		}
	}
}
