// Command chaos runs a cluster of real processes, has callers talk to its rooms,
// mistreats it by a schedule that a seed draws, and then proves from what rooms and
// callers have written down that nothing happened which must not, see tests/chaos/proof.
//
//	go run -race ./tests/chaos                    ten minutes, as make chaos does
//	go run -race ./tests/chaos --for 60s --seed 7 one minute, with the schedule of seed 7
//	go run ./tests/chaos failures                 the table of failures in ARCHITECTURE.md
//
// Where the machine gives it network namespaces, nodes are cut off from etcd and from
// each other as well.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/tests/chaos/ledger"
	"github.com/shaddock-game/shaddock/tests/chaos/proof"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

func main() {
	if dir := os.Getenv(nodeEnv); dir != "" {
		os.Exit(serve(dir, os.Args[1:]))
	}
	code, ended, err := fleet.Isolate()
	if ended {
		os.Exit(code)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos: without partitions, this machine has no network namespaces for us:", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = command(ctx, err == nil)
	stop()
	etcdtest.Clean()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, partitions bool) error {
	if len(os.Args) > 1 && os.Args[1] == "failures" {
		return failures(ctx, os.Args[2:], partitions)
	}
	cfg := config{partitions: partitions}
	flag.Uint64Var(&cfg.seed, "seed", 0, "of the schedule; 0 draws one")
	flag.DurationVar(&cfg.length, "for", 10*time.Minute, "how long the cluster is mistreated")
	flag.IntVar(&cfg.rooms, "rooms", 48, "rooms that are called")
	flag.DurationVar(&cfg.every, "every", 250*time.Millisecond, "between two calls of one room")
	flag.DurationVar(&cfg.ttl, "ttl", 3*time.Second, "of the nodes' leases")
	flag.StringVar(&cfg.dir, "dir", "", "folder for the logs, kept; without it they are kept only when something is wrong")
	flag.Parse()
	for cfg.seed == 0 {
		cfg.seed = rand.Uint64N(1e6)
	}
	return chaos(ctx, cfg, os.Stdout)
}

// nodeEnv makes this program a node, and names the folder that its rooms log to.
// quietEnv has them tell only who asked.
const (
	nodeEnv  = "SHADDOCK_CHAOS_NODE"
	quietEnv = "SHADDOCK_CHAOS_QUIET"
)

// serve is the server with the rooms of this program beside its own.
func serve(dir string, args []string) int {
	go func() { // ends with whoever started us
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := app.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		return 2
	}
	log, err := proof.Create(filepath.Join(dir, cfg.Cluster.Node+"-"+strconv.Itoa(os.Getpid())+roomLog))
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		return 2
	}
	defer log.Close()
	cfg.Rooms = ledger.Kinds(log, os.Getenv(quietEnv) != "")
	if err := app.Run(ctx, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		return 1
	}
	return 0
}

const roomLog = ".rooms"
