package transport

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/shaddock-game/shaddock/protocol"
)

var noAddr netip.AddrPort

// "first message after silence at once; then pushes inside the window leave as
// whole packages concatenated in one WebSocket message"
func TestWindow(t *testing.T) {
	h := newHand(t, settings{})
	h.audience.SetMerge(Merge{Every: 50e6})
	_, mems := h.crowd(3, kindSocket)
	m := mems[0]
	h.say("0", nil)
	h.at(0)
	wantHeard(t, "the first, at once", m, "0")
	for i := range 4 {
		h.say(fmt.Sprint(i+1), nil)
		h.at(10 * i)
	}
	h.at(49)
	wantHeard(t, "inside the window", m, "0")
	h.at(50)
	wantHeard(t, "its end", m, "0", "1", "2", "3", "4")
	if len(m.sizes) != 2 || m.writes != 2 {
		t.Errorf("%d messages in %d writes, want 2", len(m.sizes), m.writes)
	}
	h.say("5", nil)
	h.at(60)
	wantHeard(t, "the window after it", m, "0", "1", "2", "3", "4")
	h.at(100)
	wantHeard(t, "its end", m, "0", "1", "2", "3", "4", "5")
	h.at(1000)
	h.say("6", nil)
	h.at(1000)
	wantHeard(t, "after silence", m, "0", "1", "2", "3", "4", "5", "6")
	if at, ok := h.fan.due.next(); !ok || at != 1050e6+1 {
		t.Errorf("the loop wakes at %d, %v, want at the end of the window", at, ok)
	}
	h.at(1050)
	if _, ok := h.fan.due.next(); ok || h.audience.shards[0].expected.Load() {
		t.Error("a silent audience keeps the loop's timer")
	}
}

func TestWindowEndsEarly(t *testing.T) {
	for _, merge := range []Merge{{Every: 1e9, Count: 3}, {Every: 1e9, Bytes: 3 * len(saying("0").Packages)}} {
		h := newHand(t, settings{})
		h.audience.SetMerge(merge)
		_, mems := h.crowd(1, kindSocket)
		for i := range 7 {
			h.say(fmt.Sprint(i), nil)
			h.at(i)
		}
		wantHeard(t, fmt.Sprintf("%+v", merge), mems[0], count(7)...)
		if want := 3; mems[0].writes != want {
			t.Errorf("%+v: %d writes, want %d", merge, mems[0].writes, want)
		}
	}
}

// A room may change its mind while a window is open.
func TestWindowChanges(t *testing.T) {
	h := newHand(t, settings{})
	h.audience.SetMerge(Merge{Every: 1e9})
	_, mems := h.crowd(1, kindSocket)
	h.say("0", nil)
	h.say("1", nil)
	h.at(0)
	h.say("2", nil)
	h.audience.SetMerge(Merge{Every: 20e6})
	h.at(10)
	wantHeard(t, "before the new window's end", mems[0], "0", "1")
	h.at(30)
	wantHeard(t, "after it", mems[0], "0", "1", "2")
	h.say("3", nil)
	h.audience.SetMerge(Merge{})
	h.at(31)
	wantHeard(t, "without a window", mems[0], "0", "1", "2", "3")
}

// "self-clocking: a flush starts only when the last one has been written, what
// arrives meanwhile merges into the next"
func TestWindowWidensUnderLoad(t *testing.T) {
	h := newHand(t, settings{})
	h.audience.SetMerge(Merge{Every: 10e6})
	_, mems := h.crowd(100, kindSocket)
	const slow = 20 // writes a millisecond: a walk takes half of a window's time
	var want []string
	for ms := range 200 {
		for range 5 {
			h.say(fmt.Sprint(len(want)), nil)
			want = append(want, fmt.Sprint(len(want)))
		}
		h.now = int64(ms)*1e6 + 1
		h.turn(slow / 4) // a walk takes 20 ms, twice the window
	}
	h.at(1000)
	for _, m := range mems {
		if !slices.Equal(m.heard, want) {
			t.Fatalf("heard %d of %d, or in another order", len(m.heard), len(want))
		}
		if m.writes > 12 {
			t.Fatalf("%d writes, want one for each 20 ms that a walk takes", m.writes)
		}
	}
}

