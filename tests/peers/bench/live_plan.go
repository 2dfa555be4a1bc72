package main

import (
	"fmt"
	"time"
)

// liveLoad is one row of the live table: one room, everyone hears everything.
type liveLoad struct {
	group   string // rows of a group share a heading
	members int
	stalled int // of them, who never read
	window  time.Duration
	rate    int           // messages a second into the room
	within  time.Duration // goal for the p99, 0: none
	long    bool          // measured for longer when asked for
}

// liveLoads are what issue 4 asks for. The windows of the cost table all see the
// same million deliveries a second.
var liveLoads = []liveLoad{
	{group: liveLimits, members: 5000, window: 200 * time.Millisecond, rate: 1000, within: 400 * time.Millisecond, long: true},
	{group: liveLimits, members: 5000, window: 200 * time.Millisecond, rate: 2000, within: 400 * time.Millisecond, long: true},
	{group: liveLimits, members: 5000, window: 50 * time.Millisecond, rate: 500, within: 400 * time.Millisecond, long: true},
	{group: liveCosts, members: 5000, window: 0, rate: 200},
	{group: liveCosts, members: 5000, window: 10 * time.Millisecond, rate: 200},
	{group: liveCosts, members: 5000, window: 50 * time.Millisecond, rate: 200},
	{group: liveCosts, members: 5000, window: 200 * time.Millisecond, rate: 200},
	{group: liveQuiet, members: 200, window: 0, rate: 4},
	{group: liveQuiet, members: 200, window: 200 * time.Millisecond, rate: 4},
	{group: liveStall, members: 5000, window: 200 * time.Millisecond, rate: 1000},
	{group: liveStall, members: 5000, stalled: 1, window: 200 * time.Millisecond, rate: 1000},
}

// The headings.
const (
	liveLimits = "live: one room at the machine's limit"
	liveCosts  = "live: what a window saves, 200 messages/s into a room of 5,000"
	liveQuiet  = "live: a quiet room, where each message comes after silence: its p99 must not show the window"
	liveStall  = "live: one member who never reads, and the others"
)

// liveTiming is how long messages are sent for.
type liveTiming struct{ short, long time.Duration }

var (
	liveFull  = liveTiming{short: 10 * time.Second, long: 30 * time.Second}
	liveShort = liveTiming{short: 3 * time.Second, long: 5 * time.Second}
)

func (t liveTiming) of(l liveLoad) time.Duration {
	if l.long {
		return t.long
	}
	return t.short
}

// args are the flags of the server for a load.
func (l liveLoad) args() []string {
	return []string{"--live-window", l.window.String(), "--live-batch", "0", "--live-rate", "0", "--live-history", "0"}
}

func (l liveLoad) name() string {
	name := fmt.Sprintf("%d members, window %v, %d messages/s", l.members, l.window, l.rate)
	if l.stalled > 0 {
		name += fmt.Sprintf(", %d stalled", l.stalled)
	}
	return name
}
