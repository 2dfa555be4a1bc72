package cli

import (
	"path/filepath"
	"strings"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// compareCommand puts two results side by side.
type compareCommand struct {
	A        string   `arg:"" type:"existingfile" predictor:"json" help:"The result that is 1."`
	B        string   `arg:"" type:"existingfile" predictor:"json" help:"The result that is shown as a ratio of the first."`
	Names    []string `placeholder:"A,B" help:"Heads of the columns. Default: the names of the files."`
	Only     []string `placeholder:"NAME,..." help:"Show these alone: push, request[room.echo], server.cpu_per_op, …"`
	Markdown bool     `help:"Print a Markdown table."`
}

// Run prints the table.
func (c *compareCommand) Run(std Streams) error {
	names, err := c.heads()
	if err != nil {
		return err
	}
	a, err := report.Open(c.A)
	if err != nil {
		return err
	}
	b, err := report.Open(c.B)
	if err != nil {
		return err
	}
	cmp, err := report.Compare(a, b, names)
	if err != nil {
		return err
	}
	cmp.Keep(c.Only)
	if c.Markdown {
		cmp.WriteMarkdown(std.Out)
		return nil
	}
	cmp.Write(std.Out)
	return nil
}

func (c *compareCommand) heads() ([2]string, error) {
	switch len(c.Names) {
	case 0:
		return [2]string{stem(c.A), stem(c.B)}, nil
	case 2:
		return [2]string{c.Names[0], c.Names[1]}, nil
	}
	return [2]string{}, usagef("--names: give two, such as --names before,after")
}

func stem(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
