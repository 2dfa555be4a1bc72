// Package swarm is the engine of the bot: thousands of sessions on a few loops,
// driven by an open schedule.
//
// # Shape
//
// A run has a coordinator and one or several workers, which are goroutines of the
// same process or processes of their own; the two differ only in who carries the
// orders (connect, begin, end, settle) and the news. A worker has a loop or two of
// the transport, which its sessions live on, and a driver, which makes things
// happen at their time: connections of the ramp, acts of the schedule, pauses that
// end, answers that are overdue. A session is a value with the program of its
// behaviour and a place in it; whoever brings what it waits for carries on with
// it. There is no goroutine per session, and at 10,000 sessions there are six.
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

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/pace"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
)

// Config says what to do. The tags are the command line; a Config built by hand
// needs Addr and Scenario, all else has a zero value that works.
type Config struct {
	Addr     []string      `default:"ws://127.0.0.1:3250/nano" sep:"," group:"Target" help:"Server: ws://host:port/path, wss://…, tcp://host:port or tls://…. Several: rooms are shared out among them."`
	Mix      bool          `group:"Target" help:"With several servers: spread the members of a room over all of them (a cluster)."`
	PID      []int         `name:"pid" sep:"," group:"Target" help:"Processes of the server: their processor time and memory are reported."`
	Scrape   string        `group:"Target" placeholder:"URL" help:"Metrics page of the server, to take its processor time and memory from."`
	Insecure bool          `group:"Target" help:"TLS: accept any certificate."`
	CA       string        `name:"ca" group:"Target" placeholder:"FILE" help:"TLS: certificates to trust, PEM."`
	Dial     time.Duration `default:"30s" group:"Target" help:"Longest time to connect."`

	Scenario string        `default:"chat" short:"s" predictor:"scenario" placeholder:"NAME|FILE" group:"Load" help:"Built-in scenario or a YAML file; 'bot scenarios' lists them. Default: chat."`
	Sessions int           `group:"Load" short:"n" placeholder:"N" help:"Connections. Default: the scenario's."`
	Rooms    int           `group:"Load" placeholder:"N" help:"Rooms, filled evenly. Default: the scenario's."`
	Rate     string        `group:"Load" placeholder:"RATE" help:"Acts (messages, requests) per second over all sessions: 200, or 200..2000 for a rate that changes. Default: the scenario's."`
	Duration time.Duration `group:"Load" help:"How long to measure. Default: the scenario's phases, else 10s."`
	Stages   string        `group:"Load" placeholder:"30s@100..500,…" help:"Several stretches of load instead of --rate and --duration."`
	Arrivals string        `default:"constant" enum:"constant,poisson" group:"Load" help:"How acts are spread around the rate: constant (evenly) or poisson (as independent players are)."`
	WarmUp   time.Duration `group:"Load" help:"Drive the load this long before measuring."`
	Ramp     string        `default:"2000" group:"Load" help:"Connections opened per second (2000), or a time for all of them (30s)."`
	Settle   time.Duration `default:"1s" group:"Load" help:"Pause between the last join and the first act."`
	Grace    time.Duration `default:"3s" group:"Load" help:"How long to wait for what is still on its way at the end."`
	Seed     uint64        `default:"1" group:"Load" help:"Seed of everything random."`

	User      string `group:"Protocol" placeholder:"JSON" help:"The handshake's user payload, a template such as '{\"token\":\"{{token}}\"}'."`
	Tokens    string `group:"Protocol" placeholder:"FILE" help:"Tokens, one a line, given to sessions in turn as {{token}}."`
	TokenCmd  string `group:"Protocol" placeholder:"COMMAND" help:"Shell command that prints the tokens; BOT_SESSIONS says how many are wanted."`
	NoDict    bool   `group:"Protocol" help:"Send whole routes even when the server offers a dictionary."`
	Proto     string `group:"Protocol" placeholder:"FILE" help:"Bodies are protobuf: the .proto file or descriptor set that --messages names types of."`
	Messages  string `group:"Protocol" placeholder:"FILE" help:"YAML map from route to message type, or to {request: …, response: …}."`
	Reconnect bool   `group:"Protocol" help:"Sessions that the server dropped connect again, after a second; those of a server that says it will stop leave it by themselves."`

	Procs int `default:"1" group:"Generator" help:"Processes that share the load; each may have some 19,000 sessions."`
	Loops int `default:"2" group:"Generator" help:"Loops per process, each on a core of its own at best."`

	// Watch gets what happened about once a second, from one goroutine, and must
	// not block for long. nil: nobody watches.
	Watch func(report.Sample) `kong:"-" json:"-"`
}

// plan is a Config with everything decided: what all processes of a run agree on.
type plan struct {
	Config
	scen   *scenario.Scenario
	stages []pace.Stage
	ramp   pace.Ramp
	layout layout
	user   *scenario.Template // nil: the behaviour's own
	bodies *bodies            // nil: JSON
	tokens []string
}

