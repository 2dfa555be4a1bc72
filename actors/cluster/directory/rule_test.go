package directory

import (
	"errors"
	"fmt"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
)

func members(ids ...string) []roster.Member {
	ms := make([]roster.Member, 0, len(ids))
	for _, id := range ids {
		ms = append(ms, roster.Member{ID: id, Addr: "host:" + id, State: roster.Up, Kinds: []string{"room"}})
	}
	return ms
}

func spread(all []roster.Member, rooms int) map[string]int {
	got := map[string]int{}
	for i := range rooms {
		got[best(Key{"room", fmt.Sprint(i)}, all).ID]++
	}
	return got
}

// Hosts that differ in one digit must not get shares like 50, 25 and 25.
func TestSharesAreEven(t *testing.T) {
	for _, ids := range [][]string{{"10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000"}, {"a-1", "a-2", "a-3"}} {
		for id, n := range spread(members(ids...), 30_000) {
			if n < 9_700 || n > 10_300 {
				t.Errorf("%s has %d of 30000 rooms, want about a third", id, n)
			}
		}
	}
}

// A node that leaves gives up its own rooms and moves no other.
func TestLeavingMovesOnlyItsOwn(t *testing.T) {
	before, after := members("a", "b", "c"), members("a", "b")
	for i := range 1000 {
		key := Key{"room", fmt.Sprint(i)}
		was, is := best(key, before).ID, best(key, after).ID
		if was != "c" && is != was {
			t.Fatalf("%s moved from %s to %s when c left", key, was, is)
		}
	}
}

func TestShareFollowsWeightAndLoad(t *testing.T) {
	all := members("a", "b")
	all[0].Weight = 3
	if got := spread(all, 10_000); got["a"] < 7_200 || got["a"] > 7_800 {
		t.Errorf("three times the weight got %v", got)
	}
	all = members("a", "b")
	all[0].Load.Rooms = 5
	if got := spread(all, 10_000); got["b"] > 6_500 {
		t.Errorf("a handful of rooms moved much: %v", got)
	}
	all[0].Load.Rooms = 5000
	if got := spread(all, 10_000); got["b"] < 7_500 || got["b"] > 8_500 {
		t.Errorf("an empty node beside a full one got %v, want twice against half", got)
	}
}

// New rooms go where there is less to do, by whatever measure, and those that do
// not differ get the same.
func TestTenThousandRoomsByLoad(t *testing.T) {
	busy := func(loads ...roster.Load) []roster.Member {
		all := members("10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000", "10.0.0.4:7000", "10.0.0.5:7000")[:len(loads)]
		for i := range all {
			all[i].Load = loads[i]
		}
		return all
	}
	for _, c := range []struct {
		why   string
		nodes []roster.Member
		want  []int // of 10,000, give or take 250
	}{
		{"nobody has anything", busy(roster.Load{}, roster.Load{}, roster.Load{}), []int{3333, 3333, 3333}},
		{"all have the same", busy(roster.Load{Rooms: 900, CPU: 1}, roster.Load{Rooms: 900, CPU: 1}, roster.Load{Rooms: 900, CPU: 1}), []int{3333, 3333, 3333}},
		// Weights 1/2, 2, 2, which is as far as it goes.
		{"one has all rooms", busy(roster.Load{Rooms: 3000}, roster.Load{}, roster.Load{}), []int{1111, 4444, 4444}},
		{"one has all sessions", busy(roster.Load{Sessions: 9000}, roster.Load{}, roster.Load{}), []int{1111, 4444, 4444}},
		// (4+.5)/(4/3+.5) = 2.45 is taken for 2, .5/(4/3+.5) = .27 for .5.
		{"one burns four cores", busy(roster.Load{CPU: 4}, roster.Load{}, roster.Load{}), []int{1111, 4444, 4444}},
		// Rooms: 1.98, .51, .51; cores: .33, 1.33, 1.33. Together .66, .68, .68.
		{"many rooms that sleep", busy(roster.Load{Rooms: 3000}, roster.Load{Rooms: 760, CPU: 1.5}, roster.Load{Rooms: 760, CPU: 1.5}), []int{3390, 3305, 3305}},
		// (375+10)/(300+10) = 1.24, and .03 is taken for .5: weights .81 and 2.
		{"five, one of them new", busy(roster.Load{Rooms: 375}, roster.Load{Rooms: 375}, roster.Load{Rooms: 375}, roster.Load{Rooms: 375}, roster.Load{}),
			[]int{1543, 1543, 1543, 1543, 3828}},
	} {
		got := spread(c.nodes, 10_000)
		for i, m := range c.nodes {
			if n := got[m.ID]; n < c.want[i]-250 || n > c.want[i]+250 {
				t.Errorf("%s: node %d has %d rooms, want about %d", c.why, i+1, n, c.want[i])
			}
		}
	}
}

