package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/certs/certstest"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

// An etcd as operators have it: its clients show certificates and log in, as a user who
// may touch this cluster's keys and no others. Nodes go on through its restart.
func TestClusterOnGuardedEtcd(t *testing.T) {
	ca := certstest.New(t)
	serverCert, serverKey := ca.Sign("etcd")
	cert, key := ca.Sign("node")
	word := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(word, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := []string{"--cluster-etcd-ca", ca.File, "--cluster-etcd-cert", cert, "--cluster-etcd-key", key}
	login := []string{"--cluster-etcd-user", "game", "--cluster-etcd-password-file", word}
	c := startFleet(t, fleet.Config{
		Flags:     append(files, "--cluster-name", "blue"),
		EtcdFiles: etcdtest.Files{CA: ca.File, Cert: serverCert, Key: serverKey},
	})
	tls, err := etcd.Certificates(ca.File, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	c.must(c.Etcd.DemandLogin(tls, "game", "open sesame", "/blue/"))

	host, g1, g2 := c.node("host", append(login, "--roles", "rooms")...), c.node("g1", append(login, "--roles", "gate")...), c.node("g2", login...)
	ann, bob := join(t, g1.Players(), "/nano"), join(t, g2.Players(), "")
	for _, p := range []*peer{ann, bob} {
		p.wantAnswer("join", p.request("room.join", `{"room":"x"}`))
	}
	talk(t, "all is well", []*peer{ann}, []*peer{bob})
	if line := c.page(host, "/debug/pprof/cmdline"); !strings.Contains(line, "cluster-etcd-user") || strings.Contains(line, "sesame") {
		t.Errorf("what everybody can read of the process: %q", line)
	}

	c.Etcd.Kill()
	c.must(c.Etcd.Restart())
	carol := join(t, g1.Players(), "/nano")
	carol.wantAnswer("a new room", carol.request("room.join", `{"room":"y"}`))
	talk(t, "after a restart of etcd", []*peer{ann}, []*peer{bob})
	host.Kill()
	talk(t, "after a host was lost", []*peer{ann}, []*peer{bob})

	if n, err := c.Add("nobody"); err == nil {
		t.Errorf("a node without a login serves at %s", n.Players())
	}
	if n, err := c.Add("another", append(login, "--cluster-name", "red")...); err == nil {
		t.Errorf("a node of another cluster serves at %s", n.Players())
	}
}
