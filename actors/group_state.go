package actors

import "maps"

// GroupMember is a member of a group, as a copy: it does not change any more.
type GroupMember struct {
	session *Ref
	attrs   map[string]any
}

// ID returns the session's id.
func (m GroupMember) ID() uint64 { return m.session.ID() }

// UID returns the user that the session is bound to now, "" when it is to none.
func (m GroupMember) UID() string { return m.session.UID() }

// Session returns the reference to the member's session.
func (m GroupMember) Session() *Ref { return m.session }

// Value returns the member's attribute in the group, or else the attribute of
// that name that its session has.
func (m GroupMember) Value(key string) any {
	if v, ok := m.attrs[key]; ok {
		return v
	}
	return m.session.Value(key)
}

// groupState is who is in a group: a value without actor or clock.
type groupState struct {
	audience Audience
	members  map[uint64]*groupMember
	scratch  []Wire
}

// groupMember is a member inside of the group.
type groupMember struct{ GroupMember }

func (m *groupMember) copy() GroupMember {
	return GroupMember{m.session, maps.Clone(m.attrs)}
}

func (s *groupState) find(id uint64) *groupMember { return s.members[id] }

func (s *groupState) add(r *Ref, attrs map[string]any) error {
	if s.find(r.id) != nil {
		return ErrMember
	}
	if s.members == nil {
		s.members = make(map[uint64]*groupMember)
	}
	s.members[r.id] = &groupMember{GroupMember{r, attrs}}
	s.audience.Join(r.wire)
	return nil
}

func (s *groupState) set(id uint64, key string, v any) error {
	m := s.find(id)
	switch {
	case m == nil:
		return ErrNoMember
	case v == nil:
		delete(m.attrs, key)
	case m.attrs == nil:
		m.attrs = map[string]any{key: v}
	default:
		m.attrs[key] = v
	}
	return nil
}

// remove returns the member that has left, nil when there is none.
func (s *groupState) remove(id uint64) *groupMember {
	m := s.find(id)
	if m != nil {
		delete(s.members, id)
		s.audience.Leave(m.session.wire)
	}
	return m
}

func (s *groupState) list() []GroupMember {
	all := make([]GroupMember, 0, len(s.members))
	for _, m := range s.members {
		all = append(all, m.copy())
	}
	return all
}

// some lists one member, or none when there is no such; id 0: all.
func (s *groupState) some(id uint64) []GroupMember {
	if id == 0 {
		return s.list()
	}
	if m := s.find(id); m != nil {
		return []GroupMember{m.copy()}
	}
	return nil
}

// wires lists the connections of the members that pass, until the next call.
func (s *groupState) wires(to Filter) []Wire {
	clear(s.scratch)
	s.scratch = s.scratch[:0]
	for _, m := range s.members {
		if to.passes(m.GroupMember) {
			s.scratch = append(s.scratch, m.session.wire)
		}
	}
	return s.scratch
}
