package rooms_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// march is a game whose every push has a number, and that can panic anywhere.
type march struct {
	Step  int            `json:"step"`
	Score map[string]int `json:"score"`
	fuse  int            // operations until it panics, 0: never
}

type order struct {
	Fuse int `json:"fuse"`
}

type number struct {
	N int `json:"n"`
}

func (g *march) burn() {
	if g.fuse > 0 {
		if g.fuse--; g.fuse == 0 {
			panic("on purpose")
		}
	}
}

func (g *march) say(c *rooms.Ctx) {
	g.Step++
	g.burn() // half changed: the step is counted, and nobody has heard
	c.Broadcast("onStep", number{g.Step})
}

func (g *march) join(c *rooms.Ctx, m *rooms.Member, _ *order) (*number, error) {
	if g.Score == nil {
		g.Score = make(map[string]int)
	}
	g.Score[m.UID()] = 0
	m.Set("colour", "red")
	return &number{g.Step}, nil
}

func (g *march) hit(c *rooms.Ctx, m *rooms.Member, o *order) (*number, error) {
	if o.Fuse > 0 {
		g.fuse = o.Fuse
	}
	g.Score[m.UID()]++
	g.say(c)
	if colour, ok := rooms.Attr[string](m, "colour"); !ok || colour != "red" {
		return nil, protocol.Errorf(protocol.CodeConflict, "the attribute is %q", colour)
	}
	return &number{g.Score[m.UID()]}, nil
}

func marchKind() rooms.Kind {
	return rooms.KindOf("march", rooms.OnJoin((*march).join), rooms.OnRequest("hit", (*march).hit),
		rooms.OnTick(time.Second, (*march).say),
		rooms.Snapshots(1,
			func(g *march) ([]byte, error) { return json.Marshal(g) },
			func(g *march, _ *rooms.Ctx, b []byte) error { return json.Unmarshal(b, g) }))
}

// "A room whose behaviour panics mid-game comes back from its snapshot with all
// members, and the pushes after it are in order": panics in operations and in
// ticks, at random moments of a game of twenty.
func TestPanicsMidGame(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { panicsMidGame(t, seed) })
	}
}

func panicsMidGame(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	s := simulate(t, marchKind(), rooms.SimConfig{Seed: seed})
	uids := make([]string, 20)
	for i := range uids {
		uids[i] = fmt.Sprint("u", i)
	}
	players := joined(t, s, uids...)
	score, panics := make([]int, len(players)), 0
	for range 300 {
		i, fuse := r.IntN(len(players)), 0
		if r.IntN(15) == 0 {
			fuse = 1 + r.IntN(3)
		}
		switch reply, err := players[i].Request("hit", fmt.Sprintf(`{"fuse":%d}`, fuse)); {
		case err == nil:
			if score[i]++; reply != fmt.Sprintf(`{"n":%d}`, score[i]) {
				t.Fatalf("player %d has %s, want %d", i, reply, score[i])
			}
		case protocol.AsError(err).Code == protocol.CodeInternal:
			panics++ // undone: the score is as before
		default:
			t.Fatalf("hit: %v", err)
		}
		s.Advance(time.Duration(r.IntN(3000)) * time.Millisecond)
	}
	if why, closed := s.Closed(); closed {
		t.Skipf("five panics in ten seconds closed the room (%v), as they should", why)
	}
	if panics == 0 || s.Members() != len(players) {
		t.Fatalf("%d panics, %d members", panics, s.Members())
	}
	first := players[0].Pushes()
	for i, p := range first {
		if want := fmt.Sprintf(`{"n":%d}`, i+1); p.Body != want {
			t.Fatalf("push %d after %d panics is %s, want %s", i, panics, p.Body, want)
		}
	}
	for _, p := range players[1:] {
		if got := p.Pushes(); !slices.Equal(got, first) {
			t.Fatalf("player %d heard %d pushes, another %d", p.ID(), len(got), len(first))
		}
	}
}
