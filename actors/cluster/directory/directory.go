package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/inbox"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// Host runs the rooms that the directory gives to this process. Its methods are
// called from one goroutine and must return at once; a host that is an actor
// sends itself a message.
//
// Between Suspend and Resume a room answers nothing and says nothing. Besides, a
// host asks Roster.Held before everything a room answers: a process that was
// stopped may run for a moment before Suspend reaches it.
type Host interface {
	// Start makes a room run as the activation epoch. A room that cannot start is
	// reported as stopped.
	Start(key Key, epoch uint64)
	Suspend(key Key, epoch uint64)
	// Resume lets a suspended room go on, as the activation next from now on: the
	// same when nobody can have had it meanwhile.
	Resume(key Key, epoch, next uint64)
	// Stop ends a room; Directory.Stopped tells when it has. One that is told to
	// stop for being Idle may stay, and say so by Directory.Stayed.
	Stop(key Key, epoch uint64, why Why)
}

// Config is what a directory needs. All but Rules, Host and Logger are required.
type Config struct {
	Store  store.Store
	Prefix string // of the keys of rooms, with a slash at the end
	Link   *link.Link
	Roster *roster.Roster
	Host   Host // nil: this process runs no rooms
	// Rules say per kind where new rooms go; a kind without one goes to whoever
	// runs it, by weight and load. Unhosted looks after the kinds that have one.
	Rules  map[string]Rule
	Logger *slog.Logger
}

// Directory is this process's part of the directory. Its methods are usable from
// any goroutine.
type Directory struct {
	// Set at birth, read-only afterwards.
	cfg    Config
	log    *slog.Logger
	self   link.Peer
	run    context.Context
	stop   context.CancelFunc
	tasks  sync.WaitGroup
	in     inbox.Inbox
	writes chan struct{} // tokens: so many questions to the store at a time

	places  *places
	flights sync.Map // Key → *flight: who is being looked for
	bare    sync.Map // kind → time.Time: since when a search met nobody that runs it
	drained chan struct{}
	history *history
	stats   stats
}

// Messages to the loop.
type (
	wanted struct {
		key Key
		ask ask
	}
	createDone struct {
		key   Key
		lease store.Lease
		rec   store.Record
		err   error
	}
	removeDone struct {
		key   Key
		epoch uint64
		err   error
	}
	roomRetired struct {
		key   Key
		epoch uint64
	}
	roomStayed struct {
		key   Key
		epoch uint64
	}
	roomStopped struct {
		key   Key
		epoch uint64
	}
	stood      struct{ roster.Standing }
	drainAsked struct{}
)

// New makes a directory and registers what it serves with the link, which must
// not have been started. The roster must tell it of every change by Standing.
func New(cfg Config) *Directory {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Directory{
		cfg: cfg, log: cfg.Logger, self: cfg.Link.Self(),
		in: inbox.New(), writes: make(chan struct{}, storeCalls), drained: make(chan struct{}),
		history: newHistory(), places: newPlaces(placesMost),
	}
	d.run, d.stop = context.WithCancel(context.Background())
	cfg.Link.Serve(wire.OpClaim, d.serveClaim)
	cfg.Link.Serve(wire.OpMoves, d.serveMoves)
	return d
}

const (
	storeCalls   = 64 // questions to the store under way at a time
	storeTimeout = 2 * time.Second
	storePause   = 200 * time.Millisecond // after a failed one
	askLimit     = 16384                  // messages that wait, past which asks are refused
)

// Start begins the directory's work.
func (d *Directory) Start() { d.tasks.Go(d.loop) }

// Close ends the directory's work; keys stay until their lease ends.
func (d *Directory) Close() {
	d.stop()
	d.tasks.Wait()
}

// Standing takes in what the roster knows. It is Config.Changed of the roster.
func (d *Directory) Standing(s roster.Standing) {
	d.hosted(s.View)
	d.history.members(time.Now(), s.View)
	d.in.Put(stood{s}, 0)
}

// Retire tells that a room could be put away; the directory asks the host to stop
// it when nothing speaks against it.
func (d *Directory) Retire(key Key, epoch uint64) { d.in.Put(roomRetired{key, epoch}, 0) }

// Stayed tells that a room which was told to stop for being idle goes on.
func (d *Directory) Stayed(key Key, epoch uint64) { d.in.Put(roomStayed{key, epoch}, 0) }

// Stopped tells that a room of this process has ended, asked to or not.
func (d *Directory) Stopped(key Key, epoch uint64) { d.in.Put(roomStopped{key, epoch}, 0) }

// Drain stops all rooms of this process, which then can run elsewhere, and
// returns when their keys are released or ctx has ended. The process must be
// known as draining, or rooms may be looked for here.
func (d *Directory) Drain(ctx context.Context) error {
	d.in.Put(drainAsked{}, 0)
	select {
	case <-d.drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("drain rooms: %w", ctx.Err())
	}
}

func (d *Directory) loop() {
	runs := func(kind string) bool {
		return d.cfg.Host != nil && d.cfg.Roster.Self().Runs(kind)
	}
	own := newDeeds(d.self.ID, runs)
	for {
		select {
		case <-d.run.Done():
			return
		case <-d.in.Wake():
		}
		for _, m := range d.in.Take() {
			d.receive(own, m)
			for _, e := range own.out {
				d.history.done(time.Now(), d.history.name(d.self.ID), e)
				d.perform(e)
			}
			clear(own.out)
			own.out = own.out[:0]
		}
		d.stats.rooms.Store(int64(len(own.rooms)))
	}
}

