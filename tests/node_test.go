package tests

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

// nodeEnv makes this program a server: nodes of a cluster are processes of their
// own, as they are in life, with the race detector when the tests have it.
const nodeEnv = "SHADDOCK_TEST_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(nodeEnv) == "" {
		code := m.Run()
		etcdtest.Clean()
		os.Exit(code)
	}
	_ = os.Unsetenv(nodeEnv)
	cfg, err := app.Parse(os.Args[1:])
	if err == nil {
		cfg.Rooms = append(cfg.Rooms, ledgerKind(), tallyKind())
		cfg.Setup = nodeRoutes
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop)
		go func() { // the test has died
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		err = app.Run(ctx, cfg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

// cluster is a fleet whose nodes are this program, and which fails the test when
// something about it does.
type cluster struct {
	*fleet.Fleet
	t *testing.T
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	return startFleet(t, fleet.Config{})
}

// startFleet starts a cluster that is something special.
func startFleet(t *testing.T, cfg fleet.Config) *cluster {
	t.Helper()
	cfg.Command, cfg.Env, cfg.Data = os.Args[:1], append(cfg.Env, nodeEnv+"=1"), t.TempDir()
	f, err := fleet.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return &cluster{f, t}
}

// node starts a node.
func (c *cluster) node(name string, flags ...string) *fleet.Node {
	c.t.Helper()
	n, err := c.Add(name, flags...)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Error(err)
	}
}

// page reads a page of a node's admin listener.
func (c *cluster) page(n *fleet.Node, path string) string {
	c.t.Helper()
	s, err := n.Get(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}
