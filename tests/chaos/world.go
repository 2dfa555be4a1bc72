package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/shaddock-game/shaddock/tests/chaos/crowd"
	"github.com/shaddock-game/shaddock/tests/chaos/proof"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

// world is a cluster that can be mistreated.
type world struct {
	*fleet.Fleet
	network *fleet.Network // nil: without partitions
	dir     string
}

// newWorld starts etcd and the members of a topology, with what they write in dir.
func newWorld(dir string, members []member, partitions bool, ttl time.Duration, env ...string) (w *world, err error) {
	w = &world{dir: dir}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if partitions {
		if w.network, err = fleet.NewNetwork(); err != nil {
			return w, err
		}
	}
	program, err := os.Executable()
	if err != nil {
		return w, err
	}
	if w.Fleet, err = fleet.Start(fleet.Config{
		Command: []string{program}, Env: append(env, nodeEnv+"="+dir), Network: w.network, Data: dir, Logs: dir,
		Flags: []string{"--cluster-ttl", ttl.String(), "--grace", "20s"},
	}); err != nil {
		return w, err
	}
	for _, m := range members {
		if _, err := w.add(m); err != nil {
			return w, err
		}
	}
	return w, nil
}

// add starts one more node.
func (w *world) add(m member) (*fleet.Node, error) {
	switch {
	case !m.gate:
		return w.Add(m.name, "--roles", "rooms")
	case !m.host:
		return w.Add(m.name, "--roles", "gate")
	}
	return w.Add(m.name)
}

func (w *world) close() {
	if w.Fleet != nil {
		w.Fleet.Close()
	}
	if w.network != nil {
		w.network.Close()
	}
}

// node returns a node by name.
func (w *world) node(name string) *fleet.Node {
	for _, n := range w.Nodes() {
		if n.Name == name {
			return n
		}
	}
	panic("no node " + name)
}

// gates are the nodes that callers go to.
func (w *world) gates(members []member) (gates []crowd.Gate) {
	for _, m := range members {
		if m.gate {
			gates = append(gates, crowd.Gate{Name: m.name, Addr: w.node(m.name).Players})
		}
	}
	return gates
}

// roomEvents reads what all rooms have written down.
func (w *world) roomEvents() ([]proof.Event, error) {
	files, err := filepath.Glob(filepath.Join(w.dir, "*"+roomLog))
	if err != nil {
		return nil, err
	}
	var all []proof.Event
	for _, f := range files {
		events, err := proof.Read(f)
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no room has written anything to %s", w.dir)
	}
	return all, nil
}

// topology draws who there is: gates and hosts apart, or nodes that are both.
func topology(seed uint64) []member {
	if seed%3 == 0 {
		return []member{{"n1", true, true}, {"n2", true, true}, {"n3", true, true}, {"n4", true, true}}
	}
	return []member{{"g1", true, false}, {"g2", true, false}, {"r1", false, true}, {"r2", false, true}, {"r3", false, true}}
}
