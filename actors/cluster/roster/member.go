package roster

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// State says what a member is to be used for.
type State string

// The states of a member.
const (
	Up       State = "up"
	Draining State = "draining" // serves what it has, takes nothing new
)

// The roles of a member.
const (
	Gate  = "gate"  // takes players
	Rooms = "rooms" // runs rooms
)

// Load is what placement and the cluster page know of how busy a member is.
type Load struct {
	Rooms    int     `json:"rooms"`
	Members  int     `json:"members"`
	Sessions int     `json:"sessions"`
	CPU      float64 `json:"cpu"` // cores in use, over the last period
}

// Member is one process of the cluster, as it describes itself. It is a value:
// its slices and maps are not changed after it was made.
type Member struct {
	// ID is the boot id: another with every start, the same through all leases.
	ID     string            `json:"id"`
	Name   string            `json:"name"` // the operator's, the same after a restart
	Addr   string            `json:"addr"` // host:port where peers reach it
	Roles  []string          `json:"roles,omitempty"`
	Kinds  []string          `json:"kinds,omitempty"` // of rooms that it can run
	Labels map[string]string `json:"labels,omitempty"`
	// Weight is its share of new rooms relative to the others; 0 is 1.
	Weight float64 `json:"weight,omitempty"`
	// Sessions begins the ids of its sessions, so that an id tells the node; 0 for a
	// node that takes no messages for sessions and groups.
	Sessions uint64 `json:"sessions,omitempty"`
	Since    int64  `json:"since"` // unix milliseconds of its start, for people
	State    State  `json:"state"`
	Load     Load   `json:"load"`

	Lease store.Lease `json:"-"` // that its record was written with
}

// Has says whether the member has a role.
func (m Member) Has(role string) bool { return slices.Contains(m.Roles, role) }

// Runs says whether the member takes new rooms of a kind.
func (m Member) Runs(kind string) bool { return m.State == Up && slices.Contains(m.Kinds, kind) }

// View is the members at one time. It is immutable; nil is empty.
type View struct {
	members []Member
	byID    map[string]int
}

// NewView makes a view; it takes over the slice.
func NewView(members []Member) *View {
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	v := &View{members: members, byID: make(map[string]int, len(members))}
	for i, m := range members {
		v.byID[m.ID] = i
	}
	return v
}

// Members returns all, by id. The slice is the view's.
func (v *View) Members() []Member {
	if v == nil {
		return nil
	}
	return v.members
}

// Get returns one member.
func (v *View) Get(id string) (m Member, ok bool) {
	if v == nil {
		return Member{}, false
	}
	i, ok := v.byID[id]
	if !ok {
		return Member{}, false
	}
	return v.members[i], true
}

// Left lists the members of v that next does not have.
func (v *View) Left(next *View) (gone []Member) {
	for _, m := range v.Members() {
		if _, ok := next.Get(m.ID); !ok {
			gone = append(gone, m)
		}
	}
	return gone
}

func decode(r store.Record) (Member, error) {
	var m Member
	if err := json.Unmarshal(r.Value, &m); err != nil {
		return Member{}, fmt.Errorf("roster: record %s: %w", r.Key, err)
	}
	m.Lease = r.Lease
	return m, nil
}

// list keeps the records as lists and watches bring them.
type list struct {
	byKey map[string]Member
	dirty bool // changed since the last view
}

// reset replaces all by what a list returned. Records that cannot be read are
// left out and returned.
func (l *list) reset(recs []store.Record) (bad []error) {
	l.dirty = true
	l.byKey = make(map[string]Member, len(recs))
	for _, r := range recs {
		if err := l.set(r); err != nil {
			bad = append(bad, err)
		}
	}
	return bad
}

// apply brings the list up to date with one batch of a watch.
func (l *list) apply(events []store.Event) (bad []error) {
	l.dirty = true
	for _, e := range events {
		if e.Deleted {
			delete(l.byKey, e.Key)
		} else if err := l.set(e.Record); err != nil {
			bad = append(bad, err)
		}
	}
	return bad
}

func (l *list) set(r store.Record) error {
	m, err := decode(r)
	if err != nil {
		delete(l.byKey, r.Key)
		return err
	}
	l.byKey[r.Key] = m
	return nil
}

func (l *list) view() *View {
	l.dirty = false
	members := make([]Member, 0, len(l.byKey))
	for _, m := range l.byKey {
		members = append(members, m)
	}
	return NewView(members)
}
