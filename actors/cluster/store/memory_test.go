package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryKeepsTheRules(t *testing.T) {
	storetest.Run(t, synctest.Test, func(t *testing.T) store.Store {
		m := store.NewMemory()
		t.Cleanup(func() { _ = m.Close() })
		return m
	})
}

func TestMemoryLeaseEndsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := store.NewMemory()
		defer m.Close()
		l, _, err := m.Grant(ctx, storetest.TTL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Put(ctx, "k", nil, l); err != nil {
			t.Fatal(err)
		}
		time.Sleep(storetest.TTL - time.Nanosecond)
		if _, err := m.Renew(ctx, l); err != nil {
			t.Fatalf("renewed a moment before its end: %v", err)
		}
		time.Sleep(storetest.TTL - time.Nanosecond)
		if recs, _, _ := m.List(ctx, ""); len(recs) != 1 {
			t.Fatal("gone before its time")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if recs, _, _ := m.List(ctx, ""); len(recs) != 0 {
			t.Fatal("still there after its time")
		}
		if _, err := m.Renew(ctx, l); !errors.Is(err, store.ErrNoLease) {
			t.Fatalf("renew after the end: %v", err)
		}
	})
}

func TestMemoryWatchTooFarBack(t *testing.T) {
	ctx := t.Context()
	m := store.NewMemory()
	defer m.Close()
	for i := range 3000 {
		if _, err := m.Put(ctx, fmt.Sprint(i), nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Watch(ctx, "", 1, func([]store.Event) {}); !errors.Is(err, store.ErrCompacted) {
		t.Fatalf("got %v, want ErrCompacted", err)
	}
}

func TestMemoryCloseEndsWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory()
		ended := make(chan error)
		go func() { ended <- m.Watch(context.Background(), "", 1, func([]store.Event) {}) }()
		synctest.Wait()
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil {
			t.Fatal("watch of a closed store ended without an error")
		}
		if _, _, err := m.Grant(context.Background(), storetest.TTL); err == nil {
			t.Fatal("a closed store grants")
		}
	})
}
