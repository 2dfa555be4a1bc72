package flow

import (
	"fmt"
	"testing"
	"time"
)

var start = time.Unix(1000, 0)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func TestInTakesInOrder(t *testing.T) {
	type step struct {
		why  string
		at   int // ms
		take uint64
		head uint64
		give uint64

		took bool
		ask  uint64 // 0: does not ask
		next int    // ms of the next look, -1: never
	}
	var in In
	for _, s := range []step{
		{why: "the first", at: 0, take: 1, took: true, next: -1},
		{why: "the next", at: 1, take: 2, took: true, next: -1},
		{why: "once more", at: 2, take: 2, next: -1},
		{why: "3 is missing: asked for at once", at: 3, take: 4, ask: 3, next: 203},
		{why: "still missing: asked for already", at: 4, take: 5, next: 203},
		{why: "it did not come: asked again", at: 203, ask: 3, next: 403},
		{why: "it comes: the rest has its time again", at: 210, take: 3, took: true, next: 410},
		{why: "and what was dropped", at: 211, take: 4, took: true, next: 411},
		{why: "all is here", at: 212, take: 5, took: true, next: -1},
		{why: "another gap need not wait", at: 213, take: 8, ask: 6, next: 413},
		{why: "a part of it comes, and a later one", at: 214, take: 6, took: true, next: 414},
		{why: "the rest may be on its way", at: 215, take: 9, next: 414},
		{why: "7 is lost for good", at: 216, give: 8, next: 414},
		{why: "all that was asked for is settled; 9 was dropped after that", at: 217, take: 8, took: true, ask: 9, next: 417},
		{why: "asked for already", at: 218, take: 11, next: 417},
		{why: "given up", at: 219, give: 12, next: -1},
		{why: "an old loss", at: 220, give: 5, next: -1},
		{why: "the sender says there were more", at: 221, head: 13, ask: 12, next: 421},
		{why: "an old head", at: 222, head: 3, next: 421},
	} {
		if s.take != 0 && in.Take(s.take) != s.took {
			t.Fatalf("%s: took %v", s.why, !s.took)
		}
		if s.head != 0 {
			in.Head(s.head)
		}
		if s.give != 0 {
			in.GiveUp(s.give)
		}
		place, ask, next := in.Ask(at(s.at))
		if ask != (s.ask != 0) || place != s.ask {
			t.Fatalf("%s: asks %v for %d, want %d", s.why, ask, place, s.ask)
		}
		if want := at(s.next); s.next < 0 && !next.IsZero() || s.next >= 0 && !next.Equal(want) {
			t.Fatalf("%s: looks again at %v ms, want %d", s.why, next.Sub(start).Milliseconds(), s.next)
		}
	}
	if got, want := in.Stats(), (InStats{Taken: 7, Duplicates: 1, Gaps: 4, Lost: 4}); got != want {
		t.Fatalf("counted %+v, want %+v", got, want)
	}
}

func TestInAcknowledges(t *testing.T) {
	var in In
	if soon, _ := in.owes(); soon {
		t.Fatal("owes an ack for nothing")
	}
	for i := uint64(1); i < ackEvery; i++ {
		in.Take(i)
	}
	if soon, now := in.owes(); !soon || now {
		t.Fatalf("a few: soon %v, now %v", soon, now)
	}
	in.Take(ackEvery)
	if soon, now := in.owes(); !soon || !now {
		t.Fatalf("many: soon %v, now %v", soon, now)
	}
	if in.Ack() != ackEvery || in.Have() != ackEvery {
		t.Fatal("acknowledges something else than it has")
	}
	if soon, now := in.owes(); soon || now {
		t.Fatal("told, and still owes")
	}
}

func TestInTellsInTime(t *testing.T) {
	var in In
	const within = 20 * time.Millisecond
	for _, s := range []struct {
		why  string
		ms   int
		take uint64 // all up to it are taken before the look
		ack  bool   // a message the other way has told it
		tell bool
		next int
	}{
		{why: "nothing has come", ms: 0, next: -1},
		{why: "one has come: that can wait", ms: 10, take: 1, next: 30},
		{why: "more comes: it does not wait longer for that", ms: 20, take: 2, next: 30},
		{why: "nothing went the other way", ms: 30, tell: true, next: -1},
		{why: "told", ms: 31, ack: true, next: -1},
		{why: "waits anew", ms: 40, take: 3, next: 60},
		{why: "told on the way", ms: 50, ack: true, next: -1},
		{why: "what comes later has all its time", ms: 59, take: 4, next: 79},
		{why: "much has come", ms: 60, take: 4 + ackEvery, tell: true, next: -1},
	} {
		for s.take > in.Have() {
			in.Take(in.Have() + 1)
		}
		if s.ack {
			in.Ack()
		}
		tell, next := in.Tell(at(s.ms), within)
		if tell != s.tell || s.next < 0 && !next.IsZero() || s.next >= 0 && !next.Equal(at(s.next)) {
			t.Errorf("%s: tells %v and looks again at %v, want %v at %d ms", s.why, tell, next, s.tell, s.next)
		}
	}
}

func push(o *Out, ms int, n int) (last uint64, send bool) {
	for range n {
		last, send = o.Push(at(ms), fmt.Append(nil, o.Last()+1))
	}
	return last, send
}

