package rooms_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/rooms"
)

// FEATURES 1, "Scheduler and timers", for rooms: N times, on condition, cron, all
// as messages of the room, and a call that stops its own timer.
func TestRoomSchedulerAndTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []string
		began := time.Now() // midnight UTC in a bubble
		note := func(what string) func(*rooms.Ctx) {
			return func(c *rooms.Ctx) { calls = append(calls, fmt.Sprintf("%s@%v", what, c.Now().Sub(began))) }
		}
		a, _, stop := host(t, arenaKind(rooms.OnInit(func(_ *arena, c *rooms.Ctx) error {
			c.Times(1500*time.Microsecond, 2, note("times"))
			c.When(time.Second, func(c *rooms.Ctx) bool { return c.Now().Sub(began) > 2*time.Second }, note("when"))
			if _, err := c.Cron("not cron", note("")); err == nil {
				t.Error("no error for a cron expression that is none")
			}
			_, err := c.Cron("*/4 * * * * *", note("cron"))
			return err
		})))
		in(t, a, "x")
		time.Sleep(4*time.Second + time.Millisecond)
		stop()
		if want := []string{"times@1.5ms", "times@3ms", "when@3s", "when@4s", "cron@4s"}; !slices.Equal(calls, want) {
			t.Errorf("got %v, want %v", calls, want)
		}
	})
}

// A timer of the game before a panic is over: stopping it afterwards does not
// touch those of the game after it.
func TestTimersEndWithTheGame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first *rooms.Timer
		games, late := 0, 0
		kind := rooms.KindOf("arena", rooms.OnJoin((*arena).join), rooms.OnRequest("hit", (*arena).hit),
			rooms.OnInit(func(_ *arena, c *rooms.Ctx) error {
				games++
				timer := c.After(time.Minute, func(*rooms.Ctx) { late++ })
				if first == nil {
					first = timer
				}
				return nil
			}),
			rooms.OnNotify("note", func(*arena, *rooms.Ctx, *rooms.Member, *hit) { first.Stop() })).OnPanic(rooms.PanicRestore)
		a, _, stop := host(t, kind)
		defer stop()
		p := in(t, a, "x")
		p.Request("arena.hit", `{"points":666}`)
		p.Message("the answer of the one that panics")
		p.WantReply("stop the old timer", p.Request("arena.note", `{}`), `{}`)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if games != 2 || late != 1 {
			t.Errorf("%d games, %d calls, want 2 and the one of the second", games, late)
		}
	})
}

// A room that has more to do than its mailbox takes when a timer rings rings again:
// a ring that is lost would be its last.
func TestTimersOutliveAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks, busy := 0, make(chan struct{})
		a, _, stop := host(t, arenaKind(
			rooms.OnInit(func(_ *arena, c *rooms.Ctx) error {
				c.Every(time.Second, func(*rooms.Ctx) { ticks++ })
				return nil
			}),
			rooms.OnNotify("wait", func(*arena, *rooms.Ctx, *rooms.Member, *hit) { <-busy }),
		).Mailbox(4))
		defer stop()
		p := in(t, a, "x")
		p.Notify("arena.wait", `{}`)
		synctest.Wait()
		for range 5 {
			p.Notify("arena.note", `{}`)
		}
		time.Sleep(10 * time.Second)
		was := ticks
		close(busy)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := ticks - was; n < 10 {
			t.Errorf("%d ticks in the ten seconds after a flood", n)
		}
		if a.Stats().MailboxRefused == 0 {
			t.Error("the mailbox was never full")
		}
	})
}
