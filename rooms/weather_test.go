package rooms_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/cluster/link/linktest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// tally is a game that numbers what it is told, tells everybody, and whoever told it
// privately as well; who comes back is told how far it is.
type tally struct{ N int }

type tallied struct {
	N   int    `json:"n"`
	Pad string `json:"pad,omitempty"` // makes it as long as a test wants
}

func (r *tally) next(c *rooms.Ctx, said *tallied) *tallied {
	r.N++
	c.Broadcast("onNext", tallied{r.N, said.Pad})
	return &tallied{N: r.N}
}

func tallyKind() rooms.Kind {
	return rooms.KindOf("tally",
		rooms.OnJoin(func(r *tally, _ *rooms.Ctx, _ *rooms.Member, _ *rooms.Anything) (*tallied, error) {
			return &tallied{N: r.N}, nil
		}),
		rooms.OnNotify("say", func(r *tally, c *rooms.Ctx, _ *rooms.Member, said *tallied) { r.next(c, said) }),
		rooms.OnRequest("tell", func(r *tally, c *rooms.Ctx, m *rooms.Member, said *tallied) (*tallied, error) {
			n := r.next(c, said)
			c.Send(m, "onYou", n)
			return n, nil
		}),
		rooms.OnReturn(func(r *tally, c *rooms.Ctx, m *rooms.Member, _ *rooms.Anything) error {
			c.Send(m, "onState", tallied{N: r.N})
			return nil
		}),
	)
}

// listener is a member that holds all it hears against the promise: each message
// once, in order, or a word that some are missing.
type listener struct {
	*actorstest.Probe
	gate, room string
	in         bool
	broken     bool // a join or leave failed: nobody knows whether it is in
	last       int  // what it has heard
	missing    bool // it was told that it may have missed something
	resyncs    int
	states     int
	asked      map[uint64]string // operations without an answer
}

// connect makes a listener that asks to be let in.
func (t *town) connect(gate, room string) *listener {
	t.Helper()
	l := &listener{Probe: actorstest.Connect(t.T, t.nodes[gate].app), gate: gate, room: room, asked: make(map[uint64]string)}
	l.ask("join", fmt.Sprintf(`{"room":%q}`, room))
	return l
}

// listen makes a listener that is in.
func (t *town) listen(gate, room string) *listener {
	t.Helper()
	l := t.connect(gate, room)
	time.Sleep(time.Second)
	if err := l.read(); err != nil || !l.in {
		t.Fatalf("join at %s: in %v, %v", gate, l.in, err)
	}
	return l
}

func (l *listener) ask(op, body string) { l.asked[l.Request("tally."+op, body)] = op }

func (l *listener) tell() { l.ask("tell", `{}`) }

// read takes in what has arrived, and returns what is wrong with it.
func (l *listener) read() error {
	for !l.broken {
		m, ok := l.Next()
		if !ok {
			return nil
		}
		if err := l.hear(m); err != nil {
			return fmt.Errorf("at %s in %s, after %d: %v %s %d %s: %w", l.gate, l.room, l.last, m.Type, m.Route, m.ID, m.Body, err)
		}
	}
	return nil
}

func (l *listener) hear(m protocol.Message) error {
	switch {
	case m.Type == protocol.Response:
		return l.answered(m)
	case !l.in:
		return errors.New("it is in no room")
	case m.Route == rooms.ResyncRoute:
		if got, want := string(m.Body), fmt.Sprintf(`{"kind":"tally","room":%q}`, l.room); got != want {
			return fmt.Errorf("want %s", want)
		}
		l.missing = true
		l.resyncs++
		return nil
	case m.Route == "onState":
		l.states++
		err := l.same(tallyOf(m))
		l.missing = false // from here on all is known
		return err
	case m.Route == "onYou":
		return l.same(tallyOf(m))
	}
	n := tallyOf(m)
	if n <= l.last || n != l.last+1 && !l.missing {
		return fmt.Errorf("want %d (missing: %v)", l.last+1, l.missing)
	}
	l.last = n
	return nil
}

func (l *listener) answered(m protocol.Message) error {
	op, ok := l.asked[m.ID]
	delete(l.asked, m.ID)
	switch {
	case !ok:
		return errors.New("nobody asked, or it was answered before")
	case m.Error:
		l.broken = op != "tell"
	case op == "tell":
		return l.same(tallyOf(m))
	case op == "join":
		l.in, l.last, l.missing = true, tallyOf(m), false
	case op == "leave":
		l.in = false
	}
	return nil
}