// "never more than 48 KiB in one WebSocket message"
func TestMergedMessagesAreBounded(t *testing.T) {
	h := newHand(t, settings{})
	h.audience.SetMerge(Merge{Every: 1e6})
	_, mems := h.crowd(2, kindSocket)
	var want []string
	for i := range 600 {
		text := fmt.Sprintf("%d %s", i, strings.Repeat("x", 900))
		want = append(want, text)
		h.say(text, nil)
	}
	large := strings.Repeat("y", 60<<10)
	want = append(want, large)
	h.say(large, nil)
	h.at(0)
	h.at(1000)
	for _, m := range mems {
		if !slices.Equal(m.heard, want) {
			t.Errorf("heard %d messages, want %d in order", len(m.heard), len(want))
		}
		for _, size := range m.sizes[:len(m.sizes)-1] {
			if size > messageBytes {
				t.Errorf("a message of %d bytes", size)
			}
		}
		if len(m.sizes) > 20 || m.writes > 8 {
			t.Errorf("%d messages in %d writes: hardly merged", len(m.sizes), m.writes)
		}
	}
}

// A room that fills tells everyone of everyone else: n² messages, but few writes.
func TestExceptionsAreMerged(t *testing.T) {
	h := newHand(t, settings{})
	const n = 300
	var cs []*Conn
	var mems []*memory
	for i := range n {
		c, m := h.open(connKind(i % 3))
		h.audience.Join(c)
		h.say(fmt.Sprint(i), c)
		h.audience.Send(c, saying("welcome"))
		cs, mems = append(cs, c), append(mems, m)
		if i%7 == 0 {
			h.turn(40)
		}
	}
	h.at(1)
	writes := 0
	for i, m := range mems {
		want := append([]string{"welcome"}, count(n)[i+1:]...)
		wantHeard(t, fmt.Sprint("member ", i), m, want...)
		writes += m.writes
	}
	if all := n * n / 2; writes > all/4 {
		t.Errorf("%d writes for %d messages", writes, all)
	}
	for _, c := range cs {
		c.abort(protocol.ReasonClientGone, nil)
	}
	if h.audience.shards[0].size.Load() != 0 {
		t.Error("members that have gone are still counted")
	}
}

// "broadcast error of one dead member failing a join": the others hear what is said
// while one of them turns out to be dead, and who joins then is in.
func TestBroadcastWithADeadMember(t *testing.T) {
	for _, kind := range []connKind{kindStream, kindSocket, kindText} {
		h := newHand(t, settings{})
		cs, mems := h.crowd(5, kind)
		mems[2].dead = true
		var sent, dropped int
		h.audience.Broadcast(saying("0"), nil, func(s, d int) { sent, dropped = s, d })
		_, late := h.open(kind)
		h.audience.Join(h.conns[5])
		h.say("1", nil)
		h.at(1)
		for i, m := range mems {
			if i != 2 {
				wantHeard(t, fmt.Sprint("member ", i), m, "0", "1")
			}
		}
		wantHeard(t, "who joined meanwhile", late, "1")
		if sent != 4 || dropped != 1 {
			t.Errorf("%d sent and %d dropped, want 4 and 1", sent, dropped)
		}
		if cs[2].phase != phaseGone || h.audience.shards[0].size.Load() != 5 {
			t.Error("the dead one is still there")
		}
	}
}

// Any sequence of calls is heard as it would be without merging, walks or
// budgets: a dumb twin says what each member must hear.
func TestWalksAgainstATwin(t *testing.T) {
	for round := range 300 {
		seed := rand.Uint64()
		if !walkLikeATwin(t, rand.New(rand.NewPCG(seed, 0))) {
			t.Fatalf("round %d: seed %d", round, seed)
		}
	}
}

type twin struct {
	conn   *Conn
	mem    *memory
	member bool
	want   []string
}

