package directory

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/roster"
)

// moves is what all nodes of a town have seen, the latest first, as lines.
func (t *town) moves() (lines []string) {
	synctest.Wait()
	var seen [][]Move
	for _, n := range t.nodes {
		seen = append(seen, n.Moves())
	}
	for _, m := range MergeMoves(seen...) {
		lines = append(lines, fmt.Sprintf("%s: %s to %q, %s, %v", m.Room, m.From, m.To, m.Why, m.Took.Round(10*time.Millisecond)))
	}
	return lines
}

func (t *town) wantMoves(why string, want ...string) {
	t.Helper()
	got := t.moves()
	if len(got) < len(want) {
		t.Fatalf("%s: %d moves, want %d: %q", why, len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: %s, want %s", why, got[i], want[i])
		}
	}
}

// What an operator reads of a drain, of a kill and of a room that nobody was in.
func TestHistoryTellsWhy(t *testing.T) {
	inTown(t, "ab", func(t *town) {
		t.rules["room"] = Rule{Route: func(_ Key, able []roster.Member) string { return able[len(able)-1].ID }}
		t.nodes["b"].saving = 500 * time.Millisecond
		t.mustFind("a", one, time.Second) // on b, the last
		if err := t.nodes["b"].roster.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		go func() { _ = t.nodes["b"].Drain(t.Context()) }()
		p, _ := t.nodes["a"].Known(one)
		t.nodes["a"].Gone(one, p)
		t.mustFind("a", one, time.Second)
		t.wantMoves("a drain takes the save", `room/1: b to "a", drain, 510ms`, `room/1: b to "", drain, 500ms`)

		t.nodes["b"].kill()
		c := t.start("c")
		time.Sleep(time.Second)
		t.mustFind("a", two, time.Second)
		t.nodes["a"].Broke(c.addr)
		time.Sleep(100 * time.Millisecond)
		t.crash("c")
		time.Sleep(400 * time.Millisecond)
		t.mustFind("a", two, time.Second)
		t.wantMoves("a kill counts from the end of the connection", `room/2: c to "a", node lost, 500ms`)

		a := t.nodes["a"]
		a.saving = 500 * time.Millisecond
		p = t.mustFind("a", one, time.Second)
		a.Retire(one, p.Epoch)
		time.Sleep(time.Second)
		t.wantMoves("nobody is in it", `room/1: a to "", passivated, 500ms`)
		a.Gone(one, p)
		time.Sleep(departedAfter + time.Second)
		t.mustFind("a", one, time.Second)
		t.wantMoves("what is called again much later has not moved", `room/1: a to "", passivated, 500ms`)

		p = t.mustFind("a", one, time.Second)
		a.with(func() { delete(a.rooms, one) })
		a.Stopped(one, p.Epoch)
		synctest.Wait()
		a.Gone(one, p)
		t.mustFind("a", one, time.Second)
		t.wantMoves("it was closed, and somebody called again at once", `room/1: a to "a", ended, 0s`, `room/1: a to "", ended, 0s`)
	})
}

func TestHistoryIsBounded(t *testing.T) {
	h := newHistory()
	now := time.Unix(1000, 0)
	h.members(now, roster.NewView(members("a", "b")))
	for i := range 3 * historySize {
		key := Key{"room", fmt.Sprint(i)}
		h.left(now, key, Place{Node: "a", Epoch: 1})
		h.arrived(now, key, Place{Node: "b", Epoch: 2})
	}
	if got := h.list(); len(got) != historySize || got[historySize-1].Room != fmt.Sprintf("room/%d", 3*historySize-1) {
		t.Errorf("remembers %d moves, the last one %v", len(got), got[len(got)-1])
	}
	for i := range 2 * departedMost {
		h.left(now, Key{"room", fmt.Sprint(i)}, Place{Node: "a"})
	}
	if n := h.departs.Load(); n != departedMost {
		t.Errorf("looks for %d rooms", n)
	}
	now = now.Add(departedAfter + 1)
	h.members(now, roster.NewView(nil))
	if n := h.departs.Load(); n != 0 {
		t.Errorf("still looks for %d rooms", n)
	}
	h.members(now.Add(noteAge+1), roster.NewView(nil))
	if n := len(*h.notes.Load()); n != 0 {
		t.Errorf("remembers %d nodes that left long ago", n)
	}
}
