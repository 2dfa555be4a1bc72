package rooms

import (
	"maps"

	"github.com/shaddock-game/shaddock/actors"
	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
)

// Node is one node of a cluster as Kind.Place sees it: ID tells it from all
// others, Name is the operator's for it, Labels are those of its --cluster-labels,
// Load is what it was busy with some two seconds ago.
type Node = roster.Member

// Needs sets labels that a node must have for rooms of this kind to run there, as
// its operator has given them by --cluster-labels; nil is none. While no node has
// them, joins are answered 503 with the labels in the message. A server alone runs
// every kind.
func (k Kind) Needs(labels map[string]string) Kind {
	k.rule.Labels = maps.Clone(labels)
	return k
}

// Place sets which node of a cluster runs a new room of this kind: the one whose ID
// f returns. Nodes are those that may run it, by id, never none; they are not f's to
// change. An id of none of them, such as "", leaves the room to the default: the
// node with the best draw for the room, of which those with less to do than others
// draw more.
//
// F must return the same for the same arguments, since every node asks it by
// itself, and is called from any goroutine. It is not asked about a room that runs:
// that one stays where it is until its node stops or is lost.
func (k Kind) Place(f func(room Key, nodes []Node) string) Kind {
	k.rule.Route = nil
	if f != nil {
		k.rule.Route = func(key places.Key, able []roster.Member) string { return f(Key(key), able) }
	}
	return k
}

// RoomBy sets which room a join that names none is for, by who asks: f may look at
// the user's id, at attributes and at what the handshake said. An error is the
// answer of the join; "" is a join that names none. Together with Place it sends
// users to nodes.
func (k Kind) RoomBy(f func(c *actors.Ctx) (string, error)) Kind {
	k.roomBy = f
	return k
}
