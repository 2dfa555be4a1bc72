// Command bot loads a pomelo server with sessions that chat, ask or idle, on an
// open schedule, and reports the latencies that players would have seen.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/shaddock-game/shaddock/cmd/bot/swarm"
)

// Exit codes: 0 all went well, 1 the run failed, 2 usage, 99 something was lost.
const exitLost = 99

func main() { os.Exit(run()) }

func run() int {
	cfg, err := swarm.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bot:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rep, err := swarm.Run(ctx, cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bot:", err)
		return 1
	}
	if rep.Failed() {
		return exitLost
	}
	return 0
}
