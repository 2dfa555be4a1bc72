package rooms

import (
	"time"

	"github.com/shaddock-game/shaddock/actors/timer"
)

// Timer is one pending call of a room, or a series of them, made by Ctx.After and
// its like. It belongs to the room: use it only inside the room's own methods. It
// ends with the room, and when the game starts anew after a panic.
type Timer = timer.Timer[*Ctx]

// After calls f once, d from now, as a message of the room.
func (c *Ctx) After(d time.Duration, f func(c *Ctx)) *Timer {
	return c.st.timers.After(c.st.now, d, f)
}

// Every calls f every d, first d from now, without drift; what a slow room
// misses is skipped. It panics unless d is positive.
func (c *Ctx) Every(d time.Duration, f func(c *Ctx)) *Timer {
	return c.st.timers.Every(c.st.now, d, f)
}

// Times is Every that ends after n calls.
func (c *Ctx) Times(d time.Duration, n int, f func(c *Ctx)) *Timer {
	return c.st.timers.Times(c.st.now, d, n, f)
}

// When asks cond every d and calls f each time that it says yes.
func (c *Ctx) When(d time.Duration, cond func(c *Ctx) bool, f func(c *Ctx)) *Timer {
	return c.st.timers.When(c.st.now, d, cond, f)
}

// Cron calls f at the instants of a cron expression, see timer.ParseCron.
func (c *Ctx) Cron(expr string, f func(c *Ctx)) (*Timer, error) {
	return c.st.timers.Cron(c.st.now, expr, f)
}
