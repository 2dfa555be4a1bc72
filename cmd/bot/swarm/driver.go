package swarm

import (
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/pace"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
)

// driver is the goroutine that makes things happen at their time: connections
// of the ramp, acts of the schedule, and what sessions have set timers for. It
// does not wait for answers.
type driver struct {
	// Set at birth, read-only afterwards.
	worker *worker
	hand   *hand
	actors []*session // who acts, in turn
	order  chan int64 // the moment at which the schedule begins
	halt   chan struct{}
	quit   chan struct{}

	// Any goroutine.
	done atomic.Bool  // the schedule is over
	end  atomic.Int64 // when it will be

	// Owned by run.
	dialled  int // sessions of the ramp so far
	runners  int // sessions whose own program has begun
	begin    int64
	plan     *pace.Schedule
	nextAct  int64 // 0: none
	turn     int
	rampTime int64
	timer    *time.Timer
}

func newDriver(w *worker, h *hand) *driver {
	return &driver{
		worker: w, hand: h, order: make(chan int64, 1), halt: make(chan struct{}, 1), quit: make(chan struct{}),
		rampTime: int64(w.ramp.Over(w.Sessions)), timer: time.NewTimer(time.Hour),
	}
}

// choose finds out who acts.
func (d *driver) choose() {
	for _, s := range d.worker.sessions {
		if len(s.kind.Act) > 0 {
			d.actors = append(d.actors, s)
		}
	}
}

// lateAfter is how far behind its plan an act may begin before it counts as late.
const lateAfter = int64(5 * time.Millisecond)

// run opens the sessions, beginning at start, and goes on until quit is closed.
func (d *driver) run(start int64) {
	for {
		at := d.round(start)
		wait := int64(time.Hour)
		if at != 0 {
			wait = max(at-d.worker.clock.Now(), 0)
		}
		if wait <= coarse {
			nap(max(wait, shortestNap))
			continue
		}
		d.timer.Reset(time.Duration(wait - coarse))
		select {
		case <-d.timer.C:
		case <-d.worker.timers.earlier:
		case begin := <-d.order:
			d.schedule(begin)
		case <-d.halt:
			d.over()
		case <-d.quit:
			return
		}
	}
}

const (
	// coarse is how late a timer of the runtime may be.
	coarse = int64(time.Millisecond)
	// shortestNap bounds how often the driver wakes up: at high rates several acts
	// are begun at once, a little late, which costs less.
	shortestNap = int64(200 * time.Microsecond)
)

// round does all that is due and returns when the next thing will be.
func (d *driver) round(start int64) (at int64) {
	for {
		now := d.worker.clock.Now()
		more := d.ramp(start, now)
		acted := d.acts(now)
		woken, nextTimer := d.timed(now)
		select {
		case <-d.quit:
			return 0
		case begin := <-d.order:
			d.schedule(begin)
			continue
		case <-d.halt:
			d.over()
		default:
		}
		if more || acted || woken {
			continue
		}
		return earliest(d.nextDial(start), d.nextAct, d.nextRun(), nextTimer, d.finish())
	}
}

func earliest(times ...int64) (at int64) {
	for _, t := range times {
		if t != 0 && (at == 0 || t < at) {
			at = t
		}
	}
	return at
}

// nextDial is when the ramp opens its next session: this process's are spread
// over the whole ramp.
func (d *driver) nextDial(start int64) int64 {
	if d.dialled >= len(d.worker.sessions) {
		return 0
	}
	return start + int64(float64(d.rampTime)*float64(d.dialled)/float64(len(d.worker.sessions)))
}

// ramp opens one session if one is due.
func (d *driver) ramp(start, now int64) bool {
	due := d.nextDial(start)
	if due == 0 || due > now {
		return false
	}
	s := d.worker.sessions[d.dialled]
	d.dialled++
	d.with(s, func() { s.start(d.hand, due, now) })
	return true
}

// with runs f with the locks of s and of the driver's hand.
func (d *driver) with(s *session, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.hand.mu.Lock()
	defer d.hand.mu.Unlock()
	f()
}

// schedule begins the plan.
func (d *driver) schedule(begin int64) {
	w := d.worker
	d.begin = begin
	d.plan = pace.New(w.stages, w.Seed, w.index, w.Procs)
	if len(d.actors) == 0 {
		d.plan = pace.New(nil, 0, 0, 1)
	}
	d.following()
}

// finish is when the schedule ends, unless it has.
func (d *driver) finish() int64 {
	if d.begin == 0 || d.done.Load() {
		return 0
	}
	return d.end.Load()
}

// following looks up the next act of the plan.
func (d *driver) following() {
	d.nextAct = 0
	if at, ok := d.plan.Next(); ok {
		d.nextAct = d.begin + int64(at)
	}
}

// acts begins one act if one is due.
func (d *driver) acts(now int64) bool {
	if d.begin != 0 && now >= d.end.Load() && d.nextAct == 0 {
		d.done.Store(true)
	}
	d.runs(now)
	due := d.nextAct
	if due == 0 || due > now {
		return false
	}
	d.following()
	d.count(measure.Planned, due)
	if now-due > lateAfter {
		d.count(measure.Late, due)
	}
	for range min(len(d.actors), triesMax) {
		s := d.actors[d.turn]
		d.turn = (d.turn + 1) % len(d.actors)
		ok := false
		d.with(s, func() {
			if ok = s.act(d.hand, due, now); ok {
				d.lag(due, now)
			}
		})
		if ok {
			return true
		}
	}
	d.count(measure.Skipped, due)
	return true
}

// triesMax is how many sessions are asked whether they can act: where so many in
// a row have gone there is no point in looking further.
const triesMax = 64

// count counts an act, unless it belongs to the warm-up.
func (d *driver) count(c measure.Counter, due int64) {
	if due < d.worker.measureFrom.Load() {
		return
	}
	d.hand.mu.Lock()
	d.hand.sheet.Add(c, 1)
	d.hand.mu.Unlock()
}

// lag notes how far behind its plan an act began. Under the hand's lock.
func (d *driver) lag(due, now int64) {
	if due >= d.worker.measureFrom.Load() {
		d.hand.sheet.Metrics[scenario.MetricLag].Record(now - due)
		d.hand.worst = max(d.hand.worst, now-due)
	}
}

// runSpread is the time over which sessions begin to go at their own pace: they
// do not clap in time.
const runSpread = int64(time.Second)

// nextRun is when the next session begins to go at its own pace.
func (d *driver) nextRun() int64 {
	if d.begin == 0 || d.runners >= len(d.worker.sessions) {
		return 0
	}
	return d.begin + runSpread*int64(d.runners)/int64(len(d.worker.sessions))
}

// runs begins the programs that are due.
func (d *driver) runs(now int64) {
	for at := d.nextRun(); at != 0 && at <= now; at = d.nextRun() {
		s := d.worker.sessions[d.runners]
		d.runners++
		if len(s.kind.Run) > 0 {
			d.with(s, func() { s.run(d.hand, at, now) })
		}
	}
}

// timed wakes one session if one is due.
func (d *driver) timed(now int64) (woken bool, next int64) {
	s, next := d.worker.timers.next(now)
	if s == nil {
		return false, next
	}
	d.with(s, func() { s.wake(d.hand, now) })
	return true, 0
}

// over drives no further.
func (d *driver) over() {
	d.nextAct = 0
	d.plan = pace.New(nil, 0, 0, 1)
	d.end.Store(d.worker.clock.Now())
	d.done.Store(true)
}
