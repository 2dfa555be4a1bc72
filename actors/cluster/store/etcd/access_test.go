package etcd_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/certs/certstest"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
	"github.com/shaddock-game/shaddock/actors/cluster/store/storetest"
)

func openAs(t *testing.T, cfg etcd.Config) *etcd.Store {
	t.Helper()
	s, err := etcd.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// A user whose role has the cluster's prefix is enough, and what is refused says why.
func TestLogin(t *testing.T) {
	server := etcdtest.Start(t)
	server.DemandLogin(nil, "game", "secret", "/")
	ctx, at := bounded(t), []string{server.URL}

	_, err := etcd.Open(etcd.Config{Endpoints: at, User: "game", Password: "guess", Wait: time.Minute})
	if !errors.Is(err, etcd.ErrLogin) {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err = etcd.Open(etcd.Config{Endpoints: at, User: "game"}); err == nil {
		t.Error("opened without a password")
	}
	if _, _, err = openAs(t, etcd.Config{Endpoints: at}).List(ctx, "/x/"); !etcd.NoLogin(err) {
		t.Errorf("no login: %v", err)
	}
	s := openAs(t, etcd.Config{Endpoints: at, User: "game", Password: "secret"})
	if _, _, err = s.List(ctx, "elsewhere/"); !etcd.Denied(err) {
		t.Errorf("a prefix of others: %v", err)
	}
	storetest.Run(t, nil, func(*testing.T) store.Store { return s })
}

// A login outlives a restart of etcd, which forgets what it has handed out for it.
func TestLoginOutlivesRestart(t *testing.T) {
	server := etcdtest.Start(t)
	server.DemandLogin(nil, "game", "secret", "/")
	ctx := bounded(t)
	s := openAs(t, etcd.Config{Endpoints: []string{server.URL}, User: "game", Password: "secret"})
	l, _, err := s.Grant(ctx, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 10)
	go func() {
		for ctx.Err() == nil { // as its users do
			_ = s.Watch(ctx, "/room", 0, func(es []store.Event) {
				for _, e := range es {
					seen <- e.Key
				}
			})
		}
	}()
	if _, _, err = s.Create(ctx, "/room/1", nil, l); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "/room/1" {
		t.Fatalf("seen %s", got)
	}
	server.Kill()
	server.Restart()
	if _, err = s.Renew(ctx, l); err != nil {
		t.Fatalf("the lease: %v", err)
	}
	if _, _, err = s.Create(ctx, "/room/2", nil, l); err != nil {
		t.Fatalf("a write: %v", err)
	}
	for got := range seen { // a watch that begins anew sees the first one too
		if got == "/room/2" {
			return
		}
	}
}

// A login waits for an etcd that starts beside us; a refusal is not waited for.
func TestLoginWaits(t *testing.T) {
	server := etcdtest.Start(t)
	server.DemandLogin(nil, "game", "secret", "/")
	server.Kill()
	opened := make(chan error, 1)
	go func() {
		s, err := etcd.Open(etcd.Config{Endpoints: []string{server.URL}, User: "game", Password: "secret", Wait: time.Minute})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	server.Restart()
	select {
	case err := <-opened:
		if err != nil {
			t.Fatal(err)
		}
	case <-bounded(t).Done():
		t.Fatal("not opened")
	}
}

// An etcd that demands certificates gets ours, and who has none, or another
// authority, learns that this is why.
func TestClientCertificates(t *testing.T) {
	ca := certstest.New(t)
	serverCert, serverKey := ca.Sign("etcd")
	server := etcdtest.StartTLS(t, etcdtest.Files{CA: ca.File, Cert: serverCert, Key: serverKey})
	if !strings.HasPrefix(server.URL, "https://") {
		t.Fatalf("etcd at %s", server.URL)
	}
	cert, key := ca.Sign("game")
	other := certstest.New(t)
	strangeCert, strangeKey := other.Sign("game")
	for _, row := range []struct {
		what, ca, cert, key string
		want                string
	}{
		{"all is well", ca.File, cert, key, ""},
		{"no certificate", ca.File, "", "", "certificate required"},
		{"a certificate of another authority", ca.File, strangeCert, strangeKey, "unknown certificate authority"},
		{"an etcd of another authority", other.File, cert, key, "certificate signed by unknown authority"},
		{"an etcd that no system knows", "", cert, key, "certificate signed by unknown authority"},
	} {
		files, err := etcd.Certificates(row.ca, row.cert, row.key)
		if err != nil {
			t.Fatal(err)
		}
		cfg := etcd.Config{Endpoints: []string{server.URL}, TLS: files}
		s := openAs(t, cfg)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, _, err = s.Grant(ctx, 5*time.Second)
		cancel()
		why := etcd.Reach(bounded(t), cfg)
		if row.want == "" && (err != nil || why != nil) {
			t.Errorf("%s: %v, reach: %v", row.what, err, why)
		}
		if row.want != "" && (err == nil || why == nil || !strings.Contains(why.Error(), row.want)) {
			t.Errorf("%s: %v, reach: %v; want %q", row.what, err, why, row.want)
		}
	}
	if _, err := etcd.Certificates(ca.File, cert, serverKey); err == nil {
		t.Error("a key of another certificate was taken")
	}
	if _, err := etcd.Certificates(key, "", ""); err == nil {
		t.Error("an authority without a certificate was taken")
	}
}
