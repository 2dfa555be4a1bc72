package roster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// Config is what a process needs to take its place. Store, Prefix and Self are
// required.
type Config struct {
	Store  store.Store
	Prefix string // of the records of members, with a slash at the end
	Self   Member // ID and Addr are required; State, Since and Lease are set here
	// TTL is how long after its last sign of life what a host had may be away when
	// it vanishes; 0 is 10 s. Its lease is a fifth shorter, so that it can begin
	// elsewhere in time. Crashed processes are usually noticed within a second. The
	// process itself stops relying on its lease after four fifths of that: without
	// the store it goes on for half of TTL and more.
	TTL time.Duration
	// Load is asked for the figures of the own record every LoadEvery (2 s when
	// zero); it must not block. Nil: they stay zero.
	Load      func() Load
	LoadEvery time.Duration
	// Changed is told of every change, the latest one when several come at once,
	// from one goroutine.
	Changed func(Standing)
	// Dial tries to reach a member's address; nil is TCP.
	Dial   func(ctx context.Context, addr string) error
	Logger *slog.Logger
}

// Standing is what a process knows of the cluster and of its own place in it.
type Standing struct {
	View  *View
	Held  bool        // the lease may be relied on now; ask Roster.Held when it matters
	Lease store.Lease // the one that is held
}

// Roster is this process's place in the cluster and its view of the others. Its
// methods are usable from any goroutine.
type Roster struct {
	// Set at birth, read-only afterwards.
	cfg   Config
	log   *slog.Logger
	born  time.Time
	stop  context.CancelFunc
	tasks sync.WaitGroup
	in    chan any // what the loop is told
	poke  chan struct{}

	standing atomic.Pointer[Standing] // written by the loop
	until    atomic.Int64             // ns after born, 0: not held; written by the loop
	stats    stats

	ended chan struct{} // the loop has returned
}

// Messages to the loop.
type (
	taskDone struct{ outcome }
	listed   struct {
		records  []store.Record
		revision uint64
	}
	changed   struct{ events []store.Event }
	loadTick  struct{}
	suspected struct{ addr string }
	cleared   struct{ addr string }
	setState  struct {
		state State
		done  chan<- struct{}
	}
)

// Join takes this process's place: it ends what is left of an earlier process at
// the same address, registers, and returns when it holds its place and knows the
// others. When that does not succeed before ctx ends, nothing is left running.
func Join(ctx context.Context, cfg Config) (*Roster, error) {
	if cfg.TTL == 0 {
		cfg.TTL = 10 * time.Second
	}
	if cfg.LoadEvery == 0 {
		cfg.LoadEvery = 2 * time.Second
	}
	if cfg.Dial == nil {
		cfg.Dial = dialTCP
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	now := time.Now()
	cfg.Self.State, cfg.Self.Since = Up, now.UnixMilli()
	run, stop := context.WithCancel(context.Background())
	r := &Roster{
		cfg: cfg, log: cfg.Logger, born: now.Add(-1), stop: stop,
		in: make(chan any, 64), poke: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	r.standing.Store(&Standing{View: NewView(nil)})
	if err := r.clean(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("join cluster: %w", err)
	}
	ready := make(chan struct{})
	go r.loop(run, ready)
	r.tasks.Go(func() { r.publish(run) })
	r.tasks.Go(func() { r.follow(run) })
	r.tasks.Go(func() { r.tickLoad(run) })
	select {
	case <-ready:
		return r, nil
	case <-ctx.Done():
		r.Close()
		return nil, fmt.Errorf("join cluster: %w", ctx.Err())
	}
}

// ErrSameSessions says that another member's sessions have ids that begin as ours
// do: messages would reach the wrong one. The beginning is random, of 2^23: whoever
// starts again gets another.
var ErrSameSessions = errors.New("session ids begin like those of another member, start again")

// clean ends the leases of earlier processes at our address. They are gone, since
// we could bind it; without this their rooms would wait for the leases to run out.
func (r *Roster) clean(ctx context.Context) error {
	recs, _, err := r.cfg.Store.List(ctx, r.cfg.Prefix)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		m, err := decode(rec)
		switch {
		case err != nil || m.ID == r.cfg.Self.ID:
			continue // an unreadable record is reported by whoever lists it next
		case m.Addr != r.cfg.Self.Addr && m.Sessions != 0 && m.Sessions == r.cfg.Self.Sessions:
			return fmt.Errorf("%w: %s", ErrSameSessions, m.Name)
		case m.Addr != r.cfg.Self.Addr:
			continue
		}
		r.log.Info("ended what an earlier process at this address left", "member", m.ID)
		if err := r.cfg.Store.Revoke(ctx, m.Lease); err != nil {
			return err
		}
	}
	return nil
}

// View returns the members as last heard, also while the store is away.
func (r *Roster) View() *View { return r.standing.Load().View }

// Standing returns what Changed was or will be told last.
func (r *Roster) Standing() Standing { return *r.standing.Load() }

// Self returns this process's own member record, without load.
func (r *Roster) Self() Member { return r.cfg.Self }

// Held says whether what this process owns by its lease is its own now. It reads
// the clock and one word: cheap enough to ask before every answer. It needs no
// goroutine to have run, so it is right the moment a stopped process goes on.
func (r *Roster) Held() bool {
	return int64(time.Since(r.born)) < r.until.Load()
}

// Suspect tells that the connection to a member broke. If its host says that
// nobody listens there any more, its lease is ended for it.
func (r *Roster) Suspect(addr string) { r.tell(suspected{addr}) }

// Drain makes this process known as one that takes nothing new, and returns when
// the store has it, or ctx has ended.
func (r *Roster) Drain(ctx context.Context) error {
	done := make(chan struct{})
	r.tell(setState{Draining, done})
	select {
	case <-done:
		return nil
	case <-r.ended:
		return errors.New("drain: has left the cluster")
	case <-ctx.Done():
		return fmt.Errorf("drain: %w", ctx.Err())
	}
}

// Leave gives up the place: the lease is ended, so that the others know at once.
// It also does what Close does.
func (r *Roster) Leave(ctx context.Context) error {
	r.Close()
	lease := r.Standing().Lease
	if lease == 0 {
		return nil
	}
	if err := r.cfg.Store.Revoke(ctx, lease); err != nil {
		return fmt.Errorf("leave cluster: %w", err)
	}
	return nil
}

// Close ends all work and waits for it; the lease runs out by itself. The store
// is the caller's to close. Twice does nothing.
func (r *Roster) Close() {
	r.stop()
	<-r.ended
	r.tasks.Wait()
}

// tell hands the loop a message, unless it has ended.
func (r *Roster) tell(m any) {
	select {
	case r.in <- m:
	case <-r.ended:
	}
}
