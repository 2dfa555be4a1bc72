package main

import (
	"fmt"
	"path/filepath"

	"github.com/shaddock-game/shaddock/tests/peers/child"
)

// server is one column of the comparison.
type server struct {
	name string
	dir  string // module to build in, seen from the root of the repository
	pkg  string
	args []string

	// fillQuietly keeps new users from being announced. In a room of n that is
	// n²/2 pushes before anything is measured: nano would need minutes for 5,000
	// and drops what its queues cannot hold. Nobody joins while we measure.
	fillQuietly []string

	// wanted are expressions for the lines it prints when it is ready: the URL
	// that players dial and, where there is one, the URL of its metrics.
	wanted []string
}

// servers are all columns, ours first.
var servers = []server{
	{
		name:   "shaddock",
		dir:    ".",
		pkg:    "./cmd/server",
		args:   []string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-level", "warn", "--rate-limit", "0", "--byte-rate", "0"},
		wanted: []string{`(ws://\S+/nano)`, `(http://\S+/metrics)`},
	},
	{
		name:        "nano",
		dir:         "tests/peers",
		pkg:         "./nano",
		args:        []string{"--listen", "127.0.0.1:0"},
		fillQuietly: []string{"--announce=false"},
		wanted:      []string{`(ws://\S+)`},
	},
	{
		name:        "bare",
		dir:         "tests/peers",
		pkg:         "./bare",
		args:        []string{"--listen", "127.0.0.1:0"},
		fillQuietly: []string{"--announce=false"},
		wanted:      []string{`(ws://\S+)`},
	},
}

// running is a started server.
type running struct {
	*child.Process
	url     string
	metrics string // "" when it has none
}

// start runs the server from its binary in bin. The caller must Stop it.
func (s server) start(bin string, quiet bool) (*running, error) {
	args := s.args
	if quiet {
		args = append(args[:len(args):len(args)], s.fillQuietly...)
	}
	p, found, err := child.Start(filepath.Join(bin, s.name), args, s.wanted...)
	if err != nil {
		return nil, err
	}
	r := &running{Process: p, url: found[0]}
	if len(found) > 1 {
		r.metrics = found[1]
	}
	return r, nil
}

// buildAll compiles the bot and the chosen servers into bin.
func buildAll(root, bin string, chosen []server) error {
	if err := child.Build(root, "./cmd/bot", filepath.Join(bin, "bot")); err != nil {
		return err
	}
	for _, s := range chosen {
		if err := child.Build(filepath.Join(root, s.dir), s.pkg, filepath.Join(bin, s.name)); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
