package cli

import (
	"os"
	"strings"

	"github.com/charmbracelet/x/term"

	"github.com/shaddock-game/shaddock/cmd/bot/pace"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
	"github.com/shaddock-game/shaddock/cmd/bot/swarm"
	"github.com/shaddock-game/shaddock/cmd/bot/view"
)

// live shows a run while it goes on.
type live interface {
	Sample(report.Sample)
	Close() error
}

// nobody watches.
type nobody struct{}

func (nobody) Sample(report.Sample) {}
func (nobody) Close() error         { return nil }

// live chooses what to show, and where. interrupt ends the run.
func (c *runCommand) live(std Streams, plan swarm.Plan, interrupt func()) live {
	drive, _ := pace.Total(plan.Stages)
	p := view.Plan{Scenario: plan.Scenario, Target: strings.Join(plan.Addr, ", "), Sessions: plan.Sessions, Drive: drive}
	switch how := c.Live; {
	case how == "screen", how == "auto" && terminal(std.In) && terminal(std.Out):
		return view.Open(std.In, std.Out, p, interrupt)
	case how == "off":
		return nobody{}
	default:
		return view.NewLines(std.Err, p)
	}
}

func terminal(f *os.File) bool { return term.IsTerminal(f.Fd()) }
