package roster

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/timer"
)

// loop is the state of a roster and the goroutine that owns it. It does no I/O,
// so that nothing can keep it from ending the hold in time.
type loop struct {
	r      *Roster
	ctx    context.Context
	ready  chan<- struct{} // closed once held and listed
	tenure tenure
	list   list
	self   Member

	load     Load
	drained  chan<- struct{} // closed when the record that says so is written
	suspects map[string]bool
}

func (r *Roster) loop(ctx context.Context, ready chan<- struct{}) {
	defer close(r.ended)
	l := &loop{
		r: r, ctx: ctx, ready: ready, self: r.cfg.Self,
		tenure: tenure{ttl: r.cfg.TTL}, suspects: make(map[string]bool),
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer r.until.Store(0)
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-r.in:
			l.receive(time.Now(), m)
		case <-timer.C:
		}
		timer.Reset(l.settle(time.Now()))
	}
}

func (l *loop) receive(now time.Time, m any) {
	switch m := m.(type) {
	case taskDone:
		do := l.tenure.busy
		l.tenure.done(now, m.outcome)
		if m.err != nil {
			l.r.stats.failures.Add(1)
			l.r.log.Warn("cluster store does not answer as it should", "task", do.String(), "error", m.err)
		}
	case listed:
		l.report(l.list.reset(m.records))
		if _, ok := l.list.byKey[l.r.key()]; !ok {
			l.tenure.deleted(m.revision)
		}
	case changed:
		l.report(l.list.apply(m.events))
		l.lookForDeletion(m.events)
	case loadTick:
		if load := l.r.cfg.Load(); load != l.load {
			l.load = load
			l.tenure.dirty = true
		}
	case suspected:
		l.suspect(m.addr)
	case cleared:
		delete(l.suspects, m.addr)
	case setState:
		l.self.State, l.drained = m.state, m.done
		l.tenure.dirty = true
	}
}

// settle starts what the tenure wants done, makes the outcome known and returns
// when to look again.
func (l *loop) settle(now time.Time) time.Duration {
	do, wake := l.tenure.next(now)
	if do != noTask {
		l.start(now, do)
		_, wake = l.tenure.next(now)
	}
	if l.drained != nil && l.tenure.held && !l.tenure.dirty && l.tenure.busy != putRecord {
		close(l.drained)
		l.drained = nil
	}
	l.announce()
	return wake.Sub(now)
}

// start has a task done by a goroutine of its own.
func (l *loop) start(now time.Time, do task) {
	var record []byte
	if do == putRecord {
		l.self.Load = l.load
		var err error
		if record, err = json.Marshal(l.self); err != nil {
			panic(err) // a Member has nothing that JSON cannot write
		}
	}
	l.tenure.begin(now, do)
	lease, timeout, ttl, r := l.tenure.lease, l.tenure.timeout(), l.tenure.ask(), l.r
	r.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(l.ctx, timeout)
		defer cancel()
		r.tell(taskDone{r.perform(ctx, do, lease, ttl, record)})
	})
}

func (r *Roster) perform(ctx context.Context, do task, lease store.Lease, ttl time.Duration, record []byte) (o outcome) {
	switch do {
	case grantLease:
		o.lease, o.ttl, o.err = r.cfg.Store.Grant(ctx, ttl)
	case renewLease:
		o.ttl, o.err = r.cfg.Store.Renew(ctx, lease)
	case putRecord:
		var rec store.Record
		rec, o.err = r.cfg.Store.Put(ctx, r.key(), record, lease)
		o.revision = rec.Revision
	}
	return o
}

func (r *Roster) key() string { return r.cfg.Prefix + r.cfg.Self.ID }

