package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
)

// scenariosCommand lists what is built in.
type scenariosCommand struct {
	Name string `arg:"" optional:"" predictor:"builtin" help:"Print this one, to start a file of your own from."`
}

// Run prints a line per scenario, or the file of one.
func (c *scenariosCommand) Run(std Streams) error {
	if c.Name != "" {
		text, err := scenario.Builtin(c.Name)
		if err != nil {
			return usageError{err}
		}
		_, err = std.Out.Write(text)
		return err
	}
	w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
	for _, name := range scenario.Builtins() {
		s, err := scenario.Open(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\n", name, s.About)
	}
	return w.Flush()
}
