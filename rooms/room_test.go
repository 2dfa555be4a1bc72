package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// arena is a game with state, so that losing it shows.
type arena struct{ score int }

type hit struct {
	Points int `json:"points"`
}

type score struct {
	Score int `json:"score"`
}

func (a *arena) join(c *rooms.Ctx, m *rooms.Member, h *hit) (*score, error) {
	if h.Points < 0 {
		return nil, protocol.Errorf(protocol.CodeRefused, "no debts")
	}
	c.Send(m, "onWelcome", score{a.score})
	c.Broadcast("onJoin", score{c.Count()})
	return &score{a.score}, nil
}

func (a *arena) hit(c *rooms.Ctx, _ *rooms.Member, h *hit) (*score, error) {
	if h.Points == 666 {
		a.score = -1 // half changed
		panic("on purpose")
	}
	a.score += h.Points
	c.Broadcast("onScore", score{a.score})
	return &score{a.score}, nil
}

func (a *arena) note(c *rooms.Ctx, _ *rooms.Member, h *hit) { a.score += h.Points }

func arenaKind(parts ...rooms.Part[arena]) rooms.Kind {
	return rooms.KindOf("arena", append([]rooms.Part[arena]{
		rooms.OnJoin((*arena).join), rooms.OnRequest("hit", (*arena).hit), rooms.OnNotify("note", (*arena).note),
	}, parts...)...)
}

// host starts an application with these kinds. Call the returned function at the
// end of a bubble.
func host(t *testing.T, kinds ...rooms.Kind) (*actors.App, *rooms.Host, func()) {
	t.Helper()
	a := actors.New(actors.Config{NewAudience: actorstest.NewAudience, Rate: -1, Heartbeat: -1})
	h, err := rooms.Install(a, nil, kinds...)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	return a, h, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(a.Shutdown(ctx), h.Stop(ctx, protocol.ReasonShutdown)); err != nil {
			t.Errorf("stop: %v", err)
		}
		a.Close()
	}
}

// in connects a probe and joins a room of the arena.
func in(t *testing.T, a *actors.App, room string) *actorstest.Probe {
	t.Helper()
	p := actorstest.Connect(t, a)
	id := p.Request("arena.join", fmt.Sprintf(`{"room":%q}`, room))
	p.Message("the welcome")
	if m := p.Message("the answer of the join"); m.ID != id || m.Error {
		t.Fatalf("join answered %d %s", m.ID, m.Body)
	}
	return p
}

// "join response, then every later broadcast, none missing": while OnJoin runs its
// pushes to the newcomer come first, its broadcasts go to the others.
func TestJoinOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, stop := host(t, arenaKind())
		defer stop()
		ann := in(t, a, "x")
		bob := actorstest.Connect(t, a)
		id := bob.Request("arena.join", `{"room":"x"}`)
		next := bob.Request("arena.hit", `{"points":3}`)
		bob.WantPush("the welcome comes first", "onWelcome", `{"score":0}`)
		bob.WantReply("then the answer", id, `{"score":0}`)
		bob.WantPush("then what the room says later", "onScore", `{"score":3}`)
		bob.WantReply("in order with its answer", next, `{"score":3}`)
		ann.WantPush("the others hear of the join", "onJoin", `{"score":1}`)
		ann.WantPush("and of the rest", "onScore", `{"score":3}`)
		bob.WantReply("a second join repeats the first answer", bob.Request("arena.join", `{"room":"x"}`), `{"score":0}`)
		ann.WantIdle("and is announced to nobody")
		if n := bob.Held(); n != 0 {
			t.Errorf("%d replies still held", n)
		}
	})
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, arenaKind().Seats(1))
		defer stop()
		p := actorstest.Connect(t, a)
		p.WantCode("not a member", p.Request("arena.hit", `{}`), protocol.CodeRefused)
		p.WantCode("nothing to leave", p.Request("arena.leave", `{}`), protocol.CodeRefused)
		p.WantCode("the room says no", p.Request("arena.join", `{"points":-1}`), protocol.CodeRefused)
		p.WantCode("so it is no member", p.Request("arena.hit", `{}`), protocol.CodeRefused)
		p.WantCode("a bad body", p.Request("arena.join", `{"points":"x"}`), protocol.CodeBadRequest)
		q := in(t, a, "1")
		p.WantCode("the room is full", p.Request("arena.join", `{}`), protocol.CodeUnavailable)
		q.WantReply("leave", q.Request("arena.leave", ``), `{"code":0,"result":"success"}`)
		q.WantCode("it has left", q.Request("arena.hit", `{}`), protocol.CodeRefused)
		if s := h.Stats(); s.Members != 0 || s.Joins != 1 || s.Refused != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