func tallyOf(m protocol.Message) int {
	var v tallied
	if err := json.Unmarshal(m.Body, &v); err != nil {
		return -1
	}
	return v.N
}

// same checks the place of what follows a broadcast that has the same number.
func (l *listener) same(n int) error {
	if n != l.last && (!l.missing || n < l.last) {
		return fmt.Errorf("not at its place (missing: %v)", l.missing)
	}
	l.last = n
	return nil
}

var (
	weatherSeed  = flag.Uint64("weather", 0, "play one schedule of TestEveryGapIsRepairedOrReported again, by its seed")
	weatherSeeds = flag.Int("weathers", 80, "how many schedules TestEveryGapIsRepairedOrReported plays")
)

// A host of schedules in which messages between nodes are lost, doubled, late and
// out of order, connections break and gates are cut off for longer than a room keeps
// what it said: "every gap repaired or reported; receivers see each message once,
// in order, or a resync".
func TestEveryGapIsRepairedOrReported(t *testing.T) {
	defer rooms.SetRing(10, 4<<20)()
	seeds, first := *weatherSeeds, rand.Uint64()
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
	})
}

func (w *weather) step() {
	t := w.town
	i := w.rng.IntN(len(w.all))
	l := w.all[i]
	switch luck := w.rng.IntN(100); {
	case luck < 43:
		for range 1 + w.rng.IntN(6) {
			l.Notify("tally.say", `{}`)
			if w.rng.IntN(2) == 0 {
				synctest.Wait()
			}
		}
	case luck < 60:
		if l.in && len(l.asked) == 0 { // a session waits for one at a time
			l.tell()
		}
	case luck < 66:
		w.hop(i, l)
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

// hop has a listener leave or come back, or lose its connection.
func (w *weather) hop(i int, l *listener) {
	switch {
	case l.broken || w.rng.IntN(4) == 0:
		l.Drop()
		w.all[i] = w.town.connect(l.gate, l.room)
	case len(l.asked) > 0:
	case l.in:
		l.ask("leave", ``)
	default:
		l.ask("join", fmt.Sprintf(`{"room":%q}`, l.room))
	}
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

// calm lets everything be repaired, and everybody come in.
func (w *weather) calm() {
	t := w.town
	t.Helper()
	t.net.Trouble(linktest.Trouble{})
	for _, gate := range []string{"g1", "g2"} {
		t.net.Join(t.nodes[gate].addr, t.nodes["b"].addr)
	}
	time.Sleep(20 * time.Second)
	w.read()
	for i, l := range w.all {
		if l.broken {
			l.Drop()
			w.all[i] = t.connect(l.gate, l.room)
		} else if !l.in {
			l.ask("join", fmt.Sprintf(`{"room":%q}`, l.room))
		}
	}
	time.Sleep(5 * time.Second)
	w.read()
	for _, l := range w.all {
		l.tell()
		time.Sleep(time.Second)
	}
	w.read()
}

// settle holds what members have heard against each other, and against what the
// nodes say.
func (w *weather) settle() {
	t := w.town
	w.lost = t.net.Lost()
	for _, l := range w.all {
		w.heard += l.last
		w.resyncs += l.resyncs
		if !l.in || l.last != w.all[0].last || len(l.asked) > 0 || l.missing {
			t.Errorf("at %s: in %v, heard %d, another %d; %d questions without answer; still missing something: %v", l.gate, l.in, l.last, w.all[0].last, len(l.asked), l.missing)
		}
		if s := t.nodes[l.gate].host.SpreadStats(); int64(l.resyncs) > s.Resyncs {
			t.Errorf("at %s: told to resync %d times, of which %d were counted", l.gate, l.resyncs, s.Resyncs)
		}
	}
	for name, n := range t.nodes { // members themselves notice a loss without a resync
		s := n.host.SpreadStats()
		if lost := s.LostDown > 0 || s.Talks > 1; s.Resyncs > 0 && !lost {
			t.Errorf("%s told its members of %d losses, and lost nothing: %+v", name, s.Resyncs, s)
		}
		if s.Resyncs == 0 && s.LostDown > 0 {
			t.Errorf("%s lost %d batches and told nobody", name, s.LostDown)
		}
	}
	if n := t.members(); n != int64(len(w.all)) {
		t.Errorf("%d members, want %d", n, len(w.all))
	}
}
