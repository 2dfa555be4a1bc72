package cli

import (
	"context"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
	"github.com/shaddock-game/shaddock/cmd/bot/swarm"
)

// runCommand loads a server.
type runCommand struct {
	swarm.Config `embed:""`
	outputs      `embed:""`
}

// Run makes the run. Everything that can be wrong about the command line is
// found before the first connection.
func (c *runCommand) Run(ctx context.Context, std Streams, args commandLine) error {
	if err := c.Check(); err != nil {
		return usageError{err}
	}
	scen, err := scenario.Open(c.Scenario)
	if err != nil {
		return usageError{err}
	}
	known := report.Known{Metrics: scen.Metrics, Server: c.PID != 0}
	thresholds, err := c.thresholds(known, report.DefaultThresholds())
	if err != nil {
		return err
	}
	files, err := c.create()
	if err != nil {
		return err
	}
	rep, err := swarm.Run(ctx, c.Config)
	if err != nil {
		files.close()
		return err
	}
	result := rep.Result(&c.Config)
	result.Run.Command = args
	return conclude(std, result, files, thresholds)
}