// FEATURES 6, "ghost members after quick login/close".
func TestNoGhosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, arenaKind(), rooms.KindOf("other", rooms.OnJoin(func(*arena, *rooms.Ctx, *rooms.Member, *hit) (*score, error) { return nil, nil })))
		defer stop()
		for i := range 300 {
			p := actorstest.Connect(t, a)
			p.Request("arena.join", `{}`)
			if i%2 == 0 {
				p.Request("other.join", `{}`)
			}
			if i%3 == 0 {
				synctest.Wait()
			}
			p.Drop()
		}
		synctest.Wait()
		if s := h.Stats(); s.Members != 0 || s.Joins != s.Leaves {
			t.Errorf("%d members, %d joins, %d leaves", s.Members, s.Joins, s.Leaves)
		}
	})
}

// An empty room is put away, and a join meets either the old room or a new one,
// never none: joins come in around the moment it goes.
func TestIdleRoomIsPutAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, arenaKind().Idle(time.Second))
		defer stop()
		for i := range 50 {
			p := in(t, a, "x")
			p.Drop()
			time.Sleep(time.Second - 10*time.Microsecond + time.Duration(i)*time.Microsecond)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s := h.Stats()
		if s.Rooms != 0 || s.Opened != s.Closed || s.Opened < 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

// "A room whose behaviour panics mid-game comes back from its snapshot with all
// members, and the pushes after it are in order."
func TestPanicRestoresSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, arenaKind(rooms.Snapshots(1,
			func(a *arena) ([]byte, error) { return fmt.Append(nil, a.score), nil },
			func(a *arena, _ *rooms.Ctx, b []byte) error { _, err := fmt.Sscan(string(b), &a.score); return err })))
		defer stop()
		ann, bob := in(t, a, "x"), in(t, a, "x")
		ann.WantPush("bob", "onJoin", `{"score":1}`)
		id := ann.Request("arena.hit", `{"points":5}`)
		ann.WantPush("a hit", "onScore", `{"score":5}`)
		ann.WantReply("a hit", id, `{"score":5}`)
		ann.WantCode("the panic answers 500", ann.Request("arena.hit", `{"points":666}`), protocol.CodeInternal)
		bob.Request("arena.hit", `{"points":1}`)
		ann.WantPush("the score is back, and all are still seated", "onScore", `{"score":6}`)
		bob.WantPush("in order", "onScore", `{"score":5}`)
		bob.WantPush("in order", "onScore", `{"score":6}`)
		if s := h.Stats(); s.Panics != 1 || s.Restores != 1 || s.Members != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

// Without a snapshot a half-changed game is not played on: the room closes, its
// members are let go, and the next join makes a new one.
func TestPanicClosesRoomWithState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, arenaKind())
		defer stop()
		p := in(t, a, "x")
		p.WantCode("the panic answers 500", p.Request("arena.hit", `{"points":666}`), protocol.CodeInternal)
		p.WantPush("it is told", "onRoomClosed", `{"kind":"arena","room":"x","code":14,"reason":"internal error"}`)
		synctest.Wait()
		p.WantCode("it is in no room any more", p.Request("arena.hit", `{}`), protocol.CodeRefused)
		id := p.Request("arena.join", `{"room":"x"}`)
		p.WantPush("a new room", "onWelcome", `{"score":0}`)
		p.WantReply("a new room", id, `{"score":0}`)
		if s := h.Stats(); s.Opened != 2 || s.Rooms != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestEndlessPanicsCloseTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h, stop := host(t, arenaKind().OnPanic(rooms.PanicContinue))
		defer stop()
		p := in(t, a, "x")
		for range 5 {
			p.WantCode("a panic", p.Request("arena.hit", `{"points":666}`), protocol.CodeInternal)
		}
		if s := h.Stats(); s.Rooms != 1 {
			t.Fatalf("%d rooms after five panics", s.Rooms)
		}
		p.WantCode("the sixth", p.Request("arena.hit", `{"points":666}`), protocol.CodeInternal)
		synctest.Wait()
		if s := h.Stats(); s.Rooms != 0 {
			t.Errorf("%d rooms after six panics in ten seconds", s.Rooms)
		}
	})
}

