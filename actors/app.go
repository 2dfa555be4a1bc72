package actors

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// Config says how sessions behave. The zero value works; for counts and durations
// zero is the default and negative is off.
type Config struct {
	Heartbeat        time.Duration       // 30 s; after three silent intervals the session is closed
	HandshakeTimeout time.Duration       // 10 s, from the accept to the ack
	RequestTimeout   time.Duration       // 5 s for an awaited answer; then 408
	MaxBlocking      int                 // handlers of Blocking routes at work at a time, 10,000; then 503
	HookTimeout      time.Duration       // 10 s for each hook of a component
	Rate             int                 // messages a second and session, 200; excess is answered 429
	ByteRate         int                 // body bytes a second and session, 1 MiB
	Dict             map[string]uint16   // route dictionary, codes from 1; nil: routes are sent in full
	Serializer       protocol.Serializer // JSON
	Logger           *slog.Logger        // nil is silent
	NewAudience      func() Audience     // needed by rooms and groups; there is no default
	Duplicates       DuplicateLogin      // KickOld, what a second login of a user does, see Users

	// Validate, when not nil, decides about each handshake. It may block. User is
	// kept with the session and sent to the client; an error refuses it with the
	// error's message (code 500, or 501 for an error of CodeClientTooOld). A user that
	// is Identified logs the session in.
	Validate func(h *Hello) (user any, err error)
}

// App is the application: its routes, its sessions and the actor system they live
// in. Register first, then Start, then Open; from Start on its methods are safe
// from any goroutine.
type App struct {
	// Set before Start, read-only afterwards.
	cfg    Config
	system *actor.ActorSystem
	born   time.Time
	prefix uint64 // of session ids: tells nodes and restarts apart
	routes map[string]*route
	table  *protocol.Routes
	closed []func(*Ref, protocol.Reason)
	errs   []error

	nodes      Nodes      // nil for a node alone
	far        *actor.PID // the farActor, with nodes
	pipeline   Pipeline
	components []*component // in the order of registration
	hooked     bool         // Finish has to call Shutdown hooks; owned by whoever stops the application

	started bool

	// Any goroutine.
	serial     atomic.Uint64
	running    atomic.Bool // the components are up, and BeforeShutdown is due
	stopping   atomic.Bool
	stats      counters
	letters    *deadLetters
	users      *Users
	besides    atomic.Int64  // handlers of Blocking routes at work
	leaving    atomic.Int64  // sessions that were sent away and are not closed
	groups     sync.Map      // name → *Group, of those that are not closed
	schedulers sync.Map      // name → *Scheduler, the same
	grouped    atomic.Uint64 // tells actors of one name apart
	polled     atomic.Uint64 // numbers what other nodes are asked
}

// Session ids are a random prefix of one App and a serial number.
const (
	prefixBits = 24
	serialBits = 53 - prefixBits
)

// New returns an application without routes.
func New(cfg Config) *App {
	or(&cfg.Heartbeat, 30*time.Second)
	or(&cfg.HandshakeTimeout, 10*time.Second)
	or(&cfg.RequestTimeout, 5*time.Second)
	or(&cfg.HookTimeout, 10*time.Second)
	or(&cfg.MaxBlocking, 10_000)
	or(&cfg.Rate, 200)
	or(&cfg.ByteRate, 1<<20)
	if cfg.Serializer == nil {
		cfg.Serializer = protocol.JSON
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	a := &App{cfg: cfg, born: time.Now().Add(-time.Second), prefix: randomPrefix(), routes: make(map[string]*route)}
	quiet := slog.New(slog.DiscardHandler) // dead letters are counted and answered by us
	a.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	a.letters = newDeadLetters(a)
	a.users = newUsers(a)
	return a
}

// or resolves a setting: zero is the default, negative is off, which is 0.
func or[T int | time.Duration](field *T, value T) {
	switch {
	case *field == 0:
		*field = value
	case *field < 0:
		*field = 0
	}
}

func randomPrefix() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])>>(64-prefixBits) | 1<<(prefixBits-1)
}

// System returns the actor system that sessions and rooms live in.
func (a *App) System() *actor.ActorSystem { return a.system }

// Serializer returns the serializer of routes that name none.
func (a *App) Serializer() protocol.Serializer { return a.cfg.Serializer }

// NewAudience returns the fan-out port of a new room.
func (a *App) NewAudience() Audience { return a.cfg.NewAudience() }

// since is the application's clock: the time since just before it was made, so
// that no instant is 0.
func (a *App) since() time.Duration { return time.Since(a.born) }

