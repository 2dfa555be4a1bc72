// Package cli is the bot's command line: its grammar, its help, its exit codes.
// What the commands do lives in the packages beside it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
)

// The exit codes of the bot.
const (
	ExitOK       = 0
	ExitFailed   = 1  // the run could not be made, or its report not be written
	ExitUsage    = 2  // the command line makes no sense
	ExitBreached = 99 // the run was made and breached a threshold
)

// Streams are the files of a process.
type Streams struct {
	In       *os.File
	Out, Err *os.File
}

// grammar is the command line. What a command's Run returns becomes the exit
// code: a usageError is ExitUsage, errBreached is ExitBreached, any other is
// ExitFailed.
type grammar struct {
	Run        runCommand                `cmd:"" default:"withargs" help:"Load a server and report (what bot does when no command is named)."`
	Compare    compareCommand            `cmd:"" help:"Put two results side by side, the second as a ratio of the first."`
	Report     reportCommand             `cmd:"" help:"Show results again, in any form; several are merged into one."`
	Scenarios  scenariosCommand          `cmd:"" help:"List the built-in scenarios, or print one to start from."`
	Completion kongcompletion.Completion `cmd:"" completion-shell-default:"true" help:"Set up completion for bash, zsh or fish."`
}

// usageError marks what the user can mend on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errBreached says that the reasons have been printed.
var errBreached = errors.New("thresholds were breached")

// exit carries the code of kong's own exits (--help) out of the parser.
type exit int

// Main runs the command line args, program name first, and returns the exit
// code. The end of ctx interrupts a run, which then reports what it has.
func Main(ctx context.Context, args []string, std Streams) (code int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			code = int(r)
		default:
			panic(r)
		}
	}()
	var g grammar
	parser, err := kong.New(&g, kong.Name("bot"), kong.Description(description), kong.Help(help),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Writers(std.Out, std.Err), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(std), kong.Bind(commandLine(args)))
	if err != nil {
		panic(err) // the grammar is part of the program
	}
	kongcompletion.Register(parser, predictors()...)
	parsed, err := parser.Parse(args[1:])
	if err == nil {
		err = parsed.Run()
	} else {
		err = usageError{err}
	}
	return explain(std.Err, err)
}

// commandLine is what the user typed, for the report.
type commandLine []string

// explain prints what a command came to and returns the exit code.
func explain(w io.Writer, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errBreached):
		return ExitBreached
	case errors.As(err, &usage):
		fmt.Fprintf(w, "bot: %v\nTry 'bot --help'.\n", err)
		return ExitUsage
	default:
		fmt.Fprintf(w, "bot: %v\n", err)
		return ExitFailed
	}
}
