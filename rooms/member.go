package rooms

import (
	"strconv"

	"github.com/shaddock-game/shaddock/actors"
)

// Member is one session's seat in one room. It belongs to the room: use it only
// inside the room's own methods. It stays the same value from join to leave, so
// a behaviour may use *Member as a map key.
type Member struct {
	// Set at birth, read-only afterwards.
	ref *actors.Ref // nil in a Sim
	id  uint64
	uid string

	// Owned by the room's state.
	index  int // place in state.members, -1 when not seated
	joined any // what the join was answered, repeated when it joins again
	attrs  map[string]any
}

// ID returns the session's id: below 2^53, unique across nodes and restarts.
func (m *Member) ID() uint64 { return m.id }

// UID returns the user that the session was bound to when it joined, or the
// session's id in decimal when it was bound to none.
func (m *Member) UID() string {
	if m.uid != "" {
		return m.uid
	}
	return strconv.FormatUint(m.id, 10)
}

// Session returns the reference to the member's session, which is usable from
// any goroutine and may be kept. It is nil in a Sim.
func (m *Member) Session() *actors.Ref { return m.ref }

// Seated says whether the member is in the room now.
func (m *Member) Seated() bool { return m.index >= 0 }

// Set keeps a value with the member until it leaves; nil removes it.
func (m *Member) Set(key string, v any) {
	if v == nil {
		delete(m.attrs, key)
		return
	}
	if m.attrs == nil {
		m.attrs = make(map[string]any)
	}
	m.attrs[key] = v
}

// Attr returns what Set kept under key, when it is a T.
func Attr[T any](m *Member, key string) (v T, ok bool) {
	v, ok = m.attrs[key].(T)
	return v, ok
}
