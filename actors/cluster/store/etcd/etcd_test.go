package etcd_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
	"github.com/shaddock-game/shaddock/actors/cluster/store/storetest"
)

func open(t *testing.T, url string) *etcd.Store {
	t.Helper()
	s, err := etcd.Open(etcd.Config{Endpoints: []string{url}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestEtcdKeepsTheRules(t *testing.T) {
	server := etcdtest.Start(t)
	s := open(t, server.URL)
	storetest.Run(t, nil, func(*testing.T) store.Store { return s })
}

func TestOpenWithoutEndpoints(t *testing.T) {
	if _, err := etcd.Open(etcd.Config{}); err == nil {
		t.Fatal("opened without endpoints")
	}
}

// A lease that etcd kept through its own restart is the same lease, and what was
// written with it is still there: an outage shorter than that costs nobody a room.
func TestLeaseOutlivesRestart(t *testing.T) {
	server := etcdtest.Start(t)
	s := open(t, server.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l, _, err := s.Grant(ctx, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	rec, _, err := s.Create(ctx, "/room", []byte("mine"), l)
	if err != nil {
		t.Fatal(err)
	}
	server.Kill()
	short, done := context.WithTimeout(ctx, time.Second)
	defer done()
	before := cpu(t)
	if _, err := s.Renew(short, l); err == nil || errors.Is(err, store.ErrNoLease) {
		t.Fatalf("no server: an outage is not an ended lease: %v", err)
	}
	if used := cpu(t) - before; used > 500*time.Millisecond {
		t.Fatalf("a renewal that no server answers used %v of CPU: it repeats itself without a pause", used)
	}
	server.Restart()
	for {
		if _, err = s.Renew(ctx, l); err == nil {
			break
		}
		if errors.Is(err, store.ErrNoLease) || ctx.Err() != nil {
			t.Fatalf("renew after the restart: %v", err)
		}
	}
	again, created, err := s.Create(ctx, "/room", []byte("new"), l)
	if err != nil || created || again.Epoch != rec.Epoch {
		t.Fatalf("the room's key did not outlive the restart: %v created=%v epoch %d, want %d", err, created, again.Epoch, rec.Epoch)
	}
}

// A server that does not answer is met by the caller's deadline, and is no end of
// the lease.
func TestPausedServer(t *testing.T) {
	server := etcdtest.Start(t)
	s := open(t, server.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l, _, err := s.Grant(ctx, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	server.Pause()
	late := false
	for err == nil && ctx.Err() == nil { // it runs on for a moment after the signal
		short, done := context.WithTimeout(ctx, 300*time.Millisecond)
		_, err = s.Renew(short, l)
		late = short.Err() != nil
		done()
	}
	if !late || ctx.Err() != nil {
		t.Fatalf("renew: %v, want the deadline", err)
	}
	server.Resume()
	if _, err := s.Renew(ctx, l); err != nil {
		t.Fatalf("renew after the pause: %v", err)
	}
}

func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
