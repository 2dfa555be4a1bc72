package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

func simulate(t *testing.T, k rooms.Kind, cfg rooms.SimConfig) *rooms.Sim {
	t.Helper()
	s, err := rooms.NewSim(k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// joined connects players and lets them in; their pushes so far are dropped.
func joined(t *testing.T, s *rooms.Sim, uids ...string) []*rooms.Player {
	t.Helper()
	ps := make([]*rooms.Player, len(uids))
	for i, uid := range uids {
		ps[i] = s.Connect(uid)
		if _, err := ps[i].Join(`{}`); err != nil {
			t.Fatalf("%s could not join: %v", uid, err)
		}
	}
	for _, p := range ps {
		p.Pushes()
	}
	return ps
}

func wantPushes(t *testing.T, what string, p *rooms.Player, want ...string) {
	t.Helper()
	var got []string
	for _, g := range p.Pushes() {
		got = append(got, g.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: player %d got\n%s\nwant\n%s", what, p.ID(), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func wantCode(t *testing.T, what string, err error, code protocol.Code) {
	t.Helper()
	if err == nil || protocol.AsError(err).Code != code {
		t.Errorf("%s: %v, want code %d", what, err, code)
	}
}

// A simulated room keeps to the rules of a real one: who hears what of a join, who
// is refused, what is answered.
func TestSimKeepsTheRules(t *testing.T) {
	s := simulate(t, arenaKind().Seats(2), rooms.SimConfig{})
	ann, bob, cid := s.Connect("ann"), s.Connect("bob"), s.Connect("")
	_, err := ann.Request("hit", `{}`)
	wantCode(t, "not a member", err, protocol.CodeRefused)
	_, err = ann.Join(`{"points":-1}`)
	wantCode(t, "refused by the room", err, protocol.CodeRefused)
	_, err = ann.Join(`{"points":"x"}`)
	wantCode(t, "a bad body", err, protocol.CodeBadRequest)
	if reply, err := ann.Join(`{}`); reply != `{"score":0}` || err != nil {
		t.Errorf("join: %s %v", reply, err)
	}
	wantPushes(t, "sent to one who is not in yet, twice", ann, `onWelcome {"score":0}`)
	if _, err = bob.Join(`{}`); err != nil {
		t.Errorf("bob: %v", err)
	}
	_, err = cid.Join(`{}`)
	wantCode(t, "the room is full", err, protocol.CodeUnavailable)
	wantPushes(t, "who is in hears who comes", ann, `onJoin {"score":1}`)
	if reply, err := bob.Request("note", `{"points":4}`); reply != `{}` || err != nil {
		t.Errorf("note: %s %v", reply, err)
	}
	bob.Drop()
	if _, err = cid.Join(`{}`); err != nil || s.Members() != 2 {
		t.Errorf("a seat is free: %v, %d members", err, s.Members())
	}
	if err = cid.Leave(); err != nil {
		t.Errorf("leave: %v", err)
	}
	if _, err = ann.Request("nothing", ``); err == nil {
		t.Error("an operation that does not exist was answered")
	}
}

// "so that it can be driven as a pure value in a test": the same calls, times and
// seed do the same.
func TestSimIsDeterministic(t *testing.T) {
	play := func(seed uint64) string {
		s := simulate(t, NimKind(), rooms.SimConfig{Seed: seed})
		ps := joined(t, s, "ann", "bob")
		for i := range 10 {
			s.Advance(time.Second)
			_, _ = ps[i%2].Request("take", `{"stones":2}`) // the rules may say no
		}
		return fmt.Sprint(ps[0].Pushes(), ps[1].Pushes())
	}
	different := false
	for seed := range uint64(10) {
		if once, again := play(seed), play(seed); once != again {
			t.Errorf("seed %d played\n%s\nand then\n%s", seed, once, again)
		}
		different = different || play(seed) != play(0)
	}
	if !different {
		t.Error("ten seeds made one game")
	}
}

// Timers and ticks are called at their own times, however far time advances.
func TestSimAdvance(t *testing.T) {
	var at []time.Duration
	start := time.Date(2030, 5, 1, 0, 0, 0, 0, time.UTC)
	k := arenaKind(
		rooms.OnTick(40*time.Millisecond, func(_ *arena, c *rooms.Ctx) { at = append(at, c.Now().Sub(start)) }),
		rooms.OnInit(func(_ *arena, c *rooms.Ctx) error {
			c.After(100*time.Millisecond, func(c *rooms.Ctx) { c.CloseWith(protocol.ReasonOver, "time is up") })
			return nil
		}))
	s := simulate(t, k, rooms.SimConfig{Start: start})
	p := joined(t, s, "")[0]
	s.Advance(time.Hour)
	if want := []time.Duration{40 * time.Millisecond, 80 * time.Millisecond}; !slices.Equal(at, want) {
		t.Errorf("ticks at %v, want %v", at, want)
	}
	if why, closed := s.Closed(); !closed || why != protocol.ReasonOver || s.Members() != 0 {
		t.Errorf("closed %v (%v) with %d members", closed, why, s.Members())
	}
	wantPushes(t, "and is told", p, `onRoomClosed {"kind":"arena","room":"1","code":17,"reason":"time is up"}`)
	if now := s.Now(); !now.Equal(start.Add(time.Hour)) {
		t.Errorf("it is %v", now)
	}
	_, err := p.Join(`{}`)
	wantCode(t, "a room that has closed", err, protocol.CodeUnavailable)
}

func TestSimAsync(t *testing.T) {
	k := arenaKind(rooms.OnRequest("look", func(_ *arena, c *rooms.Ctx, m *rooms.Member, h *hit) (*rooms.Empty, error) {
		rooms.Async(c, func(context.Context) (int, error) { return h.Points, errors.New("late") },
			func(c *rooms.Ctx, v int, err error) { c.Send(m, "onLook", fmt.Sprint(v, err)) })
		c.Send(m, "onLooking", rooms.Empty{})
		return nil, nil
	}))
	s := simulate(t, k, rooms.SimConfig{})
	p := joined(t, s, "")[0]
	if _, err := p.Request("look", `{"points":7}`); err != nil {
		t.Fatal(err)
	}
	wantPushes(t, "the result is the next message", p, `onLooking {}`, `onLook "7 late"`)
}

func TestSimErrors(t *testing.T) {
	failing := arenaKind(rooms.OnInit(func(*arena, *rooms.Ctx) error { return errors.New("no map") }))
	for name, k := range map[string]rooms.Kind{"zero": {}, "no join": rooms.KindOf[arena]("x"), "OnInit": failing} {
		if _, err := rooms.NewSim(k, rooms.SimConfig{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Who gets a broadcast: all, all but one, those with an attribute; also while
// somebody joins.
func TestWhoGetsABroadcast(t *testing.T) {
	team := func(want int) func(*rooms.Member) bool {
		return func(m *rooms.Member) bool { have, _ := rooms.Attr[int](m, "team"); return have == want }
	}
	k := rooms.KindOf("teams",
		rooms.OnJoin(func(_ *arena, c *rooms.Ctx, m *rooms.Member, h *hit) (*rooms.Empty, error) {
			m.Set("team", h.Points)
			c.Broadcast("onJoin", "all")
			c.Broadcast("onJoin", "mates", rooms.Where(team(h.Points)))
			if len(c.Members()) > 0 {
				c.Broadcast("onJoin", "not the first", rooms.Except(c.Members()[0]))
			}
			return nil, nil
		}),
		rooms.OnNotify("say", func(_ *arena, c *rooms.Ctx, m *rooms.Member, h *hit) {
			c.Broadcast("say", "team", rooms.Where(team(h.Points)))
			c.Broadcast("say", "team but me", rooms.Where(team(h.Points)), rooms.Except(m))
			c.Broadcast("say", "all but me", rooms.Except(m), rooms.Latest(7))
			c.Multicast(c.Members()[2:], "say", "the third")
			c.Remove(c.Members()[2])
			c.Broadcast("say", "who is left")
		}))
	s := simulate(t, k, rooms.SimConfig{})
	ps := []*rooms.Player{s.Connect(""), s.Connect(""), s.Connect("")}
	for i, team := range []int{1, 2, 1} {
		if _, err := ps[i].Join(fmt.Sprintf(`{"points":%d}`, team)); err != nil {
			t.Fatal(err)
		}
	}
	wantPushes(t, "the first", ps[0], `onJoin "all"`, `onJoin "all"`, `onJoin "mates"`)
	wantPushes(t, "the second", ps[1], `onJoin "all"`, `onJoin "not the first"`)
	wantPushes(t, "the third", ps[2])
	if _, err := ps[0].Request("say", `{"points":1}`); err != nil {
		t.Fatal(err)
	}
	wantPushes(t, "the first", ps[0], `say "team"`, `say "who is left"`)
	wantPushes(t, "the second", ps[1], `say "all but me"`, `say "who is left"`)
	wantPushes(t, "the third", ps[2], `say "team"`, `say "team but me"`, `say "all but me"`, `say "the third"`)
}