// newPlan decides; the error names the setting.
func newPlan(cfg Config) (*plan, error) {
	p := &plan{Config: cfg}
	var err error
	if p.scen, err = scenario.Open(cfg.Scenario); err != nil {
		return nil, err
	}
	return p, p.complete()
}

func (p *plan) complete() (err error) {
	p.Sessions = orElse(p.Sessions, p.scen.Sessions, 100)
	p.Rooms = min(orElse(p.Rooms, p.scen.Rooms, 1), max(p.Sessions, 1))
	p.Procs, p.Loops = orElse(p.Procs, 1), orElse(p.Loops, 2)
	p.Dial, p.Grace = orElse(p.Dial, 30*time.Second), orElse(p.Grace, 3*time.Second)
	if err := p.check(); err != nil {
		return err
	}
	if p.ramp, err = pace.ParseRamp(orElse(p.Ramp, "2000")); err != nil {
		return fmt.Errorf("--ramp: %w", err)
	}
	if p.stages, err = p.schedule(); err != nil {
		return err
	}
	if p.User != "" {
		if p.user, err = scenario.Body("--user", p.User); err != nil {
			return err
		}
	}
	if p.bodies, err = loadBodies(p.Proto, p.Messages); err != nil {
		return err
	}
	p.layout = newLayout(p)
	return nil
}

func (p *plan) check() error {
	switch {
	case p.Sessions < 1 || p.Sessions > measure.MaxSenders:
		return fmt.Errorf("--sessions %d: give 1 to %d", p.Sessions, measure.MaxSenders)
	case p.Rooms < 1 || p.Rooms > measure.MaxRooms:
		return fmt.Errorf("--rooms %d: give 1 to %d", p.Rooms, measure.MaxRooms)
	case p.Procs < 1 || p.Procs >= measure.MaxWorkers || p.Procs > p.Sessions:
		return fmt.Errorf("--procs %d: give 1 to %d, and a session for each", p.Procs, measure.MaxWorkers-1)
	case p.Loops < 1:
		return fmt.Errorf("--loops %d: give at least one", p.Loops)
	case len(p.Addr) == 0:
		return fmt.Errorf("--addr: say where the server is")
	case p.Text() && p.Proto != "":
		return fmt.Errorf("--proto: scenario %s speaks JSON text", p.scen.Name)
	}
	for _, a := range p.Addr {
		scheme, _, ok := strings.Cut(a, "://")
		if !ok || !strings.Contains("ws wss tcp tls", scheme) {
			return fmt.Errorf("--addr %s: give ws://host:port/path, wss://…, tcp://host:port or tls://…", a)
		}
	}
	return nil
}

// Text reports whether sessions speak JSON text messages.
func (p *plan) Text() bool { return p.scen.Text }

// schedule resolves what flags and file say about the load; flags win.
func (p *plan) schedule() ([]pace.Stage, error) {
	arrivals := pace.Arrivals(orElse(p.Arrivals, string(pace.Constant)))
	if p.Stages != "" {
		stages, err := pace.ParseStages(p.Stages, arrivals)
		if err != nil {
			return nil, fmt.Errorf("--stages: %w", err)
		}
		return p.warm(stages), nil
	}
	if p.Rate == "" && p.Duration == 0 && len(p.scen.Stages) > 0 {
		return p.scen.Stages, nil
	}
	st := pace.Stage{For: orElse(p.Duration, 10*time.Second), From: p.scen.Rate, To: p.scen.Rate, Arrivals: arrivals}
	if p.Rate != "" {
		var err error
		if st.From, st.To, err = pace.ParseRate(p.Rate); err != nil {
			return nil, fmt.Errorf("--rate: %w", err)
		}
	}
	if st.For < 0 {
		return nil, fmt.Errorf("--duration %v: give a time to measure", p.Duration)
	}
	return p.warm([]pace.Stage{st}), nil
}

// warm puts the warm-up before the stages.
func (p *plan) warm(stages []pace.Stage) []pace.Stage {
	if p.WarmUp <= 0 {
		return stages
	}
	first := stages[0]
	return append([]pace.Stage{{Name: "warm-up", For: p.WarmUp, From: first.From, To: first.From, Arrivals: first.Arrivals, WarmUp: true}}, stages...)
}

// rate is what a result says about the load: acts per second of the only stage.
func (p *plan) rate() float64 {
	if n := len(p.stages); n > 0 && p.stages[n-1].From == p.stages[n-1].To {
		return p.stages[n-1].From
	}
	return 0
}

// orElse returns the first value that is not zero.
func orElse[T comparable](values ...T) T {
	var zero T
	for _, v := range values {
		if v != zero {
			return v
		}
	}
	return zero
}