// asked checks what comes of a request: the places first to last, or nothing.
func asked(t *testing.T, why string, o *Out, ms int, place, first, last uint64, lost bool) {
	t.Helper()
	gotFirst, messages, gotLost := o.Ask(at(ms), place)
	if len(messages) == 0 && first == 0 {
		return
	}
	if gotFirst != first || gotLost != lost || uint64(len(messages)) != last-first+1 {
		t.Fatalf("%s: %d messages from %d, lost %v; want %d to %d, lost %v", why, len(messages), gotFirst, gotLost, first, last, lost)
	}
	for i, m := range messages {
		if string(m) != fmt.Sprint(first+uint64(i)) {
			t.Fatalf("%s: at place %d comes %q", why, first+uint64(i), m)
		}
	}
}

func TestOutKeepsWhatIsNotAcknowledged(t *testing.T) {
	var o Out
	if last, send := push(&o, 0, 10); last != 10 || !send {
		t.Fatalf("last %d, send %v", last, send)
	}
	asked(t, "all of it", &o, 1, 1, 1, 10, false)
	o.Ack(at(2), 4)
	o.Ack(at(2), 3)  // late
	o.Ack(at(2), 11) // never sent
	if o.Waiting() != 6 {
		t.Fatalf("%d waiting", o.Waiting())
	}
	asked(t, "who asks from 8 has all before it", &o, 3, 8, 8, 10, false)
	if o.Waiting() != 3 {
		t.Fatalf("%d waiting", o.Waiting())
	}
	asked(t, "what was acknowledged is gone", &o, 4, 2, 8, 10, true)
	asked(t, "what was never sent", &o, 5, 11, 0, 0, false)
	asked(t, "no place at all", &o, 5, 0, 0, 0, false)
	o.Ack(at(6), 10)
	if o.Waiting() != 0 || o.bytes != 0 {
		t.Fatalf("%d waiting, %d bytes", o.Waiting(), o.bytes)
	}
	asked(t, "nothing is left", &o, 7, 5, 11, 10, true)
}

func TestOutForgetsPastItsLimits(t *testing.T) {
	o := Out{Limits: Limits{Messages: 3, Bytes: 100}}
	push(&o, 0, 5)
	asked(t, "three by number", &o, 1, 1, 3, 5, true)
	o.Push(at(2), make([]byte, 99))
	if len(o.kept) != 2 {
		t.Fatalf("keeps %d messages of %d bytes", len(o.kept), o.bytes)
	}
	o.Push(at(3), make([]byte, 500))
	if o.Forgotten() != 6 {
		t.Fatalf("%d forgotten", o.Forgotten())
	}
	if first, messages, lost := o.Ask(at(3), 6); first != 7 || len(messages) != 1 || !lost {
		t.Fatalf("keeps %d messages from %d, lost %v: the last is always kept", len(messages), first, lost)
	}
}

// What could not be sent is not followed by what the receiver would drop.
func TestOutStalls(t *testing.T) {
	var o Out
	push(&o, 0, 1)
	o.Refused()
	if _, send := push(&o, 1, 1); send {
		t.Fatal("sends behind a hole")
	}
	asked(t, "the receiver asks once it is told", &o, 2, 1, 1, 2, false)
	if _, send := push(&o, 3, 1); !send {
		t.Fatal("does not go on")
	}
}

func TestOutProbes(t *testing.T) {
	var o Out
	want := func(why string, ms int, probe bool, next int) {
		t.Helper()
		last, got, when := o.Probe(at(ms))
		if got != probe || got && last != o.Last() {
			t.Fatalf("%s: probes %v with %d", why, got, last)
		}
		if next < 0 && !when.IsZero() || next >= 0 && !when.Equal(at(next)) {
			t.Fatalf("%s: looks again at %d ms, want %d", why, when.Sub(start).Milliseconds(), next)
		}
	}
	want("nothing sent", 0, false, -1)
	push(&o, 0, 2)
	want("just sent", 0, false, 200)
	want("no word", 200, true, 600)
	want("wait", 300, false, 600)
	want("still none", 600, true, 1400)
	o.Ack(at(700), 1)
	want("one of two: it hears us", 700, false, 900)
	want("but not the other", 900, true, 1300)
	want("more and more rarely", 1300, true, 2100)
	want("more and more rarely", 2100, true, 3700)
	want("every two seconds in the end", 3700, true, 5700)
	o.Ask(at(4000), 2)
	want("asked: it has just been sent again", 4000, false, 4200)
	o.Ack(at(4100), 2)
	want("all is there", 4100, false, -1)
	push(&o, 9000, 1)
	want("from the beginning", 9000, false, 9200)
}

func TestFlowAllocations(t *testing.T) {
	var o Out
	var in In
	body := []byte("x")
	place := uint64(0)
	allocs := testing.AllocsPerRun(1000, func() {
		place, _ = o.Push(start, body)
		in.Take(place)
		if _, now := in.owes(); now {
			o.Ack(start, in.Ack())
		}
	})
	if allocs > 0.2 { // the ring's slice, every now and then
		t.Fatalf("%.2f allocations a message", allocs)
	}
}