// Ticks and timers keep to fake time without drift, and die with the room.
func TestTicksAndTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks, once, every := 0, 0, 0
		a, _, stop := host(t, arenaKind(
			rooms.OnTick(50*time.Millisecond, func(*arena, *rooms.Ctx) { ticks++ }),
			rooms.OnInit(func(_ *arena, c *rooms.Ctx) error {
				c.After(time.Second, func(*rooms.Ctx) { once++ })
				var timer *rooms.Timer
				timer = c.Every(100*time.Millisecond, func(*rooms.Ctx) {
					if every++; every == 5 {
						timer.Stop()
					}
				})
				return nil
			})))
		p := in(t, a, "x")
		time.Sleep(10*time.Second + time.Millisecond)
		p.WantReply("leave", p.Request("arena.leave", ``), `{"code":0,"result":"success"}`)
		if ticks != 200 || once != 1 || every != 5 {
			t.Errorf("%d ticks, %d once, %d every; want 200, 1, 5", ticks, once, every)
		}
		stop()
		after := ticks
		time.Sleep(time.Minute)
		if ticks != after {
			t.Error("ticks went on after the room had closed")
		}
	})
}

// Async work does not hold up the room, and its result is the room's next message.
func TestAsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kind := rooms.KindOf("lab", rooms.OnJoin(func(*arena, *rooms.Ctx, *rooms.Member, *hit) (*score, error) { return &score{}, nil }),
			rooms.OnNotify("work", func(_ *arena, c *rooms.Ctx, _ *rooms.Member, h *hit) {
				rooms.Async(c, func(context.Context) (int, error) {
					time.Sleep(time.Second)
					if h.Points < 0 {
						panic("in the work")
					}
					return h.Points * 2, nil
				}, func(c *rooms.Ctx, n int, err error) {
					if err != nil {
						n = -1
					}
					c.Broadcast("onResult", score{n})
				})
			}),
			rooms.OnRequest("ping", func(*arena, *rooms.Ctx, *rooms.Member, *hit) (*score, error) { return &score{1}, nil }))
		a, _, stop := host(t, kind)
		defer stop()
		p := actorstest.Connect(t, a)
		p.WantReply("join", p.Request("lab.join", `{}`), `{"score":0}`)
		p.Notify("lab.work", `{"points":21}`)
		p.WantReply("not held up", p.Request("lab.ping", `{}`), `{"score":1}`)
		p.WantPush("the result", "onResult", `{"score":42}`)
		p.Notify("lab.work", `{"points":-1}`)
		p.WantPush("a panic is its error", "onResult", `{"score":-1}`)
	})
}

// Start-up errors name the kind and the fix.
func TestKindErrors(t *testing.T) {
	bad := rooms.KindOf("a.b", rooms.OnRequest("x", (*arena).hit), rooms.OnRequest("x", (*arena).hit),
		rooms.OnNotify("join", (*arena).note), rooms.OnTick(0, func(*arena, *rooms.Ctx) {}))
	a := actors.New(actors.Config{})
	defer a.Close()
	_, err := rooms.Install(a, nil, bad, rooms.Kind{})
	for _, want := range []string{`"a.b"`, "no rooms.OnJoin", `"x" given twice`, "use rooms.OnJoin", "must be positive", "zero Kind"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("errors do not mention %q:\n%v", want, err)
		}
	}
}

// A room that takes long to answer costs its caller a time-out, and nobody else;
// a full mailbox answers 503 at once.
func TestSlowRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		kind := rooms.KindOf("slow", rooms.OnJoin(func(*arena, *rooms.Ctx, *rooms.Member, *hit) (*score, error) { return nil, nil }),
			rooms.OnRequest("wait", func(*arena, *rooms.Ctx, *rooms.Member, *hit) (*score, error) { <-block; return nil, nil }),
			rooms.OnNotify("note", (*arena).note)).Mailbox(10)
		a, _, stop := host(t, kind)
		defer stop()
		p, q := actorstest.Connect(t, a), actorstest.Connect(t, a)
		for _, m := range []*actorstest.Probe{p, q} {
			m.WantReply("join", m.Request("slow.join", `{}`), `{}`)
		}
		slow := p.Request("slow.wait", `{}`)
		synctest.Wait()
		for range 10 {
			q.Notify("slow.note", `{}`)
		}
		q.WantCode("its mailbox is full", q.Request("slow.note", `{}`), protocol.CodeUnavailable)
		p.WantCode("too late", slow, protocol.CodeTimeout)
		close(block)
		synctest.Wait()
		q.WantReply("it recovers", q.Request("slow.note", `{}`), `{}`)
	})
}