// announce publishes what has changed: to Held at once, to the others in turn.
func (l *loop) announce() {
	s := Standing{View: l.r.standing.Load().View, Held: l.tenure.held, Lease: l.tenure.lease}
	until := int64(0)
	if s.Held {
		until = int64(l.tenure.until.Sub(l.r.born))
	}
	l.r.until.Store(until)
	if l.list.dirty {
		s.View = l.list.view()
	}
	was := l.r.standing.Load()
	if s == *was {
		return
	}
	if was.Held && !s.Held {
		l.r.stats.lapses.Add(1)
		l.r.log.Warn("lease may have run out: rooms pause until the store answers", "lease", was.Lease)
	}
	if s.Held && !was.Held {
		l.r.log.Info("holds its place in the cluster", "lease", s.Lease)
	}
	l.r.standing.Store(&s)
	if _, seen := l.list.byKey[l.r.key()]; l.ready != nil && seen && s.Held {
		close(l.ready)
		l.ready = nil
	}
	select {
	case l.r.poke <- struct{}{}:
	default:
	}
}

func (l *loop) report(bad []error) {
	for _, err := range bad {
		l.r.log.Error("record of a member cannot be read", "error", err)
	}
}

// lookForDeletion ends the hold when our record has gone.
func (l *loop) lookForDeletion(events []store.Event) {
	for _, e := range events {
		if e.Deleted && e.Key == l.r.key() {
			l.tenure.deleted(e.Revision)
		}
	}
}

// publish tells Changed the latest standing, from one goroutine.
func (r *Roster) publish(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.poke:
			if r.cfg.Changed != nil {
				r.cfg.Changed(r.Standing())
			}
		}
	}
}

// follow lists the members and watches for changes from there, and begins again
// whenever that is interrupted.
func (r *Roster) follow(ctx context.Context) {
	pause := backoff{least: 100 * time.Millisecond, most: 2 * time.Second}
	for ctx.Err() == nil {
		err := r.listAndWatch(ctx, &pause)
		if ctx.Err() != nil {
			return
		}
		r.stats.relists.Add(1)
		if !errors.Is(err, store.ErrCompacted) {
			r.log.Warn("lost the watch on the members", "error", err)
		}
		pause.wait(ctx)
	}
}

func (r *Roster) listAndWatch(ctx context.Context, pause *backoff) error {
	short, cancel := context.WithTimeout(ctx, r.cfg.TTL/4)
	recs, rev, err := r.cfg.Store.List(short, r.cfg.Prefix)
	cancel()
	if err != nil {
		return err
	}
	pause.reset()
	r.tell(listed{recs, rev})
	return r.cfg.Store.Watch(ctx, r.cfg.Prefix, rev, func(events []store.Event) { r.tell(changed{events}) })
}

func (r *Roster) tickLoad(ctx context.Context) {
	if r.cfg.Load == nil {
		return
	}
	tick := time.NewTicker(r.cfg.LoadEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.tell(loadTick{})
		}
	}
}

// suspect has a member's address looked at, unless it is being looked at already.
func (l *loop) suspect(addr string) {
	if l.suspects[addr] || addr == l.self.Addr {
		return
	}
	l.suspects[addr] = true
	view, r := l.r.View(), l.r
	r.tasks.Go(func() {
		defer r.tell(cleared{addr})
		if !r.refused(l.ctx, addr) {
			return
		}
		for _, m := range view.Members() {
			if m.Addr != addr {
				continue
			}
			r.stats.crashed.Add(1)
			r.log.Info("nobody listens there any more: ending its lease", "member", m.ID, "addr", addr)
			ctx, cancel := context.WithTimeout(l.ctx, r.cfg.TTL/4)
			if err := r.cfg.Store.Revoke(ctx, m.Lease); err != nil {
				r.log.Warn("lease of a crashed member must run out by itself", "member", m.ID, "error", err)
			}
			cancel()
		}
	})
}

// refused says whether the host answers, three times, that nobody listens. A
// process that is stopped or slow still has its socket, and a host that is cut
// off answers nothing: neither is proof, and only the lease can tell.
func (r *Roster) refused(ctx context.Context, addr string) bool {
	for i := range 3 {
		if i > 0 {
			if !timer.Sleep(ctx, 20*time.Millisecond) {
				return false
			}
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		err := r.cfg.Dial(short, addr)
		cancel()
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return false
		}
	}
	return true
}

func dialTCP(ctx context.Context, addr string) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return c.Close()
}
