package actors_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

// FEATURES 1, "Scheduler and timers", for sessions: "delivered as messages to the
// owner, millisecond precision, no drift, cancelled with the owner".
func TestSessionSchedulerAndTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{Heartbeat: -1})
		var every *actors.Task
		late := 0
		actors.HandleRaw(a, "t.plan", func(c *actors.Ctx, _ []byte) ([]byte, error) {
			began := c.Now()
			push := func(what string) func(*actors.Ctx) {
				return func(c *actors.Ctx) { c.Push("on", fmt.Sprintf("%s@%v", what, c.Now().Sub(began))) }
			}
			c.After(1500*time.Microsecond, push("after"))
			every = c.Every(time.Second, push("every"))
			c.Times(700*time.Millisecond, 2, push("times"))
			c.When(time.Second, func(c *actors.Ctx) bool { return c.Now().Sub(began) > 3*time.Second }, push("when"))
			c.After(time.Hour, func(*actors.Ctx) { late++ })
			if _, err := c.Cron("often", nil); err == nil {
				t.Error("no error for a cron expression that is none")
			}
			_, err := c.Cron("*/5 * * * * *", push("cron"))
			return nil, err
		})
		actors.HandleRaw(a, "t.wait", func(*actors.Ctx, []byte) ([]byte, error) {
			time.Sleep(1500 * time.Millisecond)
			return []byte("waited"), nil
		})
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { end(t, a) })
		p := actorstest.Connect(t, a)
		p.WantReply("plan", p.Request("t.plan", ``), ``)
		p.WantPush("to the millisecond", "on", `"after@1.5ms"`)
		p.WantPush("n times", "on", `"times@700ms"`)
		p.WantPush("again and again", "on", `"every@1s"`)
		p.WantPush("n times", "on", `"times@1.4s"`)
		p.WantPush("without drift", "on", `"every@2s"`)
		every.Stop()
		p.WantPush("on condition", "on", `"when@4s"`)
		id := p.Request("t.wait", ``)
		p.WantReply("a handler and a task never run at once", id, `waited`)
		p.WantPush("the task comes late", "on", `"when@5.5s"`)
		p.WantPush("those due together in the order in which they were made", "on", `"cron@5.5s"`)
		p.WantPush("and not late the next time", "on", `"when@6s"`)
		p.Drop()
		time.Sleep(2 * time.Hour)
		if late != 0 {
			t.Error("a task was called after its session had ended")
		}
	})
}

// A task that panics is counted, one that waits makes nobody else wait, and a
// session that is told to go calls no more of them.
func TestTasksOfASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{Heartbeat: -1})
		answered := 0
		actors.HandleRaw(a, "t.plan", func(c *actors.Ctx, _ []byte) ([]byte, error) {
			c.Every(time.Second, func(c *actors.Ctx) {
				c.Bind("nobody")
				c.Reply("nothing")
				c.ReplyError(nil)
				answered++
				panic("on purpose")
			})
			c.After(1500*time.Millisecond, func(*actors.Ctx) { time.Sleep(5 * time.Second) })
			return []byte(c.Route()), nil
		})
		actors.HandleRaw(a, "t.echo", func(_ *actors.Ctx, b []byte) ([]byte, error) { return b, nil }, actors.Inline())
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { end(t, a) })
		p, other := actorstest.Connect(t, a), actorstest.Connect(t, a)
		p.WantReply("plan", p.Request("t.plan", ``), `t.plan`)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s := a.Stats(); answered != 1 || s.Panics != 1 || s.Users != 0 || p.Session.UID() != "" {
			t.Errorf("called %d times, stats %+v", answered, s)
		}
		other.WantReply("nobody else waits", other.Request("t.echo", `x`), `x`)
		p.Session.Kick(protocol.ReasonKicked, "")
		p.WantClosed("once the task is done", protocol.ReasonKicked)
		time.Sleep(time.Minute)
		if answered > 2 {
			t.Errorf("called %d times, the last ones after the kick", answered)
		}
	})
}
