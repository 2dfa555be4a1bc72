package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
	"github.com/shaddock-game/shaddock/cmd/bot/report/page"
)

// outputs are the forms a result leaves in, and what is asked of it.
type outputs struct {
	JSON   string   `name:"json" type:"path" group:"Output" placeholder:"FILE" help:"Write the result: whole histograms, the time series and how the run was made."`
	CSV    string   `name:"csv" type:"path" group:"Output" placeholder:"FILE" help:"Write the time series, a row per second."`
	HTML   string   `name:"html" type:"path" group:"Output" placeholder:"FILE" help:"Write one page with charts that needs nothing else."`
	FailIf []string `name:"fail-if" sep:"none" group:"Output" placeholder:"'push.p99>100ms'" help:"Exit with 99 when this holds; give it several times. A run has a default: the scenario's, else lost, duplicated, out_of_order, errors and dropped above 0. 'never' for none."`
}

// never is the threshold that no run breaches.
const never = "never"

// thresholds parses what was asked, so that a slip in it ends the run before it
// begins. fallback is for a user who asked nothing.
func (o *outputs) thresholds(k report.Known, fallback []string) ([]report.Threshold, error) {
	texts := o.FailIf
	switch {
	case len(texts) == 0:
		texts = fallback
	case len(texts) == 1 && texts[0] == never:
		texts = nil
	}
	all, err := report.ParseThresholds(texts, k)
	if err != nil {
		return nil, usageError{fmt.Errorf("--fail-if: %w", err)}
	}
	return all, nil
}

// files are the outputs that are open while a run goes on: a path that cannot
// be written is found before and not after the load.
type files struct {
	open []openFile
}

type openFile struct {
	flag  string
	file  *os.File
	write writer
}

// writer writes a result and the thresholds it breached, in words.
type writer func(w io.Writer, r *report.Result, breaches []string) error

func (o *outputs) create() (*files, error) {
	f := new(files)
	for _, out := range []struct {
		flag, path string
		write      writer
	}{
		{"--json", o.JSON, func(w io.Writer, r *report.Result, _ []string) error { return r.WriteJSON(w) }},
		{"--csv", o.CSV, func(w io.Writer, r *report.Result, _ []string) error { return r.WriteCSV(w) }},
		{"--html", o.HTML, page.Write},
	} {
		if out.path == "" {
			continue
		}
		file, err := os.OpenFile(out.path, os.O_CREATE|os.O_WRONLY, 0o644) // not emptied before there is something to write
		if err != nil {
			f.close()
			return nil, usageError{fmt.Errorf("%s: %w", out.flag, err)}
		}
		f.open = append(f.open, openFile{out.flag, file, out.write})
	}
	return f, nil
}

func (f *files) close() {
	for _, o := range f.open {
		o.file.Close()
	}
}

// write writes the result in all forms and closes them.
func (f *files) write(r *report.Result, breaches []string) error {
	defer f.close()
	for _, o := range f.open {
		if err := o.file.Truncate(0); err != nil {
			return fmt.Errorf("%s: %w", o.flag, err)
		}
		if err := o.write(o.file, r, breaches); err != nil {
			return fmt.Errorf("%s: %w", o.flag, err)
		}
		if err := o.file.Close(); err != nil {
			return fmt.Errorf("%s: %w", o.flag, err)
		}
	}
	return nil
}

// conclude prints the table, writes the files and judges; the error is
// errBreached when the run was made and has failed.
func conclude(std Streams, r *report.Result, f *files, all []report.Threshold) error {
	breaches := report.Breaches(r, all)
	r.WriteTable(std.Out)
	if len(breaches) > 0 {
		fmt.Fprintln(std.Out)
	}
	for _, why := range breaches {
		fmt.Fprintf(std.Out, "breached: %s\n", why)
	}
	if err := f.write(r, breaches); err != nil {
		return err
	}
	if len(breaches) > 0 {
		return errBreached
	}
	return nil
}
