package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/tests/chaos/proof"
)

// A run that did or saw too little does not pass, whatever its proof says.
func TestRunsThatProveLittle(t *testing.T) {
	cfg := config{length: time.Minute, every: time.Second / 2, rooms: 2}
	const callers, since = 4, 100
	opened := func(at int64, room string, seq uint64) proof.Event {
		return proof.Event{At: at, What: proof.Opened, Room: room, Kept: room == "kept", Seq: seq}
	}
	rooms := []proof.Event{
		opened(1, "kept", 0), opened(2, "kept", 7), // before: in the warming up
		opened(101, "kept", 8), opened(102, "other", 0), opened(103, "kept", 9), opened(104, "other", 0),
	}
	var said []proof.Event
	for n := range 15 {
		for from := range callers {
			room := []string{"kept", "other"}[from%2]
			said = append(said, proof.Event{What: proof.Got, Room: room, From: from, N: uint64(n)}, proof.Event{What: proof.Heard, Room: room, From: from})
		}
	}
	if bad := count(rooms, said, 4, since).lacks(cfg, callers); len(bad) > 0 {
		t.Fatalf("a good run: %v", bad)
	}
	not := func(what string, field func(proof.Event) bool) (kept []proof.Event) {
		for _, e := range said {
			if e.What != what || !field(e) {
				kept = append(kept, e)
			}
		}
		return kept
	}
	for name, c := range map[string]struct {
		s    *substance
		want string
	}{
		"nothing was done":    {count(rooms, said, 3, since), "3 steps carried out"},
		"few answers":         {count(rooms, not(proof.Got, func(e proof.Event) bool { return e.N == 3 }), 4, since), "56 calls answered"},
		"a room was silent":   {count(rooms, not(proof.Got, func(e proof.Event) bool { return e.Room == "kept" }), 4, since), "1 rooms that answered"},
		"a caller heard none": {count(rooms, not(proof.Heard, func(e proof.Event) bool { return e.From == 1 }), 4, since), "3 callers that heard"},
		"nothing moved":       {count(rooms[:4], said, 4, since), "0 rooms that moved"},
		"nothing was saved":   {count(append(rooms[:4:4], opened(105, "other", 0), opened(106, "other", 0)), said, 4, since), "0 rooms that came back"},
		"saved, and empty":    {count(append(rooms[:4:4], opened(105, "kept", 0), rooms[5]), said, 4, since), "0 rooms that came back"},
	} {
		if bad := fmt.Sprint(c.s.lacks(cfg, callers)); !strings.Contains(bad, c.want) {
			t.Errorf("%s: %v, want %q", name, bad, c.want)
		}
	}
}

// What no process may say is found in what it said.
func TestBadWords(t *testing.T) {
	const good = "level=WARN msg=\"lease may have run out\"\n"
	if bad := badWord([]byte(good)); bad != "" {
		t.Errorf("%q is bad for %q", good, bad)
	}
	for _, text := range []string{"==================\nWARNING: DATA RACE\nWrite at", "panic: nil", "fatal error: all", "level=ERROR msg=x"} {
		if bad := badWord([]byte(good + text)); !strings.Contains(text, bad) || bad == "" {
			t.Errorf("%q: found %q", text, bad)
		}
	}
}

// A node that had no connections yet when others had has not leaked them later; one that
// holds more than any did, has.
func TestLeaks(t *testing.T) {
	start := most(map[string]usage{"a": {35, 40, 9 << 20}, "b": {80, 20, 90 << 20}})
	if u := (usage{90, 45, 100 << 20}); u.leaks(start) {
		t.Errorf("%v leaks, before: %v", u, start)
	}
	for _, u := range []usage{{80 + moreGoroutines + 1, 0, 0}, {0, 40 + moreFiles + 1, 0}, {0, 0, 90<<20 + moreResident + 1}} {
		if !u.leaks(start) {
			t.Errorf("%v does not leak, before: %v", u, start)
		}
	}
}
