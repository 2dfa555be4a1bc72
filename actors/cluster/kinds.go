package cluster

import (
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/directory"
)

// kindsEvery is how often a node looks whether each kind of room may run somewhere;
// who starts a cluster node by node is not bothered meanwhile.
const kindsEvery = 5 * time.Second

// lookAfterKinds logs when a kind of room cannot run anywhere, and when it can.
func (n *Node) lookAfterKinds() {
	var was []directory.Unhosted
	tick := time.NewTicker(kindsEvery)
	defer tick.Stop()
	for {
		select {
		case <-n.run.Done():
			return
		case <-tick.C:
		}
		is := n.directory.Load().Unhosted()
		for _, u := range is {
			if !among(was, u) {
				n.log.Warn("rooms of a kind cannot run anywhere", "kind", u.Kind, "why", u.String())
			}
		}
		for _, u := range was {
			if !among(is, u) {
				n.log.Info("rooms of a kind can run again", "kind", u.Kind)
			}
		}
		was = is
	}
}

func among(all []directory.Unhosted, u directory.Unhosted) bool {
	return slices.ContainsFunc(all, func(o directory.Unhosted) bool { return o.Kind == u.Kind })
}