func (d *Directory) receive(own *deeds, m any) {
	switch m := m.(type) {
	case wanted:
		own.want(m.key, m.ask)
	case createDone:
		own.created(m.key, m.lease, m.rec, m.err)
	case removeDone:
		own.removed(m.key, m.epoch, m.err)
		if m.err == nil {
			d.history.released(time.Now(), d.history.name(d.self.ID), m.key, m.epoch)
		}
	case roomRetired:
		own.retire(m.key, m.epoch)
	case roomStayed:
		own.stayed(m.key, m.epoch)
	case roomStopped:
		if lost := own.stopped(m.key, m.epoch); lost {
			d.history.released(time.Now(), d.history.name(d.self.ID), m.key, m.epoch)
		}
	case stood:
		own.standing(m.Held, m.Lease)
	case drainAsked:
		own.drain()
	}
}

// perform carries out one effect of the deeds.
func (d *Directory) perform(e effect) {
	switch e.do {
	case create:
		d.ask(e.again, func(ctx context.Context) any {
			rec, _, err := d.cfg.Store.Create(ctx, d.cfg.Prefix+e.key.Path(), claim(d.self.ID, d.self.Addr), e.lease)
			d.report("claim", e.key, err)
			return createDone{e.key, e.lease, rec, err}
		})
	case remove:
		d.ask(e.again, func(ctx context.Context) any {
			_, err := d.cfg.Store.Delete(ctx, d.cfg.Prefix+e.key.Path(), e.epoch)
			d.report("release", e.key, err)
			return removeDone{e.key, e.epoch, err}
		})
	case start:
		d.stats.activations.Add(1)
		d.stats.epoch.Store(max(d.stats.epoch.Load(), e.epoch))
		d.cfg.Host.Start(e.key, e.epoch)
	case suspend:
		d.stats.suspended.Add(1)
		d.cfg.Host.Suspend(e.key, e.epoch)
	case resume:
		d.stats.resumed.Add(1)
		d.stats.epoch.Store(max(d.stats.epoch.Load(), e.next))
		d.cfg.Host.Resume(e.key, e.epoch, e.next)
	case stop:
		if e.why == Lost {
			d.stats.lost.Add(1)
		}
		d.cfg.Host.Stop(e.key, e.epoch, e.why)
	case answer:
		e.ask.(func(reply))(e.reply)
	case drained:
		select {
		case <-d.drained:
		default:
			close(d.drained)
		}
	}
}

// ask puts one question to the store from a goroutine of its own.
func (d *Directory) ask(again bool, f func(ctx context.Context) any) {
	d.tasks.Go(func() {
		if again && !timer.Sleep(d.run, storePause) {
			return
		}
		select {
		case d.writes <- struct{}{}:
		case <-d.run.Done():
			return
		}
		ctx, cancel := context.WithTimeout(d.run, storeTimeout)
		m := f(ctx)
		cancel()
		<-d.writes
		d.in.Put(m, 0)
	})
}

func (d *Directory) report(what string, key Key, err error) {
	if err != nil && d.run.Err() == nil {
		d.stats.storeErrors.Add(1)
		d.log.Warn("ownership of a room could not be written", "task", what, "room", key.String(), "error", err)
	}
}

// serveClaim answers a peer that wants a room to run here.
func (d *Directory) serveClaim(c *link.Call) {
	key := Key{c.Kind, c.Id}
	answer := func(r reply) { answerClaim(c, r) }
	if !d.in.Put(wanted{key, answer}, askLimit) {
		answer(reply{refusal: overload})
	}
}

func answerClaim(c *link.Call, r reply) {
	switch {
	case r.refusal != 0:
		c.Fail(&protocol.Error{Code: protocol.CodeUnavailable, Msg: r.refusal.String()})
	case r.elsewhere.Node != "":
		body, err := json.Marshal(r.elsewhere)
		if err != nil {
			panic(err) // strings and a number
		}
		c.Answer(&wire.Envelope{Body: body})
	default:
		c.Answer(&wire.Envelope{Epoch: r.epoch})
	}
}

func (r refusal) String() string {
	return [...]string{"", "node is not sure of its lease", "node is leaving", "node does not run this kind of room", "node is overloaded"}[r]
}

// List returns all rooms of the cluster that have an owner, as the store knows
// them. It is for people: it reads every key.
func (d *Directory) List(ctx context.Context) (map[Key]Place, error) {
	recs, _, err := d.cfg.Store.List(ctx, d.cfg.Prefix)
	if err != nil {
		return nil, fmt.Errorf("list rooms: %w", err)
	}
	all := make(map[Key]Place, len(recs))
	for _, r := range recs {
		key, err := keyOf(r.Key[len(d.cfg.Prefix):])
		if err != nil {
			return nil, fmt.Errorf("list rooms: %w", err)
		}
		if all[key], err = placeOf(r); err != nil {
			return nil, fmt.Errorf("list rooms: %w", err)
		}
	}
	return all, nil
}
