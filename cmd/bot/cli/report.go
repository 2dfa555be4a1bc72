package cli

import (
	"fmt"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// reportCommand shows results that were kept.
type reportCommand struct {
	Files   []string `arg:"" type:"existingfile" predictor:"json" help:"Results of --json. Several, of generators that ran at the same time, are merged."`
	outputs `embed:""`
}

// Run reads, merges and writes.
func (c *reportCommand) Run(std Streams) error {
	var all []*report.Result
	for _, file := range c.Files {
		r, err := report.Open(file)
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	sum, err := report.Merge(all...)
	if err != nil {
		return fmt.Errorf("merge the results: %w", err)
	}
	// The thresholds of the run were judged when it was made: none by default.
	thresholds, err := c.thresholds(report.KnownTo(sum), nil)
	if err != nil {
		return err
	}
	files, err := c.create()
	if err != nil {
		return err
	}
	return conclude(std, sum, files, thresholds)
}
