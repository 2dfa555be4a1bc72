package tadpole_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/rooms/tadpole"
)

const tick = 50 * time.Millisecond

// pond opens a world with players in it; none has moved.
func pond(t *testing.T, players int) (*rooms.Sim, []*rooms.Player) {
	t.Helper()
	s, err := rooms.NewSim(tadpole.Kind(), rooms.SimConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ps := make([]*rooms.Player, players)
	for i := range ps {
		ps[i] = s.Connect("")
		reply, err := ps[i].Join(`{}`)
		if want := fmt.Sprintf(`{"id":%d}`, ps[i].ID()); reply != want || err != nil {
			t.Fatalf("enter: %s %v, want %s", reply, err, want)
		}
	}
	return s, ps
}

func at(id uint64, x int) string {
	return fmt.Sprintf(`{"id":%d,"x":%d,"y":2.5,"name":"n%d","momentum":1,"angle":0.5}`, id, x, id)
}

func swim(t *testing.T, p *rooms.Player, x int) {
	t.Helper()
	if _, err := p.Request("Update", at(p.ID(), x)); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func want(t *testing.T, what string, p *rooms.Player, pushes ...string) {
	t.Helper()
	var got []string
	for _, g := range p.Pushes() {
		got = append(got, g.String())
	}
	if !slices.Equal(got, pushes) {
		t.Errorf("%s: player %d got\n%s\nwant\n%s", what, p.ID(), strings.Join(got, "\n"), strings.Join(pushes, "\n"))
	}
}

// FEATURES 5: "updates are coalesced per tick", "push update to all".
func TestUpdatesAreCoalesced(t *testing.T) {
	s, ps := pond(t, 3)
	swim(t, ps[0], 1)
	swim(t, ps[1], 10)
	swim(t, ps[0], 2)
	want(t, "nobody hears before the tick", ps[2])
	s.Advance(tick)
	for _, p := range ps {
		want(t, "once each, the newest", p, "update "+at(1, 2), "update "+at(2, 10))
	}
	s.Advance(tick)
	want(t, "nothing has moved", ps[0])
	swim(t, ps[0], 3)
	s.Advance(tick)
	want(t, "who moves again is told again", ps[1], "update "+at(1, 3))
}

// "newcomers get a snapshot"
func TestNewcomersSeeEveryone(t *testing.T) {
	s, ps := pond(t, 3)
	swim(t, ps[0], 1)
	s.Advance(tick)
	swim(t, ps[1], 2) // not told yet
	late := s.Connect("")
	if _, err := late.Join(`{}`); err != nil {
		t.Fatal(err)
	}
	want(t, "everyone who has moved, with the answer", late, "update "+at(1, 1), "update "+at(2, 2))
	s.Advance(tick)
	want(t, "then like everyone", late, "update "+at(2, 2))
}

// "the id in an update is checked against the session"
func TestForgedAndSenselessUpdates(t *testing.T) {
	s, ps := pond(t, 2)
	for _, row := range []struct {
		why, body string
		code      protocol.Code
	}{
		{"the id of another", at(2, 1), protocol.CodeRefused},
		{"no id", `{"x":1}`, protocol.CodeRefused},
		{"far out", `{"id":1,"x":1e7}`, protocol.CodeBadRequest},
		{"no number", `{"id":1,"x":"1"}`, protocol.CodeBadRequest},
		{"beyond numbers", `{"id":1,"x":1e99}`, protocol.CodeBadRequest},
		{"a long name", fmt.Sprintf(`{"id":1,"name":%q}`, strings.Repeat("x", 65)), protocol.CodeBadRequest},
	} {
		if _, err := ps[0].Request("Update", row.body); err == nil || protocol.AsError(err).Code != row.code {
			t.Errorf("%s: %v, want code %d", row.why, err, row.code)
		}
	}
	s.Advance(tick)
	want(t, "and nobody hears of it", ps[1])
}

func TestMessagesAndLeaving(t *testing.T) {
	s, ps := pond(t, 2)
	if _, err := ps[0].Request("Message", `{"id":2,"message":"hi"}`); err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		want(t, "at once, with the id of who said it", p, `message {"id":1,"message":"hi"}`)
	}
	if _, err := ps[0].Request("Message", `{}`); err == nil {
		t.Error("an empty message was taken")
	}
	swim(t, ps[0], 1)
	ps[0].Drop()
	s.Advance(tick)
	want(t, "who has left is not seen again", ps[1], `leave {"id":1}`)
}
