package cluster

import (
	"maps"
	"slices"

	"github.com/shaddock-game/shaddock/actors/cluster/directory"
)

// hosts are those who run what comes to this node, by kind. It is the directory's
// Host, and read-only once the node has started.
type hosts map[string]directory.Host

func (h *hosts) add(host directory.Host, kinds []string) {
	if *h == nil {
		*h = make(hosts)
	}
	for _, k := range kinds {
		(*h)[k] = host
	}
}

func (h hosts) kinds() []string { return slices.Sorted(maps.Keys(h)) }

// host is nil when nobody serves anything.
func (h hosts) host() directory.Host {
	if len(h) == 0 {
		return nil
	}
	return h
}

// Start implements directory.Host.
func (h hosts) Start(key directory.Key, epoch uint64) { h[key.Kind].Start(key, epoch) }

// Suspend implements directory.Host.
func (h hosts) Suspend(key directory.Key, epoch uint64) { h[key.Kind].Suspend(key, epoch) }

// Resume implements directory.Host.
func (h hosts) Resume(key directory.Key, epoch, next uint64) { h[key.Kind].Resume(key, epoch, next) }

// Stop implements directory.Host.
func (h hosts) Stop(key directory.Key, epoch uint64, why directory.Why) {
	h[key.Kind].Stop(key, epoch, why)
}
