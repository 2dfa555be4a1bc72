package directory

import (
	"hash/fnv"
	"math"
	"slices"

	"github.com/shaddock-game/shaddock/actors/cluster/roster"
)

// Rule says where new rooms of a kind go. The zero Rule takes every node that
// runs the kind, by weight and load.
type Rule struct {
	// Labels that a node must have.
	Labels map[string]string
	// Route chooses the node, by its id, from those that qualify, which are in the
	// order of their ids; "" and an id of none of them leave it to the default. It
	// must give the same answer for the same arguments, and is called from any
	// goroutine.
	Route func(key Key, able []roster.Member) string
}

// able returns the members that rooms of a kind may go to, by id.
func (r Rule) able(kind string, view *roster.View) (able []roster.Member) {
	for _, m := range view.Members() {
		if m.Runs(kind) && r.takes(m) {
			able = append(able, m)
		}
	}
	return able
}

func (r Rule) takes(m roster.Member) bool {
	for k, v := range r.Labels {
		if m.Labels[k] != v {
			return false
		}
	}
	return true
}

// choose returns one of the members, of which there must be some.
func (r Rule) choose(key Key, able []roster.Member) roster.Member {
	if r.Route != nil {
		id := r.Route(key, able)
		if i := slices.IndexFunc(able, func(m roster.Member) bool { return m.ID == id }); i >= 0 {
			return able[i]
		}
	}
	return best(key, able)
}

// best is weighted rendezvous hashing: each node draws a number for the room, and
// the best draw has it. All who know the same members agree without a word, a node
// that leaves gives up only its own, and a node's share follows its weight. Those
// who disagree for a moment, because loads are news of different age, meet at the
// room's key.
func best(key Key, able []roster.Member) (b roster.Member) {
	top := math.Inf(-1)
	for _, m := range able {
		if s := score(key, m, able); s > top {
			top, b = s, m
		}
	}
	return b
}

func score(key Key, m roster.Member, all []roster.Member) float64 {
	h := fnv.New64a()
	for _, s := range [...]string{key.Kind, "\x00", key.ID, "\x00", m.ID} {
		_, _ = h.Write([]byte(s)) // a hash takes everything
	}
	// FNV alone hardly changes its upper bits with the last letter of a name.
	draw := (float64(mix(h.Sum64())>>11) + 0.5) / (1 << 53)
	return -weight(m, all) / math.Log(draw)
}

// weight is a node's share: what its operator gave it, up to twice as much when it
// has less to do than that, down to half when it has more. Loads are old news, so
// a newcomer must not be sent everything at once.
//
// How much a node has to do is measured three ways, which make up for each other:
// many rooms that sleep are little work, few busy ones are much.
func weight(m roster.Member, all []roster.Member) float64 {
	var sum roster.Load
	shares := 0.0
	for _, o := range all {
		sum.Rooms += o.Load.Rooms
		sum.Sessions += o.Load.Sessions
		sum.CPU += o.Load.CPU
		shares += own(o)
	}
	fill := func(has, sum, calm float64) float64 { return (has/own(m) + calm) / (sum/shares + calm) }
	busy := fill(float64(m.Load.Rooms), float64(sum.Rooms), calmRooms) *
		fill(float64(m.Load.Sessions), float64(sum.Sessions), calmSessions) *
		fill(m.Load.CPU, sum.CPU, calmCores)
	return own(m) / min(max(busy, 0.5), 2)
}

// So much more or less makes little difference.
const (
	calmRooms    = 10
	calmSessions = 200
	calmCores    = 0.5
)

func own(m roster.Member) float64 {
	if m.Weight <= 0 {
		return 1
	}
	return m.Weight
}

// mix spreads every bit of x over all others (splitmix64).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
