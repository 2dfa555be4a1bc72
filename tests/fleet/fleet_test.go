package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
	"github.com/shaddock-game/shaddock/cmd/server/app"
)

// nodeEnv makes this program a server.
const nodeEnv = "SHADDOCK_TEST_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(nodeEnv) != "" {
		os.Exit(node())
	}
	code, ended, err := Isolate()
	if err != nil {
		fmt.Fprintln(os.Stderr, "without partitions:", err)
	}
	if ended {
		os.Exit(code)
	}
	code = m.Run()
	etcdtest.Clean()
	os.Exit(code)
}

func node() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { // the test has died
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	cfg, err := app.Parse(os.Args[1:])
	if err == nil {
		err = app.Run(ctx, cfg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func start(t *testing.T, network *Network) *Fleet {
	t.Helper()
	f, err := Start(Config{
		Command: os.Args[:1], Env: []string{nodeEnv + "=1"}, Data: t.TempDir(), Network: network, Flags: []string{"--cluster-ttl", "2s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func add(t *testing.T, f *Fleet, name string) *Node {
	t.Helper()
	n, err := f.Add(name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantMembers waits until a node knows of as many.
func wantMembers(t *testing.T, what string, n *Node, want int) {
	t.Helper()
	line := fmt.Sprintf("\nshaddock_cluster_members %d\n", want)
	if !Await(Patience, func() bool {
		page, err := n.Get("/metrics")
		return err == nil && strings.Contains(page, line)
	}) {
		t.Fatalf("%s: %s does not come to know of %d members", what, n.Name, want)
	}
}

// What is done to a node is really done to it: the others see it.
func TestNodesDieAndComeBack(t *testing.T) {
	f := start(t, nil)
	a, b := add(t, f, "a"), add(t, f, "b")
	wantMembers(t, "both are there", a, 2)

	b.Kill()
	if b.Running() {
		t.Fatal("a killed node runs")
	}
	wantMembers(t, "one was killed", a, 1)
	must(t, b.Start())
	wantMembers(t, "it came back", a, 2)
	if b.Start() == nil {
		t.Fatal("a node that runs was started again")
	}

	must(t, b.Pause())
	wantMembers(t, "a paused node is missed when its lease has run out", a, 1)
	must(t, b.Resume())
	wantMembers(t, "and returns", a, 2)

	must(t, b.Stop())
	wantMembers(t, "one has left", a, 1)
	if err := b.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("a signal to a node that is gone: %v", err)
	}

	f.Etcd.Kill()
	must(t, f.Etcd.Restart())
	must(t, b.Start())
	wantMembers(t, "etcd was away", a, 2)
}

// A cable that is pulled and a path that is cut are what they are called.
func TestNetworkIsCutAndMended(t *testing.T) {
	if !Isolated() {
		t.Skip("this machine has no network namespaces for us")
	}
	network, err := NewNetwork()
	must(t, err)
	t.Cleanup(network.Close)
	f := start(t, network)
	a, b := add(t, f, "a"), add(t, f, "b")
	wantMembers(t, "both are there", a, 2)
	if c, err := net.DialTimeout("tcp", b.Players(), time.Second); err != nil {
		t.Fatalf("players reach b: %v", err)
	} else {
		c.Close()
	}

	must(t, network.Cut("b", EtcdName))
	wantMembers(t, "b is cut off from etcd", a, 1)
	must(t, network.Mend("b", EtcdName))
	wantMembers(t, "and is back", a, 2)

	must(t, network.Leave("b"))
	_, err = net.DialTimeout("tcp", b.Players(), 200*time.Millisecond)
	if e, is := errors.AsType[net.Error](err); !is || !e.Timeout() {
		t.Fatalf("a dial to a pulled cable: %v; want silence", err)
	}
	wantMembers(t, "b has vanished", a, 1)
	must(t, network.Join("b"))
	wantMembers(t, "and is back", a, 2)

	was := b.Players()
	b.Kill()
	must(t, b.Start())
	if b.Players() != was {
		t.Fatalf("b was at %s and came back at %s", was, b.Players())
	}
}
