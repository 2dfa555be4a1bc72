package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/tests/fleet"
)

// usage is what a node holds.
type usage struct {
	goroutines, files int
	resident          int // bytes
}

func (u usage) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d MB", u.goroutines, u.files, u.resident>>20)
}

// A node at rest may hold a little more than at the start: connections to peers that
// were started again, buffers of a pool, memory that the runtime has not given back.
const (
	moreGoroutines = 40
	moreFiles      = 20
	moreResident   = 96 << 20
)

func (u usage) leaks(start usage) bool {
	return u.goroutines > start.goroutines+moreGoroutines || u.files > start.files+moreFiles || u.resident > start.resident+moreResident
}

// most is the most that any node holds. All run the same program, and one that had not
// spoken to its peers yet at the start has leaked nothing once it has.
func most(all map[string]usage) (m usage) {
	for _, u := range all {
		m = usage{max(m.goroutines, u.goroutines), max(m.files, u.files), max(m.resident, u.resident)}
	}
	return m
}

// atRest waits until no node has a session or a room, and returns what each holds.
func (w *world) atRest(patience time.Duration) (map[string]usage, error) {
	all := make(map[string]usage)
	var busy string
	if !fleet.Await(patience, func() bool {
		for _, n := range w.Nodes() {
			m, err := metrics(n)
			if err != nil {
				busy = err.Error()
				return false
			}
			if m["shaddock_sessions"] > 0 || m["shaddock_rooms"] > 0 || m["shaddock_cluster_rooms_owned"] > 0 {
				busy = fmt.Sprintf("%s has %v sessions, %v rooms and owns %v", n.Name,
					m["shaddock_sessions"], m["shaddock_rooms"], m["shaddock_cluster_rooms_owned"])
				return false
			}
		}
		return true
	}) {
		return nil, fmt.Errorf("not at rest after %v: %s", patience, busy)
	}
	for _, n := range w.Nodes() {
		if _, err := n.Get("/debug/pprof/heap?gc=1"); err != nil { // what is garbage is no leak
			return nil, err
		}
		m, err := metrics(n)
		if err != nil {
			return nil, err
		}
		all[n.Name] = usage{int(m["go_goroutines"]), int(m["process_open_fds"]), int(m["process_resident_memory_bytes"])}
	}
	return all, nil
}

// metrics reads those of a node that have no labels.
func metrics(n *fleet.Node) (map[string]float64, error) {
	page, err := n.Get("/metrics")
	if err != nil {
		return nil, err
	}
	m := make(map[string]float64)
	for line := range strings.Lines(page) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			m[name] = v
		}
	}
	return m, nil
}
