package rooms_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/cluster/flow"
	"github.com/shaddock-game/shaddock/actors/cluster/link/linktest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// tally is a game that numbers what it is told, tells everybody, and whoever told it
// privately as well; who comes back is told how far it is.
type tally struct{ N int }

type tallied struct {
	N int `json:"n"`
}

func (r *tally) next(c *rooms.Ctx) *tallied {
	r.N++
	c.Broadcast("onNext", tallied{r.N})
	return &tallied{r.N}
}

func tallyKind() rooms.Kind {
	return rooms.KindOf("tally",
		rooms.OnJoin(func(r *tally, _ *rooms.Ctx, _ *rooms.Member, _ *rooms.Anything) (*tallied, error) {
			return &tallied{r.N}, nil
		}),
		rooms.OnNotify("say", func(r *tally, c *rooms.Ctx, _ *rooms.Member, _ *rooms.Anything) { r.next(c) }),
		rooms.OnRequest("tell", func(r *tally, c *rooms.Ctx, m *rooms.Member, _ *rooms.Anything) (*tallied, error) {
			n := r.next(c)
			c.Send(m, "onYou", n)
			return n, nil
		}),
		rooms.OnReturn(func(r *tally, c *rooms.Ctx, m *rooms.Member, _ *rooms.Anything) error {
			c.Send(m, "onState", tallied{r.N})
			return nil
		}),
	)
}

// listener is a member that holds all it hears against the promise: each message
// once, in order, or a word that some are missing.
type listener struct {
	*actorstest.Probe
	gate, room string
	last       int  // what it has heard
	missing    bool // it was told that it may have missed something
	resyncs    int
	states     int
	asked      map[uint64]bool // requests without an answer
	failed     int             // answered with an error
}

func (t *town) listen(gate, room string) *listener {
	t.Helper()
	l := &listener{Probe: actorstest.Connect(t.T, t.nodes[gate].app), gate: gate, room: room, asked: make(map[uint64]bool)}
	id := l.Request("tally.join", fmt.Sprintf(`{"room":%q}`, room))
	m := l.Message("the answer of the join")
	if m.ID != id || m.Error || json.Unmarshal(m.Body, &tallied{}) != nil {
		t.Fatalf("join answered %d %s", m.ID, m.Body)
	}
	l.last = l.n(m.Body)
	return l
}

func (l *listener) n(body []byte) int {
	var v tallied
	if err := json.Unmarshal(body, &v); err != nil {
		panic(err)
	}
	return v.N
}

func (l *listener) tell() { l.asked[l.Request("tally.tell", `{}`)] = true }

// read takes in what has arrived, and returns what is wrong with it.
func (l *listener) read() error {
	for {
		m, ok := l.Next()
		if !ok {
			return nil
		}
		if err := l.hear(m); err != nil {
			return fmt.Errorf("at %s in %s, after %d: %v %s %d %s: %w", l.gate, l.room, l.last, m.Type, m.Route, m.ID, m.Body, err)
		}
	}
}

func (l *listener) hear(m protocol.Message) error {
	switch {
	case m.Type == protocol.Response && !l.asked[m.ID]:
		return fmt.Errorf("nobody asked, or it was answered before")
	case m.Type == protocol.Response && m.Error:
		delete(l.asked, m.ID)
		l.failed++
		return nil
	case m.Type == protocol.Response:
		delete(l.asked, m.ID)
		return l.same(l.n(m.Body))
	case m.Route == rooms.ResyncRoute:
		if got, want := string(m.Body), fmt.Sprintf(`{"kind":"tally","room":%q}`, l.room); got != want {
			return fmt.Errorf("want %s", want)
		}
		l.missing = true
		l.resyncs++
		return nil
	case m.Route == "onState":
		l.states++
		err := l.same(l.n(m.Body))
		l.missing = false // from here on all is known
		return err
	case m.Route == "onYou":
		return l.same(l.n(m.Body))
	}
	n := l.n(m.Body)
	if n <= l.last || n != l.last+1 && !l.missing {
		return fmt.Errorf("want %d (missing: %v)", l.last+1, l.missing)
	}
	l.last = n
	return nil
}

// same checks the place of what follows a broadcast that has the same number.
func (l *listener) same(n int) error {
	if n != l.last && (!l.missing || n < l.last) {
		return fmt.Errorf("not at its place")
	}
	l.last = n
	return nil
}

var weatherSeed = flag.Uint64("weather", 0, "play one schedule of TestEveryGapIsRepairedOrReported again, by its seed")