// Open makes the session of a new connection, which hands its packets to the
// session from then on. It returns nil when the application is stopping.
func (a *App) Open(w Wire) *Session { return a.open(w, nil) }

func (a *App) open(w Wire, c *spoken) *Session {
	if a.stopping.Load() {
		return nil
	}
	s := &Session{Ref: Ref{wire: w, app: a}, codec: c}
	s.id = a.prefix<<serialBits | a.serial.Add(1)&(1<<serialBits-1)
	s.local, s.reader = s, s.off
	s.state = newSessionState(a.since(), a.cfg.HandshakeTimeout, a.cfg.Heartbeat)
	if c != nil {
		s.state.work(a.since())
	}
	deadline := s.state.deadline
	s.armed = deadline
	a.stats.Sessions.Add(1)
	name := sessionName(s.id)
	s.pid = a.system.NewLocalPID(name)
	// From the next line on others may find the session and have it run.
	if _, ok := a.system.ProcessRegistry.Add(s, name); !ok {
		a.stats.Sessions.Add(-1)
		return nil // 2^29 sessions later, and the first of them still here
	}
	a.stats.Opened.Add(1)
	w.Timer(a.born.Add(deadline))
	return s
}

// namePrefix begins the names of sessions in the process registry.
const namePrefix = "sess/"

func sessionName(id uint64) string { return namePrefix + strconv.FormatUint(id, 36) }

// Session finds a session of this node by its id.
func (a *App) Session(id uint64) (*Ref, bool) {
	p, ok := a.system.ProcessRegistry.GetLocal(sessionName(id))
	if s, is := p.(*Session); ok && is {
		return &s.Ref, true
	}
	return nil, false
}

// remove forgets a session that has ended.
func (a *App) remove(s *Session, why protocol.Reason, cause error) {
	a.system.ProcessRegistry.Remove(s.pid)
	a.stats.Sessions.Add(-1)
	a.stats.Ended[why].Add(1)
	s.log().Debug("session ended", "reason", why.Name(), "cause", cause)
}

// farewell tells the actor behind a membership that the session has ended.
func (a *App) farewell(id uint64, m Membership, why protocol.Reason) {
	ended := &SessionEnded{ID: id, Kind: m.Kind, Room: m.Room, Reason: why}
	ended.again = func() { a.system.Root.Send(m.PID, ended) }
	ended.again()
}

// Shutdown calls the components' BeforeShutdown, opens no more sessions, tells
// those there are that the server stops, and waits until they have ended or ctx
// has, which is a *LeftError. Rooms may stop behind it, and Finish then ends the
// components.
func (a *App) Shutdown(ctx context.Context) error {
	hooks := a.beforeShutdown(ctx)
	a.stopping.Store(true)
	for _, s := range a.sessions() {
		s.Kick(protocol.ReasonShutdown, "")
	}
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for a.stats.Sessions.Load() > 0 || a.besides.Load() > 0 {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return errors.Join(hooks, &LeftError{a.stats.Sessions.Load(), a.besides.Load(), ctx.Err()})
		}
	}
	return hooks
}

// LeftError says who had not ended when the time of a stop was over.
type LeftError struct {
	Sessions int64
	Handlers int64 // of Blocking routes
	Cause    error
}

func (e *LeftError) Error() string {
	return fmt.Sprintf("waiting for %d sessions and %d blocking handlers to end: %v", e.Sessions, e.Handlers, e.Cause)
}

func (e *LeftError) Unwrap() error { return e.Cause }

// sessions lists the sessions of now. It walks the whole registry, whose own
// listing would start 32,768 goroutines for that.
func (a *App) sessions() (all []*Session) {
	for _, bucket := range a.system.ProcessRegistry.LocalPIDs.LocalPIDs {
		bucket.IterCb(func(_ string, p any) {
			if s, ok := p.(*Session); ok {
				all = append(all, s)
			}
		})
	}
	return all
}

// Close ends what the application itself listens to; it is the last call.
func (a *App) Close() {
	a.users.close()
	if a.far != nil {
		a.system.Root.Stop(a.far)
	}
	for name, g := range a.groups.Range {
		if a.groups.CompareAndDelete(name, g) {
			a.system.Root.Stop(g.(*Group).pid)
		}
	}
	for name, s := range a.schedulers.Range {
		if a.schedulers.CompareAndDelete(name, s) {
			a.system.Root.Stop(s.(*Scheduler).pid)
		}
	}
	a.letters.close()
}
