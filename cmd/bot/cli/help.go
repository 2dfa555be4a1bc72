package cli

import (
	"fmt"

	"github.com/alecthomas/kong"
)

const description = `Loads a game server that speaks the pomelo protocol (shaddock, nano, pitaya, cherry, pomelo) on an open schedule, and reports what its players would have felt.`

const examples = `
All flags of a run: bot run --help

Examples:
  bot                                        the chat scenario against a local server
  bot --addr ws://127.0.0.1:3250/nano --sessions 1000 --rooms 10 --rate 200 --duration 30s
  bot --scenario echo --rate 5000 --fail-if 'request.p99>20ms' --fail-if 'errors>0'
  bot --scenario game.yaml --json a.json --html a.html
  bot compare a.json b.json                  ratios of two runs
  bot report a.json b.json                   two generators' results as one
  bot scenarios chat > game.yaml             a file to start from

Thresholds: VALUE OPERATOR LIMIT, as in 'push.p99>100ms', 'request[room.join].errors>0',
  'lost>0', 'server.cpu_per_op>12us'. An unknown value is an error that lists the known ones.

Exit codes: 0 all is well, 1 the run could not be made, 2 the command line makes no sense,
  99 a threshold was breached.
`

// help prints kong's own help and what a reader wants besides.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	top := ctx.Selected() == nil || ctx.Selected().Name == "run"
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	if top {
		fmt.Fprint(ctx.Stdout, examples)
	}
	return nil
}

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
