package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// load is one block of the table: the same work for every server.
type load struct {
	name     string // for --only and the JSON
	scenario string // of cmd/bot
	sessions int
	rooms    int
	rate     int // acts a second: messages into all rooms, or requests
	rounds   int // 0: as many as asked for
}

// loads are what is measured. The rates keep nano below saturation on two
// cores, with the bot beside it, and let the walk over a room end before the
// next message comes: shaddock merges what waits for a walk, and a merged write
// must not be compared with single ones.
var loads = []load{
	{name: "idle", scenario: "idle", sessions: 10_000, rooms: 1},
	{name: "room1000", scenario: "chat", sessions: 1_000, rooms: 1, rate: 60},
	{name: "room5000", scenario: "chat", sessions: 5_000, rooms: 1, rate: 12},
	{name: "rooms50", scenario: "chat", sessions: 5_000, rooms: 100, rate: 800},
	{name: "echo", scenario: "echo", sessions: 200, rooms: 1, rate: 10_000},
}

// title says what happens, for readers of the table.
func (l load) title() string {
	switch {
	case l.scenario == "idle":
		return fmt.Sprintf("%s idle sessions", thousands(l.sessions))
	case l.scenario == "echo":
		return fmt.Sprintf("echo: %s requests/s over %s connections", thousands(l.rate), thousands(l.sessions))
	case l.rooms == 1:
		return fmt.Sprintf("one room of %s: %d messages/s, %s deliveries/s", thousands(l.sessions), l.rate, thousands(l.rate*l.sessions))
	}
	return fmt.Sprintf("%d rooms of %d: %d messages/s, %s deliveries/s",
		l.rooms, l.sessions/l.rooms, l.rate, thousands(l.rate*l.sessions/l.rooms))
}

// goal is what issue 2 asks of shaddock, as a ratio to another server.
type goal struct {
	to    string
	limit float64
}

// goals by load; printed beside the ratio, never enforced: a machine that is
// busy with something else must not fail a build.
var goals = map[string]goal{
	"room1000": {"bare", 1.10},
	"room5000": {"bare", 1.10},
	"rooms50":  {"nano", 0.50},
	"echo":     {"nano", 0.50},
}

// goalKB is the resident memory of an idle session to reach.
const goalKB = 2.0

// timing is how long a run of the bot lasts.
type timing struct {
	rounds  int
	measure time.Duration
}

var (
	full  = timing{rounds: 3, measure: 5 * time.Second}
	quick = timing{rounds: 1, measure: 3 * time.Second}
)

// turns returns the order of the columns in a round. Every other round goes
// backwards, so that a machine that slows down steadily favours nobody.
func turns[T any](columns []T, round int) []T {
	order := slices.Clone(columns)
	if round%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

// thousands prints 50000 as 50,000.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
