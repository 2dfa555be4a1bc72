package timer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// log collects which calls were made when.
type log struct{ lines []string }

func (l *log) call(name string) func(time.Time) {
	return func(now time.Time) { l.lines = append(l.lines, fmt.Sprintf("%s@%v", name, now.Sub(start))) }
}

func (l *log) want(t *testing.T, what, lines string) {
	t.Helper()
	if got := strings.Join(l.lines, " "); got != lines {
		t.Errorf("%s: got %q, want %q", what, got, lines)
	}
	l.lines = nil
}

// run makes the calls that are due at an instant.
func run(s *Set[time.Time], d time.Duration) {
	now := start.Add(d)
	for f, ok := s.Pop(now); ok; f, ok = s.Pop(now) {
		f(now)
	}
}

// runUntil wakes the set whenever something is due, as an alarm does.
func runUntil(s *Set[time.Time], end time.Duration) {
	for at, ok := s.Next(); ok && at.Sub(start) <= end; at, ok = s.Next() {
		run(s, at.Sub(start))
	}
}

// FEATURES 1, "Scheduler and timers": after, every, N times, on condition; Stop.
func TestSchedulerAndTimers(t *testing.T) {
	var s Set[time.Time]
	var l log
	s.After(start, 1500*time.Microsecond, l.call("after"))
	s.After(start, -time.Second, l.call("at once"))
	every := s.Every(start, time.Second, l.call("every"))
	s.Times(start, 400*time.Millisecond, 3, l.call("times"))
	never := s.Times(start, time.Second, 0, l.call("never"))
	warm := false
	s.When(start, 500*time.Millisecond, func(time.Time) bool { return warm }, l.call("when"))
	run(&s, 0)
	l.want(t, "nothing waits for what is due", "at once@0s")
	runUntil(&s, 2*time.Second)
	l.want(t, "each at its time", "after@1.5ms times@400ms times@800ms every@1s times@1.2s every@2s")
	warm = true
	every.Stop()
	every.Stop()
	runUntil(&s, 3*time.Second)
	l.want(t, "the condition holds, the other is stopped", "when@2.5s when@3s")
	if every.Active() || never.Active() || s.Len() != 1 {
		t.Errorf("active %v %v, %d timers left, want one", every.Active(), never.Active(), s.Len())
	}
}

// "no drift": however late the calls come, they are due at multiples of the interval.
func TestNoDrift(t *testing.T) {
	var s Set[time.Time]
	var l log
	s.Every(start, 100*time.Millisecond, l.call("e"))
	run(&s, 130*time.Millisecond)
	run(&s, 199*time.Millisecond)
	run(&s, 200*time.Millisecond)
	run(&s, 555*time.Millisecond)
	run(&s, 600*time.Millisecond)
	l.want(t, "late ones do not shift the next, missed ones are skipped", "e@130ms e@200ms e@555ms e@600ms")
}

func TestCron(t *testing.T) {
	for _, row := range []struct{ expr, want string }{
		{"*/5 * * * *", "c@5m0s c@10m0s"},
		{"30 */4 * * * *", "c@30s c@4m30s c@8m30s"},
		{"@every 4m", "c@4m0s c@8m0s"},
		{"CRON_TZ=Asia/Kathmandu 50 17 * * *", "c@5m0s"}, // UTC+5:45
		{"0 0 30 2 *", ""},
	} {
		var s Set[time.Time]
		var l log
		c, err := s.Cron(start, row.expr, l.call("c"))
		if err != nil {
			t.Errorf("%s: %v", row.expr, err)
			continue
		}
		runUntil(&s, 10*time.Minute+30*time.Second)
		l.want(t, row.expr, row.want)
		if c.Active() != (row.want != "") {
			t.Errorf("%s: active %v", row.expr, c.Active())
		}
	}
	var s Set[time.Time]
	if _, err := s.Cron(start, "61 * * * *", nil); err == nil || !strings.Contains(err.Error(), `"61 * * * *"`) {
		t.Errorf("got error %v, want one that shows the expression", err)
	}
}

// A call may stop its own timer and others, and make new ones; a timer of a set
// that was cleared must not touch those that came after it.
func TestStopInsideACall(t *testing.T) {
	var s Set[time.Time]
	var l log
	var self *Timer[time.Time]
	other := s.Every(start, 2*time.Second, l.call("other"))
	self = s.Every(start, time.Second, func(now time.Time) {
		l.call("self")(now)
		self.Stop()
		other.Stop()
		s.After(now, 0, l.call("new"))
	})
	runUntil(&s, time.Minute)
	l.want(t, "one call each", "self@1s new@1s")

	stale := s.After(start, time.Second, l.call("stale"))
	s.Clear()
	s.After(start, time.Second, l.call("fresh"))
	stale.Stop()
	runUntil(&s, time.Minute)
	l.want(t, "after a clear", "fresh@1s")
}

func TestRepeatingNeedsAnInterval(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Every(0) did not panic")
		}
	}()
	new(Set[int]).Every(start, 0, nil)
}

// A thousand random steps beside a twin that looks through a plain list.
func TestSetBesideItsTwin(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	r := rand.New(rand.NewPCG(seed, 0))
	type twin struct {
		id    int
		due   time.Time
		timer *Timer[time.Time]
	}
	var (
		s    Set[time.Time]
		list []twin
		got  []int
		now  = start
	)
	for id := range 1000 {
		d := time.Duration(r.IntN(50)) * time.Millisecond
		list = append(list, twin{id, now.Add(d), s.After(now, d, func(time.Time) { got = append(got, id) })})
		if r.IntN(4) == 0 {
			i := r.IntN(len(list))
			list[i].timer.Stop()
			list = slices.Delete(list, i, i+1)
		}
		now = now.Add(time.Duration(r.IntN(10)) * time.Millisecond)
		run(&s, now.Sub(start))
		var want []int
		slices.SortStableFunc(list, func(a, b twin) int { return a.due.Compare(b.due) })
		for len(list) > 0 && !list[0].due.After(now) {
			want, list = append(want, list[0].id), list[1:]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("step %d: called %v, want %v", id, got, want)
		}
		got = nil
		slices.SortFunc(list, func(a, b twin) int { return a.id - b.id })
	}
}

// The alarm rings at what it was last set to, in fake time to the nanosecond.
func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Alarm
		rings := make(chan time.Time, 10)
		ring := func() { rings <- time.Now() }
		began := time.Now()
		a.Set(began, began.Add(time.Hour), true, ring)
		a.Set(began, began.Add(time.Millisecond), true, ring)
		a.Set(began, began.Add(time.Millisecond), true, ring)
		if got := (<-rings).Sub(began); got != time.Millisecond {
			t.Errorf("rang after %v, want 1ms", got)
		}
		a.Rang()
		now := time.Now()
		a.Set(now, now.Add(time.Millisecond), true, ring)
		a.Set(now, time.Time{}, false, ring)
		time.Sleep(2 * time.Hour)
		if len(rings) != 0 {
			t.Errorf("rang %d times after it was turned off", len(rings))
		}
	})
}