// A host of schedules in which messages between nodes are lost, doubled, late and
// out of order, connections break and gates are cut off for longer than a room keeps
// what it said: "every gap repaired or reported; receivers see each message once,
// in order, or a resync".
func TestEveryGapIsRepairedOrReported(t *testing.T) {
	defer rooms.SetRing(flow.Limits{Messages: 10, Bytes: 4 << 20})()
	seeds, first := 300, rand.Uint64()
	if *weatherSeed != 0 {
		seeds, first = 1, *weatherSeed
	}
	var sum weather
	for i := range seeds {
		seed := first + uint64(i)
		w := weather{rng: rand.New(rand.NewPCG(seed, 7))}
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { w.run(t, seed) }) {
			return
		}
		sum.heard += w.heard
		sum.resyncs += w.resyncs
		sum.lost += w.lost
	}
	t.Logf("%d schedules: %d messages between nodes lost, %d broadcasts heard, %d resyncs", seeds, sum.lost, sum.heard, sum.resyncs)
	if seeds > 1 && (sum.lost == 0 || sum.resyncs == 0) {
		t.Error("the weather was too fine")
	}
}

// weather is one schedule.
type weather struct {
	rng     *rand.Rand
	town    *town
	all     []*listener
	heard   int
	resyncs int
	lost    int64
	failed  bool
}

func (w *weather) run(t *testing.T, seed uint64) {
	synctestTown(t, "g1 g2 b", seed, []rooms.Kind{tallyKind()}, func(t *town) {
		w.town = t
		for _, gate := range []string{"g1", "g2", "b", "g1", "g2"} {
			w.all = append(w.all, t.listen(gate, "x"))
		}
		for range 20 + w.rng.IntN(60) {
			if w.step(); w.failed {
				return
			}
		}
		if w.calm(); w.failed {
			return
		}
		w.settle()
		w.lost = t.net.Lost()
	})
}

func (w *weather) step() {
	t := w.town
	l := w.all[w.rng.IntN(len(w.all))]
	switch luck := w.rng.IntN(100); {
	case luck < 45:
		for range 1 + w.rng.IntN(6) {
			l.Notify("tally.say", `{}`)
			if w.rng.IntN(2) == 0 {
				synctest.Wait()
			}
		}
	case luck < 65:
		if len(l.asked) == 0 { // a session waits for one at a time
			l.tell()
		}
	case luck < 85:
		time.Sleep(time.Duration(w.rng.IntN(100)) * time.Millisecond)
	case luck < 92:
		t.net.Trouble(linktest.Trouble{
			Lost: w.rng.Float64() * 0.4, Doubled: w.rng.Float64() * 0.3,
			Late: w.rng.Float64() * 0.3, By: time.Duration(w.rng.IntN(400)) * time.Millisecond,
		})
	case luck < 94:
		t.net.Trouble(linktest.Trouble{})
	case luck < 96:
		t.net.Cut(t.nodes[l.gate].addr, t.nodes["b"].addr)
	case luck < 98:
		t.net.Join(t.nodes[l.gate].addr, t.nodes["b"].addr)
	default:
		t.net.Break(t.nodes[l.gate].addr, t.nodes["b"].addr)
	}
	w.read()
}

func (w *weather) read() {
	w.town.Helper()
	for _, l := range w.all {
		if err := l.read(); err != nil {
			w.town.Error(err)
			w.failed = true
		}
	}
}

// calm lets everything be repaired.
func (w *weather) calm() {
	t := w.town
	t.Helper()
	t.net.Trouble(linktest.Trouble{})
	for _, gate := range []string{"g1", "g2"} {
		t.net.Join(t.nodes[gate].addr, t.nodes["b"].addr)
	}
	time.Sleep(20 * time.Second)
	w.read()
	for _, l := range w.all {
		l.tell()
		time.Sleep(time.Second)
	}
	w.read()
}

// settle holds the accounts of members and nodes against each other.
func (w *weather) settle() {
	t := w.town
	told := make(map[string]int)
	for _, l := range w.all {
		w.heard += l.last
		w.resyncs += l.resyncs
		if l.last != w.all[0].last || len(l.asked) > 0 || l.missing {
			t.Errorf("at %s: heard %d, another %d; %d questions without answer; still missing something: %v", l.gate, l.last, w.all[0].last, len(l.asked), l.missing)
		}
		if was, ok := told[l.gate]; ok && was != l.resyncs {
			t.Errorf("members at %s were told to resync %d and %d times", l.gate, was, l.resyncs)
		}
		told[l.gate] = l.resyncs
		if l.resyncs != l.states {
			t.Errorf("at %s: told to resync %d times, and brought up to date %d times", l.gate, l.resyncs, l.states)
		}
	}
	for _, gate := range slices.Sorted(maps.Keys(told)) {
		if s := t.nodes[gate].host.SpreadStats(); (s.LostDown > 0 || s.Talks > 1) != (told[gate] > 0) {
			t.Errorf("%s lost %d batches for good in %d conversations, and told its members to resync %d times", gate, s.LostDown, s.Talks, told[gate])
		}
	}
	if n := t.members(); n != int64(len(w.all)) {
		t.Errorf("%d members, want %d", n, len(w.all))
	}
}
