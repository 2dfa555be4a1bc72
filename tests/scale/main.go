// Command scale puts a million sessions into one live room of a real server,
// without a socket between them: transport.Local stands in for the kernel and
// the network, everything else is what serves players. It prints what a session
// costs in memory and what a broadcast to all of them costs in time; what that
// means for larger audiences is in the README beside it.
//
//	go run ./tests/scale
//	go run ./tests/scale --sessions 100000 --window 50ms
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	var cfg config
	flag.IntVar(&cfg.sessions, "sessions", 1_000_000, "sessions in the room")
	flag.IntVar(&cfg.burst, "burst", 200, "messages of the merged broadcast: what a window gathers")
	flag.DurationVar(&cfg.window, "window", 200*time.Millisecond, "merge window of the room")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := run(ctx, cfg, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		stop()
		os.Exit(1)
	}
	r.print(os.Stdout)
}

// print writes the figures, and what follows from them.
func (r *result) print(w io.Writer) {
	n := float64(r.sessions)
	fmt.Fprintf(w, "%d sessions in one live room, filled in %.1f s (%.1f µs each)\n", r.sessions, r.fill.Seconds(), r.fill.Seconds()*1e6/n)
	fmt.Fprintf(w, "resident   %.2f KB per session, %.0f MB in all; on the heap %.2f KB\n", r.resident/n/1024, r.resident/(1<<20), r.heap/n/1024)
	fmt.Fprintf(w, "one message to all     %v on the clock, %.0f ns of CPU per session\n", r.single.clock.Round(time.Millisecond), r.single.perSession(n))
	fmt.Fprintf(w, "%d messages to all    %v on the clock, %.0f ns of CPU per session, %.2f ns per delivery, in %.1f writes each\n",
		r.burst, r.merged.clock.Round(time.Millisecond), r.merged.perSession(n), r.merged.perSession(n)/float64(r.burst), float64(r.merged.writes)/n)
}
