package cli

import (
	"context"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
	"github.com/shaddock-game/shaddock/cmd/bot/swarm"
)

// runCommand loads a server.
type runCommand struct {
	swarm.Config `embed:""`
	outputs      `embed:""`
	Live         string `default:"auto" enum:"auto,screen,lines,off" group:"Output" help:"What to show meanwhile: screen, lines (one a second, to stderr), off, or auto: the screen on a terminal, else lines."`
}

// Run makes the run. Everything that can be wrong about the command line is
// found before the first connection.
func (c *runCommand) Run(ctx context.Context, std Streams, args commandLine) error {
	plan, err := swarm.Describe(c.Config)
	if err != nil {
		return usageError{err}
	}
	known := report.Known{Metrics: plan.Metrics, Server: plan.Server}
	fallback := plan.FailIf
	if fallback == nil {
		fallback = report.DefaultThresholds()
	}
	thresholds, err := c.thresholds(known, fallback)
	if err != nil {
		return err
	}
	files, err := c.create()
	if err != nil {
		return err
	}
	result, err := c.watched(ctx, std, plan)
	if err != nil {
		files.close()
		return err
	}
	result.Run.Command = args
	return conclude(std, result, files, thresholds)
}

// watched makes the run and shows it meanwhile. The terminal is given back
// before anything is printed.
func (c *runCommand) watched(ctx context.Context, std Streams, plan swarm.Plan) (*report.Result, error) {
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	live := c.live(std, plan, interrupt)
	c.Watch = live.Sample
	result, err := swarm.Run(ctx, c.Config)
	if cerr := live.Close(); err == nil {
		err = cerr
	}
	return result, err
}
