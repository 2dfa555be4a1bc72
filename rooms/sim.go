package rooms

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Sim drives one room as a plain value, for the tests of a game: no server, no
// goroutine, and time passes only when told to. The same calls with the same
// seed do the same. Use it from one goroutine.
//
//	s, err := rooms.NewSim(nim.Kind(), rooms.SimConfig{})
//	ann := s.Connect("ann")
//	reply, err := ann.Join(`{}`)
//	s.Advance(30 * time.Second)
//	for _, p := range ann.Pushes() { … }
//
// Bodies are JSON as on the wire, or what the kind's serializer reads. Async work
// is done at once, and its result is the room's next message. Members have no
// session: Member.Session is nil. For sessions and order between them, see
// actors/actorstest.
type Sim struct {
	st      *state
	stats   counters
	players map[uint64]*Player
	serial  uint64
	over    bool // the state has been shut
}

// SimConfig says how a simulated room starts. The zero value is room 1 on the
// 1st of January 2000 with seed 0.
type SimConfig struct {
	Room   string
	Seed   uint64 // of Ctx.Rand
	Start  time.Time
	Labels Labels
	Log    *slog.Logger // nil is silent
}

// NewSim opens a room of kind k, which runs its OnInit. It reports what is wrong
// with the kind, and the error of OnInit.
func NewSim(k Kind, cfg SimConfig) (*Sim, error) {
	if k.new == nil {
		return nil, errZeroKind
	}
	if err := errors.Join(k.errs...); err != nil {
		return nil, err
	}
	if cfg.Room == "" {
		cfg.Room = firstRoom
	}
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if k.serializer == nil {
		k.serializer = protocol.JSON
	}
	s := &Sim{players: make(map[uint64]*Player)}
	s.st = &state{
		kind: &k, id: cfg.Room, log: cfg.Log, stats: &s.stats, rand: newRand(cfg.Seed), out: (*simOutlet)(s),
		self: actors.Membership{Kind: k.name, Room: cfg.Room},
	}
	if err := s.st.open(cfg.Start, cfg.Labels); err != nil {
		return nil, fmt.Errorf("open room %s/%s: %w", k.name, cfg.Room, err)
	}
	s.settle()
	return s, nil
}

// Now returns the time in the room.
func (s *Sim) Now() time.Time { return s.st.now }

// Labels returns the room's labels.
func (s *Sim) Labels() Labels { return s.st.labels }

// Members returns how many members the room has.
func (s *Sim) Members() int { return len(s.st.members) }

// Closed returns why the room has closed; ok is false while it is open.
func (s *Sim) Closed() (why protocol.Reason, ok bool) { return s.st.why, s.st.closed }

// Advance lets time pass. Timers and ticks that are due on the way are called
// each at its own time.
func (s *Sim) Advance(d time.Duration) {
	end := s.st.now.Add(d)
	for !s.st.closed {
		next, any := s.st.timers.Next()
		if !any || next.After(end) {
			break
		}
		s.st.due(next)
		s.settle()
	}
	s.st.now = end
}

// settle does what the state has left to its driver.
func (s *Sim) settle() {
	for len(s.st.asyncs) > 0 {
		work := s.st.asyncs[0]
		s.st.asyncs = s.st.asyncs[1:]
		if then := work(context.Background()); !s.st.closed {
			s.st.call(then)
		}
	}
	if s.st.closed && !s.over {
		s.over = true
		s.st.shut(s.st.now, s.st.why)
	}
}

// Player is a session of a Sim, as its client sees it.
type Player struct {
	sim    *Sim
	id     uint64
	uid    string
	tokens uint32
	seated bool
	pushes []SimPush
	answer *actors.Answer // to the last call
}

// SimPush is one push as it arrived.
type SimPush struct{ Route, Body string }

// String returns route and body, for tests that print.
func (p SimPush) String() string { return p.Route + " " + p.Body }

// Connect makes a session that is in no room yet. An empty uid is that of a
// session nobody logged in to.
func (s *Sim) Connect(uid string) *Player {
	s.serial++
	p := &Player{sim: s, id: s.serial, uid: uid}
	s.players[p.id] = p
	return p
}

// ID returns the session's id: players are numbered from 1.
func (p *Player) ID() uint64 { return p.id }

// Join asks to enter and returns the answer.
func (p *Player) Join(body string) (reply string, err error) {
	return p.call(verbJoin, p.sim.st.kind.join, body)
}

// Request asks for an operation, by its name without the kind, and returns the
// answer. An operation that the kind does not have is an error without a code.
func (p *Player) Request(name, body string) (reply string, err error) {
	for _, op := range p.sim.st.kind.ops {
		if op.name == name {
			return p.call(verbOp, op, body)
		}
	}
	return "", fmt.Errorf("kind %s has no operation %q", p.sim.st.kind.name, name)
}

// Leave leaves the room by the client's wish.
func (p *Player) Leave() error {
	_, err := p.call(verbLeave, nil, "")
	return err
}

// Drop ends the session: the room hears that the client has gone.
func (p *Player) Drop() {
	p.sim.st.gone(p.sim.st.now, p.id, protocol.ReasonClientGone)
	p.sim.settle()
}

// Pushes returns what the room has sent to this session since the last call, in
// order.
func (p *Player) Pushes() []SimPush {
	got := p.pushes
	p.pushes = nil
	return got
}

func (p *Player) call(v verb, op *operation, body string) (reply string, err error) {
	st := p.sim.st
	p.tokens++
	cl := &call{id: p.id, uid: p.uid, verb: v, op: op, token: actors.NewToken(p.tokens)}
	if op != nil {
		if cl.req, err = decode(st.kind, op, []byte(body)); err != nil {
			return "", err
		}
	}
	p.answer = nil
	st.handle(st.now, cl)
	a := p.answer
	p.sim.settle()
	switch {
	case a.Err != nil:
		return "", a.Err
	case a.Value == nil:
		return "{}", nil
	}
	b, err := st.kind.serializer.Append(nil, a.Value)
	return string(b), err
}