func walkLikeATwin(t *testing.T, r *rand.Rand) bool {
	h := newHand(t, settings{})
	if r.IntN(2) == 0 {
		h.audience.SetMerge(Merge{Every: 5e6, Count: r.IntN(20)})
	}
	twins := make([]*twin, 12)
	for i := range twins {
		c, m := h.open(connKind(r.IntN(3)))
		twins[i] = &twin{conn: c, mem: m}
	}
	accepted, counted := 0, 0
	for i := range 400 {
		who, text := twins[r.IntN(len(twins))], fmt.Sprint(i)
		switch r.IntN(8) {
		case 0:
			h.audience.Join(who.conn)
			who.member = true
		case 1:
			h.audience.Leave(who.conn)
			who.member = false
		case 2:
			h.audience.Send(who.conn, saying(text))
			who.want = append(who.want, text)
		case 3:
			h.audience.Multicast([]*Conn{who.conn}, saying(text), nil)
			if who.member {
				who.want = append(who.want, text)
			}
		case 4:
			h.now += int64(r.IntN(3e6))
			h.turn(r.IntN(6))
		default:
			if r.IntN(2) == 0 {
				who = &twin{}
			}
			for _, w := range twins {
				if w.member && w != who {
					w.want = append(w.want, text)
					accepted++
				}
			}
			h.audience.Broadcast(saying(text), who.conn, func(sent, dropped int) { counted += sent + dropped })
		}
	}
	h.at(1000)
	h.at(2000)
	for i, w := range twins {
		wantHeard(t, fmt.Sprintf("connection %d of kind %d", i, w.conn.kind), w.mem, w.want...)
	}
	if counted != accepted {
		t.Errorf("%d deliveries were reported, want %d", counted, accepted)
	}
	if p := h.audience.pending(); p != 0 {
		t.Errorf("%d bytes are pending at rest", p)
	}
	return !t.Failed()
}

func (a *Audience) pending() (n int64) {
	for _, s := range a.shards {
		if s != nil {
			n += s.pending.Load()
		}
	}
	return n
}

// Walks take turns: a small room does not wait for a large one.
func TestWalksTakeTurns(t *testing.T) {
	h := newHand(t, settings{})
	_, large := h.crowd(5000, kindSocket)
	c, m := h.open(kindSocket)
	small := newAudience(h.engine)
	small.Join(c)
	h.say("to many", nil)
	small.Broadcast(saying("to one"), nil, nil)
	h.turn(2 * quantum)
	wantHeard(t, "the small room", m, "to one")
	if last := large[0]; len(last.heard) != 0 {
		t.Error("the large room was done first")
	}
	h.at(1)
	wantHeard(t, "the large room", large[0], "to many")
}

// "Joins and leaves during a walk never wait for it."
func TestJoinAndLeaveDuringAWalk(t *testing.T) {
	h := newHand(t, settings{})
	cs, mems := h.crowd(100, kindSocket)
	h.say("0", nil)
	h.turn(10)
	h.say("1", nil)
	h.audience.Leave(cs[0]) // the walk has not come to it
	late, m := h.open(kindSocket)
	h.audience.Join(late)
	h.say("2", nil)
	for h.runOps() > 0 {
	}
	wantHeard(t, "who leaves", mems[0], "0", "1")
	h.at(1)
	wantHeard(t, "who left", mems[0], "0", "1")
	wantHeard(t, "who came", m, "2")
	for _, m := range mems[1:] {
		wantHeard(t, "who stayed", m, "0", "1", "2")
	}
}

// A loop that lags holds what it may and no more, and every loss has its cause.
func TestLaggingLoopIsBounded(t *testing.T) {
	const limit = 64 << 10
	h := newHand(t, settings{walkLimit: limit})
	cs, mems := h.crowd(10, kindSocket)
	text := strings.Repeat("x", 1000)
	said, sent, dropped := 0, 0, 0
	for range 200 {
		h.audience.Broadcast(saying(text), nil, func(s, d int) { sent += s; dropped += d })
		h.audience.Send(cs[0], saying("private"))
		said++
	}
	if p := h.audience.pending(); p > limit {
		t.Errorf("%d bytes are pending, want at most %d", p, limit)
	}
	h.at(1)
	heard := 0
	for _, m := range mems {
		heard += len(m.heard)
	}
	st := h.engine.stats()
	if accepted := said*len(cs) + said; heard+int(st.DroppedFull) != accepted || st.DroppedFull == 0 {
		t.Errorf("%d accepted, %d heard, %d dropped", accepted, heard, st.DroppedFull)
	}
	if sent+dropped != said*len(cs) {
		t.Errorf("reported %d sent and %d dropped of %d", sent, dropped, said*len(cs))
	}
}

// A turn does a bounded number of ops, in order.
func TestTurnOpsAreBounded(t *testing.T) {
	h := newHand(t, settings{})
	c, m := h.open(kindSocket)
	const n = 3*turnOps + 1
	for i := range n {
		h.audience.Send(c, saying(fmt.Sprint(i)))
	}
	for turn, want := range []int{turnOps, turnOps, turnOps, 1, 0} {
		if got := h.runOps(); got != want {
			t.Errorf("turn %d: %d ops, want %d", turn, got, want)
		}
	}
	wantHeard(t, "in order", m, count(n)...)
}
