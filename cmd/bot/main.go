package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/shaddock-game/shaddock/cmd/bot/cli"
	"github.com/shaddock-game/shaddock/cmd/bot/swarm"
)

func main() {
	if swarm.IsWorker() {
		if err := swarm.Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bot worker:", err)
			os.Exit(cli.ExitFailed)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
