package actors

import (
	"time"

	"github.com/shaddock-game/shaddock/actors/timer"
)

// sessionTasks are the timers of one session, owned by its run.
type sessionTasks struct {
	s     *Session
	set   timer.Set[*Ctx]
	alarm timer.Alarm
	ring  func()
	route *route // what a Ctx without a request says that it handles
}

// After calls f once, d from now, as a message of the session: never at the same
// time as a handler that runs on the session's goroutine, where f may wait as
// handlers may. F gets a Ctx that answers nothing and cannot bind, but can do
// everything else. The task ends with the session.
func (c *Ctx) After(d time.Duration, f func(c *Ctx)) *Task {
	now := time.Now()
	return c.task(f, func(in *timer.Set[*Ctx], f func(*Ctx)) *timer.Timer[*Ctx] { return in.After(now, d, f) })
}

// Every calls f every d, first d from now, without drift; what a slow session
// misses is skipped. It panics unless d is positive.
func (c *Ctx) Every(d time.Duration, f func(c *Ctx)) *Task {
	mustRepeat(d)
	now := time.Now()
	return c.task(f, func(in *timer.Set[*Ctx], f func(*Ctx)) *timer.Timer[*Ctx] { return in.Every(now, d, f) })
}

// Times is Every that ends after n calls.
func (c *Ctx) Times(d time.Duration, n int, f func(c *Ctx)) *Task {
	mustRepeat(d)
	now := time.Now()
	return c.task(f, func(in *timer.Set[*Ctx], f func(*Ctx)) *timer.Timer[*Ctx] { return in.Times(now, d, n, f) })
}

// When asks cond every d and calls f each time that it says yes.
func (c *Ctx) When(d time.Duration, cond func(c *Ctx) bool, f func(c *Ctx)) *Task {
	mustRepeat(d)
	now := time.Now()
	return c.task(f, func(in *timer.Set[*Ctx], f func(*Ctx)) *timer.Timer[*Ctx] { return in.When(now, d, cond, f) })
}

// Cron calls f at the instants of a cron expression, see timer.ParseCron.
func (c *Ctx) Cron(expr string, f func(c *Ctx)) (*Task, error) {
	e, err := timer.ParseCron(expr)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return c.task(f, func(in *timer.Set[*Ctx], f func(*Ctx)) *timer.Timer[*Ctx] { return in.Follow(now, e, f) }), nil
}

func (c *Ctx) task(f func(*Ctx), begin func(in *timer.Set[*Ctx], f func(*Ctx)) *timer.Timer[*Ctx]) *Task {
	t := &Task{owner: &c.s.Ref}
	c.carry(&beginTask{t, func(in *timer.Set[*Ctx]) { t.timer = begin(in, unlessStopped(t, f)) }})
	return t
}

// drop has a task taken out of the session's set.
func (r *Ref) drop(t *Task) { r.send(&dropTask{t}) }

// beginTask and dropTask are what tasks send to their session.
type beginTask struct {
	t     *Task
	begin func(in *timer.Set[*Ctx])
}

type dropTask struct{ t *Task }

func (o *beginTask) carry(s *Session, _ *turn) {
	if s.ended || s.state.phase == phaseClosing {
		o.t.stopped.Store(true)
		return
	}
	m := s.rare()
	if m.tasks == nil {
		m.tasks = &sessionTasks{
			s:     s,
			ring:  func() { s.post(event{kind: eventTasks}) },
			route: &route{name: "task", serializer: s.app.cfg.Serializer},
		}
	}
	o.begin(&m.tasks.set)
	m.tasks.arm()
}

func (o *dropTask) carry(s *Session, _ *turn) {
	o.t.end()
	if m := s.more.Load(); m != nil && m.tasks != nil && !s.ended {
		m.tasks.arm()
	}
}

// Refused implements Refusable: with its session the task has ended.
func (*dropTask) Refused(error) {}

func (k *sessionTasks) arm() {
	at, ok := k.set.Next()
	k.alarm.Set(time.Now(), at, ok, k.ring)
}

// due calls what is due. It must not run on a loop: the functions may wait.
func (k *sessionTasks) due(t *turn) {
	k.alarm.Rang()
	now := time.Now()
	for !k.s.ended && k.s.state.phase == phaseWorking {
		f, ok := k.set.Pop(now)
		if !ok {
			k.arm()
			return
		}
		k.call(t, f)
	}
}

func (k *sessionTasks) call(t *turn, f func(*Ctx)) {
	defer func() {
		if p := recover(); p != nil {
			_ = k.s.panicked("task", p) // nobody waits for an answer
		}
	}()
	f(&Ctx{turn: t, s: k.s, route: k.route, answered: true, now: time.Now()})
}

// tasksDue handles the ring of a session's alarm.
func (s *Session) tasksDue(t *turn) {
	if m := s.more.Load(); m != nil && m.tasks != nil {
		m.tasks.due(t)
	}
}

// endTasks stops all tasks of a session that has ended.
func (s *Session) endTasks() {
	if m := s.more.Load(); m != nil && m.tasks != nil {
		m.tasks.set.Clear()
		m.tasks.alarm.Stop()
		m.tasks = nil
	}
}
