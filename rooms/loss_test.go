package rooms_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/cluster/link/linktest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// say has a member broadcast n times, each in a batch of its own, and everybody read
// what has come.
func (w *weather) say(l *listener, n int, body string) {
	w.town.Helper()
	for range n {
		l.Notify("tally.say", body)
		time.Sleep(3*time.Millisecond + time.Duration(len(body))*time.Microsecond) // there and back again, below the rate limit
		if w.read(); w.failed {
			return
		}
	}
}

// "a bounded ring (4,096 batches or 4 MiB a gate) … past it, the affected sessions
// are told to resync": the members behind one gate, in one room, once, and their
// game is asked to bring them up to date. Nobody else notices.
func TestLossPastTheRing(t *testing.T) {
	for _, row := range []struct {
		why     string
		batches int
		body    string
		resyncs int
	}{
		{"as many batches as are kept", 4000, `{}`, 0},
		{"more batches than are kept", 4200, `{}`, 1},
		{"more bytes than are kept", 100, `{"pad":"` + strings.Repeat("x", 50<<10) + `"}`, 1},
	} {
		t.Run(row.why, func(t *testing.T) {
			inTown(t, "g1 g2 b", []rooms.Kind{tallyKind()}, func(t *town) {
				cut := []*listener{t.listen("g1", "x"), t.listen("g1", "x")}
				others := []*listener{t.listen("g2", "x"), t.listen("b", "x"), t.listen("g1", "y"), t.listen("g2", "y")}
				w := &weather{town: t, all: append(append([]*listener(nil), cut...), others...)}
				t.net.Cut(t.nodes["g1"].addr, t.nodes["b"].addr)
				w.say(others[0], row.batches, row.body)
				kept := t.nodes["b"].host.SpreadStats().KeptBytes
				t.net.Join(t.nodes["g1"].addr, t.nodes["b"].addr)
				time.Sleep(10 * time.Second)
				w.say(others[2], 1, `{}`)
				time.Sleep(time.Second)
				w.read()
				for _, l := range cut {
					if l.resyncs != row.resyncs || l.states != row.resyncs || l.missing || l.last != row.batches {
						t.Errorf("cut off: heard %d; %d resyncs, %d words from the game, want %d", l.last, l.resyncs, l.states, row.resyncs)
					}
				}
				for _, l := range others {
					if want := map[string]int{"x": row.batches, "y": 1}[l.room]; l.resyncs+l.states > 0 || l.last != want {
						t.Errorf("%s in %s: heard %d of %d; %d resyncs, %d words from the game", l.gate, l.room, l.last, want, l.resyncs, l.states)
					}
				}
				if kept == 0 || kept > 5<<20 {
					t.Errorf("%d bytes kept for a gate that is cut off, want at most the limit", kept)
				}
				if left := t.nodes["b"].host.SpreadStats(); left.KeptBytes != 0 || (left.ForgottenDown > 0) != (row.resyncs > 0) {
					t.Errorf("%d bytes kept at rest, %d batches forgotten", left.KeptBytes, left.ForgottenDown)
				}
			})
		})
	}
}

// counter connects a probe that is in a room of countKind.
func (n *citizen) counter(room string) *actorstest.Probe {
	n.town.Helper()
	p := actorstest.Connect(n.town.T, n.app)
	p.WantReply("join", p.Request("count.join", fmt.Sprintf(`{"room":%q}`, room)), `{}`)
	return p
}

// "All that one room sends to one session arrives in the order the room sent it":
// what is for one member and the answers stand among the broadcasts where the room
// said them, on a wire that loses, doubles and reorders.
func TestPrivateWordsKeepTheirPlace(t *testing.T) {
	inTown(t, "g1 g2 b", []rooms.Kind{tallyKind()}, func(t *town) {
		w := &weather{town: t}
		for _, gate := range []string{"g1", "g2", "b", "g1", "g2"} {
			w.all = append(w.all, t.listen(gate, "x"))
		}
		t.net.Trouble(linktest.Trouble{Lost: 0.1, Doubled: 0.1, Late: 0.2, By: 20 * time.Millisecond})
		const rounds = 100
		for range rounds {
			for _, l := range w.all {
				l.tell()
				l.Notify("tally.say", `{}`) // handled behind the answer
			}
			for deadline := time.Now().Add(4 * time.Second); w.waits() && time.Now().Before(deadline) && !w.failed; w.read() {
				time.Sleep(10 * time.Millisecond)
			}
		}
		time.Sleep(5 * time.Second)
		w.read()
		for _, l := range w.all {
			if want := rounds * len(w.all) * 2; l.last != want || l.resyncs > 0 || len(l.asked) > 0 {
				t.Errorf("at %s: heard %d of %d, %d resyncs, %d answers missing", l.gate, l.last, want, l.resyncs, len(l.asked))
			}
		}
		if t.net.Lost() < rounds {
			t.Errorf("only %d messages were lost", t.net.Lost())
		}
	})
}

func (w *weather) waits() bool {
	for _, l := range w.all {
		if len(l.asked) > 0 {
			return true
		}
	}
	return false
}

// Who was sent out of the room while nobody could tell its gate is not let in again
// by the gate, which still thinks that it is in.
func TestSentOutWhileCutOff(t *testing.T) {
	kind := countKind(rooms.OnRequest("empty", func(_ *count, c *rooms.Ctx, who *rooms.Member, _ *rooms.Anything) (*rooms.Empty, error) {
		for _, m := range slices.Clone(c.Members()) {
			if m != who {
				c.Remove(m)
			}
		}
		return &rooms.Empty{}, nil
	}))
	defer rooms.SetRing(4, 4<<20)()
	inTown(t, "g1 g2 b", []rooms.Kind{kind}, func(t *town) {
		ann, bob := t.nodes["g1"].counter("x"), t.nodes["g2"].counter("x")
		t.net.Cut(t.nodes["g1"].addr, t.nodes["b"].addr)
		id := bob.Request("count.empty", `{}`)
		bob.WantReply("ann is out", id, `{}`)
		for i := range 10 {
			bob.Notify("count.next", `{}`)
			bob.WantPush("it goes on", "onNext", fmt.Sprintf(`{"n":%d}`, i+1))
		}
		t.net.Join(t.nodes["g1"].addr, t.nodes["b"].addr)
		time.Sleep(5 * time.Second)
		bob.Notify("count.next", `{}`)
		time.Sleep(time.Second)
		for {
			m, ok := ann.Next()
			if !ok {
				break
			}
			if m.Type == protocol.Push && string(m.Body) == `{"n":11}` {
				t.Error("ann hears the room, which she has left")
			}
		}
		ann.WantCode("she is out", ann.Request("count.next", `{}`), protocol.CodeRefused)
		if n := t.members(); n != 1 {
			t.Errorf("%d members, want bob", n)
		}
		ann.WantReply("she may come back", ann.Request("count.join", `{"room":"x"}`), `{}`)
		ann.Notify("count.next", `{}`)
		ann.WantPush("and hears it again", "onNext", `{"n":12}`)
	})
}
