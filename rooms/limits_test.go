package rooms_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// What a gate keeps for a room that it cannot reach is bounded by bytes as well: past
// it calls are refused at once, and what was taken is carried out, each once.
func TestAnnexKeepsNoMoreThanItsLimit(t *testing.T) {
	inTown(t, "g1 b", []rooms.Kind{countKind()}, func(t *town) {
		var all []*actorstest.Probe
		for range 30 {
			all = append(all, t.nodes["g1"].counter("x"))
		}
		asker := t.nodes["g1"].counter("x")
		t.net.Cut(t.nodes["g1"].addr, t.nodes["b"].addr)
		body := fmt.Sprintf(`{"pad":%q}`, strings.Repeat("x", 60<<10))
		for _, p := range all {
			for range 12 { // fewer than a session waits after
				p.Notify("count.next", body)
			}
		}
		synctest.Wait()
		began := time.Now()
		asker.WantCode("too much waits", asker.Request("count.leave", ``), protocol.CodeUnavailable)
		if d := time.Since(began); d > 10*time.Millisecond {
			t.Errorf("refused after %v", d)
		}
		if n := t.nodes["g1"].host.SpreadStats().Refused; n == 0 || n > 100 {
			t.Errorf("%d calls refused", n)
		}
		t.net.Join(t.nodes["g1"].addr, t.nodes["b"].addr)
		time.Sleep(10 * time.Second)
		taken := 0
		for m, ok := asker.Next(); ok; m, ok = asker.Next() {
			if taken++; string(m.Body) != fmt.Sprintf(`{"n":%d}`, taken) {
				t.Fatalf("broadcast %d is %s", taken, m.Body)
			}
		}
		if got := taken * len(body); got < 15<<20 || got > 17<<20 {
			t.Errorf("%d MiB of calls were kept, want 16", got>>20)
		}
	})
}

// What all rooms of a node keep for gates has a budget. Past it, a gate that is behind
// is owed little, and is told so; one that keeps up notices nothing.
func TestNodeKeepsNoMoreThanItsBudget(t *testing.T) {
	const all, tight = 100 << 10, 8 << 10
	defer rooms.SetBudget(all, tight)()
	inTown(t, "g1 g2 b", []rooms.Kind{tallyKind()}, func(t *town) {
		w := &weather{town: t}
		for _, room := range []string{"x", "y", "z"} {
			w.all = append(w.all, t.listen("g1", room), t.listen("g2", room))
		}
		t.net.Cut(t.nodes["g1"].addr, t.nodes["b"].addr)
		body := fmt.Sprintf(`{"pad":%q}`, strings.Repeat("x", 2<<10))
		for range 60 {
			for i := 1; i < len(w.all); i += 2 {
				w.say(w.all[i], 1, body)
			}
		}
		if kept := t.nodes["b"].host.SpreadStats().KeptBytes; kept > all+3*tight || kept < tight {
			t.Errorf("%d bytes are kept for a gate that is cut off", kept)
		}
		t.net.Join(t.nodes["g1"].addr, t.nodes["b"].addr)
		time.Sleep(10 * time.Second)
		w.read()
		for _, l := range w.all {
			if want := map[string]int{"g1": 1, "g2": 0}[l.gate]; l.last != 60 || l.resyncs != want {
				t.Errorf("%s in %s: heard %d, %d resyncs, want %d", l.gate, l.room, l.last, l.resyncs, want)
			}
		}
	})
}

// Gate and room may both find out that something is lost: the room that had given the
// gate up and takes it back late, the gate whose conversation is not known any more.
// Members are told once.
func TestOneLossIsToldOnce(t *testing.T) {
	inTown(t, "g1 g2 b", []rooms.Kind{tallyKind()}, func(t *town) {
		away, other := t.listen("g1", "x"), t.listen("g2", "x")
		w := &weather{town: t, all: []*listener{away, other}}
		g, b := t.nodes["g1"], t.nodes["b"]
		g.store.Break()
		t.net.Cut(g.addr, b.addr)
		w.say(other, 5, `{}`)
		time.Sleep(30 * time.Second) // it is a member no more
		w.say(other, 5, `{}`)
		g.store.Heal()
		t.net.Join(g.addr, b.addr)
		time.Sleep(20 * time.Second)
		w.say(other, 1, `{}`)
		time.Sleep(time.Second)
		w.read()
		if away.resyncs != 1 || away.last != 11 || away.missing {
			t.Errorf("told %d times, heard %d of 11", away.resyncs, away.last)
		}
		if other.resyncs != 0 || other.last != 11 {
			t.Errorf("the other gate: told %d times, heard %d of 11", other.resyncs, other.last)
		}
	})
}
