package actors_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

// start makes and starts an application inside a bubble.
func start(t *testing.T, cfg actors.Config, register func(a *actors.App)) *actors.App {
	t.Helper()
	cfg.NewAudience = actorstest.NewAudience
	a := actors.New(cfg)
	t.Cleanup(a.Close)
	actors.HandleRaw(a, "t.echo", func(_ *actors.Ctx, b []byte) ([]byte, error) { return b, nil })
	register(a)
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	return a
}

// "A handler that sleeps 10 s … affects nobody else": with Blocking not even its
// own session, whose order holds all the same.
func TestBlockingHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, actors.Config{Heartbeat: time.Second}, func(a *actors.App) {
			actors.Handle(a, "t.sleep", func(c *actors.Ctx, v *value) (*value, error) {
				c.Push("onStart", v)
				gold.Set(c, 7)
				if gold.Get(c) != 7 {
					t.Error("a blocking handler does not see its own change")
				}
				time.Sleep(10 * time.Second)
				return v, nil
			}, actors.Blocking(), actors.Deadline(time.Minute))
		})
		p, other := actorstest.Connect(t, a), actorstest.Connect(t, a)
		begin := time.Now()
		slow := p.Request("t.sleep", `{"n":3}`)
		next := p.Request("t.echo", `"next"`)
		p.WantPush("what it pushes leaves at once", "onStart", `{"n":3}`)
		other.WantReply("another session is served", other.Request("t.echo", `"other"`), `"other"`)
		p.Session.Push("onNews", value{1})
		p.WantPush("so is this one, with pushes", "onNews", `{"n":1}`)
		if d := time.Since(begin); d > 0 {
			t.Errorf("that took %v", d)
		}
		for range 9 {
			p.Want("and with heartbeats", protocol.Heartbeat, "")
		}
		p.WantReply("the answer", slow, `{"n":3}`)
		p.WantReply("then that of the next request", next, `"next"`)
		if d := time.Since(begin); d != 10*time.Second {
			t.Errorf("answered after %v, want 10s", d)
		}
	})
}

// A handler that does not say that it blocks holds up its own session alone.
func TestSleepingHandlerHoldsUpItselfOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, actors.Config{}, func(a *actors.App) {
			actors.HandleNotify(a, "t.sleep", func(*actors.Ctx, *value) error { time.Sleep(10 * time.Second); return nil })
		})
		p, other := actorstest.Connect(t, a), actorstest.Connect(t, a)
		begin := time.Now()
		slow := p.Request("t.sleep", ``)
		for range 100 {
			other.WantReply("another session is served", other.Request("t.echo", `1`), `1`)
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("others waited %v", d)
		}
		time.Sleep(10 * time.Second)
		p.WantReply("the answer", slow, `{}`)
	})
}

// "the session's loop … keeps the session's order": past the deadline the client
// has its answer, and the next message waits for the handler all the same.
func TestBlockingDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at atomic.Int64 // handlers at work
		var cut time.Duration
		a := start(t, actors.Config{}, func(a *actors.App) {
			actors.HandleNotify(a, "t.stuck", func(c *actors.Ctx, _ *value) error {
				at.Add(1)
				defer at.Add(-1)
				<-c.Context().Done()
				cut = time.Since(c.Now())
				time.Sleep(3 * time.Second)
				return nil
			}, actors.Blocking(), actors.Deadline(2*time.Second))
			actors.HandleNotify(a, "t.check", func(*actors.Ctx, *value) error {
				if n := at.Load(); n != 0 {
					t.Errorf("%d handlers of the same session are at work", n)
				}
				return nil
			})
		})
		p := actorstest.Connect(t, a)
		begin := time.Now()
		first, second := p.Request("t.stuck", ``), p.Request("t.check", ``)
		p.WantCode("no answer in time", first, protocol.CodeTimeout)
		if d := time.Since(begin); d.Round(time.Millisecond) != 2*time.Second {
			t.Errorf("408 after %v, want 2s", d)
		}
		third := p.Request("t.check", ``) // while the session awaits nothing, but its handler is at work
		p.WantReply("then the next", second, `{}`)
		p.WantReply("and the one behind it", third, `{}`)
		if d := time.Since(begin); d.Round(time.Millisecond) != 5*time.Second || cut.Round(time.Millisecond) != 2*time.Second {
			t.Errorf("answered after %v, context ended after %v; want 5s, 2s", d, cut)
		}
		synctest.Wait()
		if n := a.Stats().LateAnswers; n != 1 {
			t.Errorf("%d late answers, want 1", n)
		}
	})
}

func TestBlockingHandlerOfASessionThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		var other *actors.Session
		a := start(t, actors.Config{}, func(a *actors.App) {
			actors.HandleNotify(a, "t.stuck", func(c *actors.Ctx, _ *value) error {
				<-c.Context().Done()
				cause = c.Context().Err()
				c.Set("too", "late")
				c.Enter(actors.Membership{Kind: "room", Room: "1", PID: other.PID()})
				return nil
			}, actors.Blocking())
		})
		p := actorstest.Connect(t, a)
		other = actorstest.Connect(t, a).Session // stands for a room
		p.Request("t.stuck", ``)
		synctest.Wait()
		p.Drop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Shutdown(ctx); err != nil {
			t.Errorf("shutdown waits for the handler: %v", err)
		}
		if cause != context.Canceled {
			t.Errorf("the context ended with %v, want canceled", cause)
		}
	})
}

func TestBlockingPanicAndLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, actors.Config{MaxBlocking: 1}, func(a *actors.App) {
			actors.HandleNotify(a, "t.panic", func(*actors.Ctx, *value) error { panic("on purpose") }, actors.Blocking())
			actors.HandleNotify(a, "t.sleep", func(*actors.Ctx, *value) error { time.Sleep(time.Second); return nil }, actors.Blocking())
		})
		p, q := actorstest.Connect(t, a), actorstest.Connect(t, a)
		p.WantCode("a panic", p.Request("t.panic", ``), protocol.CodeInternal)
		synctest.Wait()
		id := p.Request("t.sleep", ``)
		synctest.Wait()
		q.WantCode("one more than may be at work", q.Request("t.sleep", ``), protocol.CodeUnavailable)
		p.WantReply("the first goes on", id, `{}`)
		p.WantReply("the session lives on", p.Request("t.echo", `1`), `1`)
	})
}

// "A handler that … closes 300 sessions affects nobody else", its own included.
func TestClosing300Sessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []*actors.Session
		a := start(t, actors.Config{}, func(a *actors.App) {
			actors.HandleNotify(a, "t.close", func(*actors.Ctx, *value) error {
				for i, s := range all {
					if i%2 == 0 {
						s.Kick(protocol.ReasonKicked, "")
					} else {
						s.Close(protocol.ReasonKicked)
					}
				}
				return nil
			})
		})
		before := runtime.NumGoroutine()
		var gone []*actorstest.Probe
		for range 300 {
			p := actorstest.Connect(t, a)
			gone, all = append(gone, p), append(all, p.Session)
		}
		p, other := actorstest.Connect(t, a), actorstest.Connect(t, a)
		begin := time.Now()
		id := p.Request("t.close", ``)
		other.WantReply("another session is served", other.Request("t.echo", `1`), `1`)
		p.WantReply("the handler answers", id, `{}`)
		for i, g := range gone {
			g.WantClosed(fmt.Sprintf("session %d", i), protocol.ReasonKicked)
		}
		synctest.Wait()
		if d := time.Since(begin); d != 0 {
			t.Errorf("that took %v", d)
		}
		if s := a.Stats(); s.Sessions != 2 || runtime.NumGoroutine() > before+5 {
			t.Errorf("%d sessions and %d more goroutines are left, want 2 and none", s.Sessions, runtime.NumGoroutine()-before)
		}
	})
}

func TestInternalRouteAndInvoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []int
		a := start(t, actors.Config{}, func(a *actors.App) {
			actors.HandleNotify(a, "t.grant", func(c *actors.Ctx, v *value) error {
				order = append(order, v.N)
				c.Push("onGrant", v)
				return nil
			}, actors.Internal())
			actors.HandleNotify(a, "t.sleep", func(*actors.Ctx, *value) error {
				time.Sleep(time.Second)
				order = append(order, 0)
				return nil
			}, actors.Blocking())
		})
		p := actorstest.Connect(t, a)
		p.WantCode("clients cannot reach it", p.Request("t.grant", `{"n":1}`), protocol.CodeNoRoute)
		id := p.Request("t.sleep", ``)
		synctest.Wait()
		if err := p.Session.Invoke("t.grant", value{2}); err != nil {
			t.Fatal(err)
		}
		p.WantReply("in turn with the client's own", id, `{}`)
		p.WantPush("then the invocation", "onGrant", `{"n":2}`)
		if err := p.Session.Invoke("t.nothing", nil); err == nil {
			t.Error("an unknown route was invoked")
		}
		if err := p.Session.Invoke("t.grant", make(chan int)); err == nil {
			t.Error("a channel was encoded")
		}
		if fmt.Sprint(order) != "[0 2]" || fmt.Sprint(a.Routes()) != "[t.echo t.sleep]" {
			t.Errorf("order %v, routes %v", order, a.Routes())
		}
		p.Drop()
		synctest.Wait()
		_ = p.Session.Invoke("t.grant", value{3})
		synctest.Wait()
		if len(order) != 2 {
			t.Error("invoked in a session that has ended")
		}
	})
}

func TestRouteLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, actors.Config{}, func(a *actors.App) {
			actors.HandleNotify(a, "t.dice", func(*actors.Ctx, *value) error { return nil }, actors.Limit(2, 10*time.Second))
		})
		p, other := actorstest.Connect(t, a), actorstest.Connect(t, a)
		for range 2 {
			p.WantReply("within the limit", p.Request("t.dice", ``), `{}`)
		}
		p.WantCode("over it", p.Request("t.dice", ``), protocol.CodeLimited)
		p.WantReply("other routes are free", p.Request("t.echo", `1`), `1`)
		other.WantReply("so are other sessions", other.Request("t.dice", ``), `{}`)
		time.Sleep(4 * time.Second)
		p.WantCode("less than one has come back", p.Request("t.dice", ``), protocol.CodeLimited)
		time.Sleep(time.Second)
		p.WantReply("half of the time, half of the limit", p.Request("t.dice", ``), `{}`)
	})
}

func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := make(chan actors.Late, 2)
		a := start(t, actors.Config{}, func(a *actors.App) {
			a.Route("t.later", func(c *actors.Ctx, _ actors.Inbound) { late <- c.Later() })
			a.Route("t.beside", func(c *actors.Ctx, _ actors.Inbound) { late <- c.Later() }, actors.Blocking())
		})
		p := actorstest.Connect(t, a)
		for _, route := range []string{"t.later", "t.beside"} {
			id := p.Request(route, ``)
			l := <-late
			l.Reply(value{1})
			l.ReplyError(fmt.Errorf("a second answer"))
			p.WantReply("late", id, `{"n":1}`)
		}
		synctest.Wait()
		if l := a.Stats().LateAnswers; l != 2 {
			t.Errorf("%d late answers counted, want 2", l)
		}
	})
}

func TestRouteOptionErrors(t *testing.T) {
	a := actors.New(actors.Config{})
	defer a.Close()
	h := func(*actors.Ctx, *value) error { return nil }
	actors.HandleNotify(a, "t.both", h, actors.Blocking(), actors.Inline())
	actors.HandleNotify(a, "t.limit", h, actors.Limit(5, 0))
	actors.HandleNotify(a, "t.deadline", h, actors.Deadline(-1))
	err := a.Start()
	for _, want := range []string{`"t.both": Blocking and Inline`, `"t.limit": Limit(5, 0s)`, `"t.deadline": Deadline(-1ns)`} {
		if err == nil || !contains([]byte(err.Error()), want) {
			t.Errorf("errors %v do not mention %s", err, want)
		}
	}
}
