package roster

import (
	"slices"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

func rec(key, id string) store.Record {
	return store.Record{Key: key, Value: []byte(`{"id":"` + id + `","state":"up"}`), Lease: 5}
}

func ids(v *View) (ids []string) {
	for _, m := range v.Members() {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestListFollowsTheStore(t *testing.T) {
	var l list
	steps := []struct {
		why  string
		do   func() []error
		want []string
		bad  int
	}{
		{"a first list", func() []error { return l.reset([]store.Record{rec("/b", "b"), rec("/a", "a")}) }, []string{"a", "b"}, 0},
		{"one comes", func() []error { return l.apply([]store.Event{{Record: rec("/c", "c")}}) }, []string{"a", "b", "c"}, 0},
		{"one goes, one is unreadable", func() []error {
			return l.apply([]store.Event{
				{Record: store.Record{Key: "/a"}, Deleted: true},
				{Record: store.Record{Key: "/d", Value: []byte("{")}},
			})
		}, []string{"b", "c"}, 1},
		{"one that was readable no longer is", func() []error {
			return l.apply([]store.Event{{Record: store.Record{Key: "/b", Value: []byte("[]")}}})
		}, []string{"c"}, 1},
		{"one comes and goes in one batch", func() []error {
			return l.apply([]store.Event{{Record: rec("/e", "e")}, {Record: store.Record{Key: "/e"}, Deleted: true}})
		}, []string{"c"}, 0},
		{"a list after a lost watch replaces all", func() []error { return l.reset([]store.Record{rec("/f", "f")}) }, []string{"f"}, 0},
	}
	for _, s := range steps {
		bad := s.do()
		if !l.dirty {
			t.Fatalf("%s: no change noted", s.why)
		}
		if got := ids(l.view()); !slices.Equal(got, s.want) || len(bad) != s.bad {
			t.Fatalf("%s: members %q with %d unreadable, want %q with %d", s.why, got, len(bad), s.want, s.bad)
		}
	}
}

func TestView(t *testing.T) {
	v := NewView([]Member{{ID: "b", State: Up, Kinds: []string{"room"}}, {ID: "a", Roles: []string{"gate"}}})
	if got := ids(v); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("members %q", got)
	}
	if m, ok := v.Get("b"); !ok || !m.Runs("room") || m.Runs("arena") || m.Has("gate") {
		t.Fatalf("got %+v, %v", m, ok)
	}
	m, _ := v.Get("b")
	m.State = Draining
	if m.Runs("room") {
		t.Fatal("a draining member takes new rooms")
	}
	gone := v.Left(NewView([]Member{{ID: "b"}, {ID: "c"}}))
	if len(gone) != 1 || gone[0].ID != "a" {
		t.Fatalf("left: %v", gone)
	}
	var none *View
	if _, ok := none.Get("a"); ok || none.Members() != nil || none.Left(v) != nil {
		t.Fatal("a nil view is not empty")
	}
}
