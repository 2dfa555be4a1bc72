package main

import (
	"fmt"
	"time"
)

// clusterLoad is one block of the cluster's table: one room of everybody, on a
// server alone and across three nodes.
type clusterLoad struct {
	name    string
	rate    int // messages a second into the room
	measure time.Duration
	rounds  int
}

// clusterMembers are in the room: with two gates a thousand on each.
const clusterMembers = 2000

// clusterLoads are a busy room, whose deliveries cost enough to be weighed in steps
// of 10 ms, and one in which each message finds everything at rest. At the first
// rate a walk over the room ends before the next message comes, else merged writes
// would be compared with single ones.
var clusterLoads = []clusterLoad{
	{name: "busy", rate: 20, measure: 6 * time.Second, rounds: 5},
	{name: "rest", rate: 4, measure: 6 * time.Second, rounds: 3},
}

func (l clusterLoad) title() string {
	return fmt.Sprintf("%s: one room of %s, %d messages/s, %s deliveries/s",
		l.name, thousands(clusterMembers), l.rate, thousands(clusterMembers*l.rate))
}

// arrangement is the processes that serve the room.
type arrangement struct {
	name  string
	gates int // 0: a server alone; else the room is on a node of its own
}

var arrangements = []arrangement{{name: "alone"}, {name: "2 gates + 1", gates: 2}}

// What issue 5 asks of a room across nodes.
const (
	goalClusterCPU = 1.15 // processor time a delivery, to the server alone
	goalClusterP99 = 2.0  // milliseconds that the rest load's p99 may grow by
	goalRemote     = 1.05 // remote messages a push and gate: those that say nothing but "arrived" count
)
