package rooms

import (
	"fmt"
	"testing"
	"time"
)

// numbered makes the names new-1, new-2 and so on.
func numbered() func() string {
	n := 0
	return func() string { n++; return fmt.Sprint("new-", n) }
}

// seen reports a room as itself would.
func (t *table) seen(id string, members, matched int, labels Labels) {
	t.report(time.Unix(0, 0), &report{Info: Info{Key{"duel", id}, members, 2, labels}, Run: "run of " + id, Matched: matched})
}

// The fullest room with a free seat and the right labels is filled first.
func TestMatchFillsTheFullest(t *testing.T) {
	d, now := newTable(numbered()), time.Unix(0, 0)
	d.seen("empty", 0, 0, nil)
	d.seen("half", 1, 0, nil)
	d.seen("full", 2, 0, nil)
	d.seen("ranked", 0, 0, Labels{"mode": "ranked"})
	d.report(now, &report{Info: Info{Key{"other", "x"}, 1, 2, nil}, Run: "x"})
	for i, want := range []string{"half", "empty", "empty", "ranked", "ranked", "new-1", "new-1", "new-2"} {
		if got := d.match(now, "duel", 2, nil); got != (Key{"duel", want}) {
			t.Errorf("match %d: %v, want %s", i, got, want)
		}
	}
	d.seen("ranked2", 0, 0, Labels{"mode": "ranked", "map": "desert"})
	if got := d.match(now, "duel", 2, Labels{"mode": "ranked"}); got.ID != "ranked2" {
		t.Errorf("a ranked match went to %v", got)
	}
	if got := d.match(now, "duel", 2, Labels{"mode": "casual"}); got.ID != "new-3" {
		t.Errorf("a match for labels that no room has went to %v", got)
	}
}

// A promised seat counts until its join has arrived, or for ten seconds.
func TestPromises(t *testing.T) {
	d, now := newTable(numbered()), time.Unix(0, 0)
	match := func(want string) {
		t.Helper()
		if got := d.match(now, "duel", 2, nil); got.ID != want {
			t.Errorf("match: %v, want %s", got, want)
		}
	}
	match("new-1")
	match("new-1")
	match("new-2")
	if n := len(d.list("duel", nil)); n != 0 {
		t.Errorf("%d rooms are listed that nobody has opened", n)
	}
	d.seen("new-1", 1, 1, nil) // one has arrived, one is under way
	match("new-2")
	match("new-3")
	d.seen("new-1", 1, 1, nil) // the other was refused
	match("new-1")
	d.seen("new-1", 2, 1, nil)
	now = now.Add(2 * promiseTime)
	match("new-4") // those for new-2 and new-3 never arrived: forgotten
	if n := len(d.rooms); n != 2 {
		t.Errorf("%d rooms are known, want new-1 and new-4", n)
	}
}

// A word of an earlier activation does not remove its successor.
func TestReportsOfActivations(t *testing.T) {
	d, key := newTable(numbered()), Key{"duel", "x"}
	say := func(run string, members int, ended bool) {
		d.report(time.Unix(0, 0), &report{Info: Info{Key: key, Members: members}, Run: run, Ended: ended})
	}
	say("first", 1, false)
	say("second", 2, false)
	say("first", 0, true)
	if got := d.find(key); got == nil || got.Members != 2 {
		t.Errorf("found %+v, want the second with 2 members", got)
	}
	say("second", 0, true)
	say("first", 0, true)
	if got := d.find(key); got != nil || len(d.open["duel"]) != 0 {
		t.Errorf("found %+v after the end", got)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, rooms := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("rooms=%d", rooms), func(b *testing.B) {
			d, now := newTable(numbered()), time.Unix(0, 0)
			for i := range rooms {
				d.seen(fmt.Sprint(i), 2, 0, nil) // full: they cost nothing
			}
			b.ReportAllocs()
			for b.Loop() {
				d.seen(d.match(now, "duel", 2, nil).ID, 2, 1, nil)
			}
		})
	}
}
