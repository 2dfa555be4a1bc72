package directory

import (
	"slices"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
)

// search is the state of one search for a room, as a value: whom to ask next.
type search struct {
	hint   *Place          // who was said to own it
	avoid  map[string]bool // who refused, until nobody else is left
	hops   int             // hints followed without a pause
	nobody bool            // no member qualified, when next was asked last
}

// next says whom to ask; not ok: nobody could run the room at the moment.
func (s *search) next(rule Rule, key Key, view *roster.View) (link.Peer, bool) {
	if s.hint != nil {
		hint := *s.hint
		s.hint = nil
		if m, there := view.Get(hint.Node); there {
			return link.Peer{ID: m.ID, Addr: m.Addr}, true
		}
		// Gone, and its key goes with its lease; or so new that we have not heard
		// of it. Time will tell which.
	}
	able := rule.able(key.Kind, view)
	s.nobody = len(able) == 0
	able = slices.DeleteFunc(able, func(m roster.Member) bool { return s.avoid[m.ID] })
	if len(able) == 0 {
		clear(s.avoid)
		return link.Peer{}, false
	}
	m := rule.choose(key, able)
	return link.Peer{ID: m.ID, Addr: m.Addr}, true
}

// heard takes in what a node said that does not run the room; it returns true when
// the next is to be asked at once.
func (s *search) heard(from link.Peer, where Place, err error) bool {
	if err != nil {
		s.avoid[from.ID] = true
		s.hops = 0
		return false
	}
	s.hint = &where
	s.hops++
	return s.hops%4 != 0
}
