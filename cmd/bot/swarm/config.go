// Package swarm is the engine of the bot: thousands of sessions on a few loops,
// driven by an open schedule.
//
// # Method
//
// Acts (a chat message, a request) are planned ahead at a fixed rate and begun
// when their time has come, whether or not the server keeps up: players do not
// wait for each other either. Latency is counted from the planned moment, so that
// a server that stalls for a second is reported with the second that everyone
// waited, and not with the one slow answer that a closed loop would see. How much
// later than planned the bot itself was is counted too, beside its own use of the
// processor: a generator that cannot keep up must not be mistaken for a slow
// server.
//
// A member is owed every message that was published to its room after its join
// was answered. What has not come when the grace period is over is lost.
package swarm

import (
	"fmt"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// Config says what to do; the tags are the command line.
type Config struct {
	Addr     string        `default:"ws://127.0.0.1:3250/nano" help:"Server: ws://host:port/path, wss://… or tcp://host:port."`
	Scenario string        `default:"chat" enum:"chat,echo,idle" predictor:"scenario" help:"chat: join rooms and talk; echo: requests to room.echo; idle: connect and stay."`
	Sessions int           `default:"100" help:"Connections."`
	Rooms    int           `default:"1" help:"Chat rooms, filled evenly."`
	Rate     float64       `default:"10" help:"Messages or requests per second, over all sessions."`
	Duration time.Duration `default:"10s" help:"How long to measure."`
	Ramp     int           `default:"2000" help:"Connections opened per second."`
	Settle   time.Duration `default:"1s" help:"Pause between the last join and the first act."`
	Grace    time.Duration `default:"3s" help:"How long to wait for what is still on its way at the end."`
	Seed     uint64        `default:"1" help:"Seed of the choice of senders."`
	Loops    int           `default:"2" help:"Loops, each on a core of its own at best."`
	PID      int           `name:"pid" help:"Process of the server: its processor time and memory are reported."`

	// Watch gets what happened about once a second, from one goroutine, and must
	// not block: the schedule waits for it. nil: nobody watches.
	Watch func(report.Sample) `kong:"-"`
}

// Check says what is wrong with c, naming the flag.
func (c *Config) Check() error {
	switch {
	case c.Sessions < 1:
		return fmt.Errorf("--sessions %d: give at least one", c.Sessions)
	case c.Rooms < 1 || c.Rooms > c.Sessions:
		return fmt.Errorf("--rooms %d: give 1 to --sessions %d", c.Rooms, c.Sessions)
	case c.Rate < 0 || c.Rate == 0 && c.Scenario != "idle":
		return fmt.Errorf("--rate %g: give acts per second", c.Rate)
	case c.Duration <= 0:
		return fmt.Errorf("--duration %v: give a time to measure", c.Duration)
	case c.Ramp < 1 || c.Loops < 1:
		return fmt.Errorf("--ramp %d, --loops %d: give at least one", c.Ramp, c.Loops)
	case !strings.Contains(c.Addr, "://"):
		return fmt.Errorf("--addr %s: give ws://host:port/path, wss://… or tcp://host:port", c.Addr)
	}
	return nil
}
