// Command server runs shaddock: a game server that speaks the pomelo protocol
// over WebSocket and TCP on one port, with its demo games and their pages.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/shaddock-game/shaddock/cmd/server/app"
)

func main() { os.Exit(run()) }

func run() int {
	cfg, err := app.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // from here on a second signal ends the process at once

	if err := cfg.Do(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "server:", err)
		return 1
	}
	return 0
}
