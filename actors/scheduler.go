package actors

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors/timer"
)

// Scheduler is an actor that calls functions, one at a time: at once, later, again
// and again. It is for what belongs to no session and no room, such as a
// component's own chores: what is touched by the functions of one scheduler alone
// needs no lock. A function may block, and then holds up its scheduler only. One
// that panics is logged and counted, and the scheduler goes on.
//
// Functions get the instant at which they are called. Tasks do not drift: they are
// due at multiples of their interval, counted from the call that made them; those
// that a slow function makes the scheduler miss are skipped. All end with the
// scheduler.
//
// Its methods are usable from any goroutine, from its own functions too.
type Scheduler struct {
	app  *App
	name string
	pid  *actor.PID

	ended chan struct{} // closed by the actor
}

// schedulerMailbox bounds what waits for one scheduler; past it a function given to
// Do is not called and a task not begun, which is counted in Stats.MailboxRefused,
// and a call of a Serial component is answered 503.
const schedulerMailbox = 4096

// errand is what others have a scheduler's actor do.
type errand interface{ perform() }

// Scheduler returns the scheduler of that name, which it starts when there is none.
// That of a Serial component has the component's name.
// App.Close ends those that have not been stopped.
func (a *App) Scheduler(name string) *Scheduler {
	if s, ok := a.schedulers.Load(name); ok {
		return s.(*Scheduler)
	}
	s := &Scheduler{app: a, name: name, ended: make(chan struct{})}
	props := actor.PropsFromProducer(func() actor.Actor { return &schedulerActor{of: s} }, actor.WithMailbox(a.Mailbox(schedulerMailbox)))
	pid, err := a.system.Root.SpawnNamed(props, fmt.Sprintf("scheduler/%s/%s@%d", a.system.ID, name, a.grouped.Add(1)))
	if err != nil {
		panic(fmt.Sprintf("actors: scheduler %q: %v", name, err)) // the name is unique
	}
	s.pid = pid
	if first, exists := a.schedulers.LoadOrStore(name, s); exists {
		a.system.Root.Stop(pid)
		return first.(*Scheduler)
	}
	return s
}

// Name returns the scheduler's name.
func (s *Scheduler) Name() string { return s.name }

// Do calls f as soon as what was asked for before has been done.
func (s *Scheduler) Do(f func()) { s.send(&scheduleDo{f}) }

// After calls f once, d from now.
func (s *Scheduler) After(d time.Duration, f func(now time.Time)) *Task {
	now := time.Now()
	return s.task(f, func(in *timer.Set[time.Time], f func(time.Time)) *timer.Timer[time.Time] { return in.After(now, d, f) })
}

// Every calls f every d, first d from now. It panics unless d is positive.
func (s *Scheduler) Every(d time.Duration, f func(now time.Time)) *Task {
	mustRepeat(d)
	now := time.Now()
	return s.task(f, func(in *timer.Set[time.Time], f func(time.Time)) *timer.Timer[time.Time] { return in.Every(now, d, f) })
}

// Times is Every that ends after n calls.
func (s *Scheduler) Times(d time.Duration, n int, f func(now time.Time)) *Task {
	mustRepeat(d)
	now := time.Now()
	return s.task(f, func(in *timer.Set[time.Time], f func(time.Time)) *timer.Timer[time.Time] {
		return in.Times(now, d, n, f)
	})
}

// When asks cond every d and calls f each time that it says yes.
func (s *Scheduler) When(d time.Duration, cond func(now time.Time) bool, f func(now time.Time)) *Task {
	mustRepeat(d)
	now := time.Now()
	return s.task(f, func(in *timer.Set[time.Time], f func(time.Time)) *timer.Timer[time.Time] {
		return in.When(now, d, cond, f)
	})
}

// Cron calls f at the instants of a cron expression, see timer.ParseCron.
func (s *Scheduler) Cron(expr string, f func(now time.Time)) (*Task, error) {
	c, err := timer.ParseCron(expr)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return s.task(f, func(in *timer.Set[time.Time], f func(time.Time)) *timer.Timer[time.Time] { return in.Follow(now, c, f) }), nil
}

// Stop ends the scheduler and waits, until ctx ends, for the function that is being
// called; those that wait are not. Its name is free again. A function of its own
// must not wait for it.
func (s *Scheduler) Stop(ctx context.Context) error {
	if s.app.schedulers.CompareAndDelete(s.name, s) {
		s.app.system.Root.Stop(s.pid)
	}
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("scheduler %q: waiting for its last function: %w", s.name, ctx.Err())
	}
}

func (s *Scheduler) task(f func(time.Time), begin func(in *timer.Set[time.Time], f func(time.Time)) *timer.Timer[time.Time]) *Task {
	t := &Task{owner: s}
	s.send(&scheduleBegin{t, func(in *timer.Set[time.Time]) { t.timer = begin(in, unlessStopped(t, f)) }})
	return t
}

func (s *Scheduler) drop(t *Task) { s.send(&scheduleDrop{t}) }

func (s *Scheduler) send(msg any) { s.app.system.Root.Send(s.pid, msg) }

// Messages of a scheduler.
type (
	scheduleDo    struct{ f func() }
	scheduleBegin struct {
		t     *Task
		begin func(in *timer.Set[time.Time])
	}
	scheduleDrop struct{ t *Task }
	scheduleRing struct{}
)

// Refused implements Refusable; it is counted where it happened.
func (*scheduleDo) Refused(error) {}

// Refused implements Refusable.
func (m *scheduleBegin) Refused(error) { m.t.stopped.Store(true) }

// Refused implements Refusable: the task will not be called, nor be there.
func (*scheduleDrop) Refused(error) {}

// schedulerActor is the actor behind a Scheduler.
type schedulerActor struct {
	of *Scheduler

	// Owned by Receive.
	timers timer.Set[time.Time]
	alarm  timer.Alarm
	ring   func()
}

// Receive implements actor.Actor.
func (a *schedulerActor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		a.ring = func() { a.of.send(&scheduleRing{}) }
	case *actor.Stopping:
		a.alarm.Stop()
		close(a.of.ended)
		return
	case *scheduleDo:
		a.call(m.f)
	case errand:
		m.perform()
		return // the alarm stands
	case *scheduleBegin:
		m.begin(&a.timers)
	case *scheduleDrop:
		m.t.end()
	case *scheduleRing:
		a.alarm.Rang()
		a.due()
	}
	at, ok := a.timers.Next()
	a.alarm.Set(time.Now(), at, ok, a.ring)
}

// due calls what was due when the message came; what falls due meanwhile comes
// with the next one, so that others get their turn.
func (a *schedulerActor) due() {
	now := time.Now()
	for f, ok := a.timers.Pop(now); ok; f, ok = a.timers.Pop(now) {
		a.call(func() { f(time.Now()) })
	}
}

func (a *schedulerActor) call(f func()) {
	defer func() {
		if p := recover(); p != nil {
			a.of.app.stats.Panics.Add(1)
			a.of.app.cfg.Logger.Error("scheduled function panicked", "scheduler", a.of.name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	f()
}
