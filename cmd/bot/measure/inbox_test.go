package measure

import "testing"

func TestOwedIsWhatWasNumberedAfterTheJoinResponse(t *testing.T) {
	l := NewLedger(0, 2, NewClock(), false)
	var in Inbox
	if got := in.Settle(l, nil); got != (Balance{}) {
		t.Fatalf("a session that joined nothing is owed %+v, want nothing", got)
	}
	l.Publish(1) // before the join: not owed
	in.Join(l, 1, 0)
	if v := in.Receive(Mark{Seq: 0, Room: 1}, 0); v != InOrder {
		t.Fatalf("what was published while the join was under way is %d, want in order", v)
	}
	for range 3 {
		l.Publish(1)
	}
	l.Publish(0) // another room
	in.Receive(Mark{Seq: 1, Room: 1}, 0)
	in.Receive(Mark{Seq: 3, Room: 1}, 0)
	if got, want := in.Settle(l, nil), (Balance{Owed: 3, Received: 2}); got != want {
		t.Fatalf("balance %+v, want %+v: the unclaimed one must not stand in for the lost one", got, want)
	}
	in.Leave()
	if got := in.Settle(l, nil); got != (Balance{}) {
		t.Fatalf("a session that left is owed %+v, want nothing", got)
	}
}

func TestOwedByOtherProcessesGoesByTheMomentOfSending(t *testing.T) {
	l := NewLedger(1, 1, NewClock(), true)
	var in Inbox
	in.Join(l, 0, 100)
	logs := []Log{{{50, 99, 100, 101, 102}}, nil, {{}}}
	for _, seq := range []uint32{1, 2, 4, 4} { // 1 was on its way, 3 is lost, 4 comes twice
		in.Receive(Mark{Worker: 0, Seq: seq}, 1)
	}
	if got, want := in.Settle(l, logs), (Balance{Owed: 3, Received: 2}); got != want {
		t.Fatalf("balance %+v, want %+v", got, want)
	}
}

func TestAFreshMemberKnowsThatTheFirstArrivalWasNotTheFirstOfItsStream(t *testing.T) {
	l := NewLedger(1, 1, NewClock(), true)
	for _, fresh := range []bool{true, false} {
		var in Inbox
		in.Join(l, 0, 0)
		want := InOrder // 0 may have been sent before we joined
		if fresh {
			in.Fresh()
			want = Reordered
		}
		in.Receive(Mark{Worker: 0, Seq: 1}, 1)
		if got := in.Receive(Mark{Worker: 0, Seq: 0}, 1); got != want {
			t.Errorf("fresh %t: the first message behind the second is %d, want %d", fresh, got, want)
		}
	}
}

func TestTimedLedgerKeepsEveryMoment(t *testing.T) {
	l := NewLedger(0, 1, NewClock(), true)
	const n = 3*4096 + 5
	for want := range uint32(n) {
		if got := l.Publish(0); got != want {
			t.Fatalf("Publish gave %d, want %d", got, want)
		}
	}
	log := l.Log()
	if len(log[0]) != n {
		t.Fatalf("log holds %d moments, want %d", len(log[0]), n)
	}
	for i, at := range log[0][1:] {
		if at < log[0][i] {
			t.Fatalf("moment %d is before moment %d", i+1, i)
		}
	}
}