func TestSearchAsksWhoQualifies(t *testing.T) {
	all := members("a", "b", "c")
	all[0].State = roster.Draining
	all[1].Labels = map[string]string{"disk": "fast"}
	all = append(all, roster.Member{ID: "gate", State: roster.Up})
	view := roster.NewView(all)
	key := Key{"room", "1"}
	for _, c := range []struct {
		why  string
		rule Rule
		kind string
		want []string // any of them; none when nobody
	}{
		{"who runs the kind and is not leaving", Rule{}, "room", []string{"b", "c"}},
		{"who has the labels", Rule{Labels: map[string]string{"disk": "fast"}}, "room", []string{"b"}},
		{"nobody has the labels", Rule{Labels: map[string]string{"disk": "slow"}}, "room", nil},
		{"nobody runs the kind", Rule{}, "arena", nil},
		{"who the route says", Rule{Route: func(Key, []roster.Member) string { return "c" }}, "room", []string{"c"}},
		{"a route to who does not qualify", Rule{Route: func(Key, []roster.Member) string { return "gate" }}, "room", []string{"b", "c"}},
		{"a route without an opinion", Rule{Route: func(Key, []roster.Member) string { return "" }}, "room", []string{"b", "c"}},
	} {
		s := search{avoid: map[string]bool{}}
		key.Kind = c.kind
		got, ok := s.next(c.rule, key, view)
		if ok != (c.want != nil) {
			t.Errorf("%s: asks %v, %v", c.why, got, ok)
			continue
		}
		found := !ok
		for _, w := range c.want {
			found = found || got.ID == w
		}
		if !found {
			t.Errorf("%s: asks %s, want one of %v", c.why, got.ID, c.want)
		}
	}
}

func TestSearchFollowsAndAvoids(t *testing.T) {
	view := roster.NewView(members("a", "b"))
	key := Key{"room", "1"}
	s := search{avoid: map[string]bool{}}
	first, _ := s.next(Rule{}, key, view)
	other := map[string]string{"a": "b", "b": "a"}[first.ID]

	if !s.heard(first, Place{Node: other}, nil) {
		t.Fatal("a hint is worth no pause")
	}
	if got, _ := s.next(Rule{}, key, view); got.ID != other {
		t.Fatalf("did not follow the hint, asks %s", got.ID)
	}
	if s.heard(first, Place{}, errors.New("leaving")) {
		t.Fatal("a refusal is worth a pause")
	}
	if got, _ := s.next(Rule{}, key, view); got.ID != other {
		t.Fatalf("asks %s, which has just refused", got.ID)
	}
	s.heard(link.Peer{ID: other}, Place{}, errors.New("leaving"))
	if got, ok := s.next(Rule{}, key, view); ok {
		t.Fatalf("asks %s, though all have refused", got.ID)
	}
	if got, _ := s.next(Rule{}, key, view); got.ID != first.ID {
		t.Fatalf("after all have refused it begins anew, not with %s", got.ID)
	}

	// Two that send us to each other, and an owner that is gone.
	s = search{avoid: map[string]bool{}}
	for range 3 {
		if !s.heard(first, Place{Node: other}, nil) {
			t.Fatal("paused too early")
		}
	}
	if s.heard(first, Place{Node: "gone"}, nil) {
		t.Fatal("runs in circles without a pause")
	}
	if got, _ := s.next(Rule{}, key, view); got.ID != first.ID {
		t.Fatalf("asks %s for an owner that is gone", got.ID)
	}
}
