package actors_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
)

// FEATURES 1, "Scheduler and timers": after, every, N times, on condition, cron,
// Stop, each called by the scheduler's actor, in fake time to the millisecond.
func TestSchedulerAndTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		s := a.Scheduler("chores")
		if a.Scheduler("chores") != s || a.Scheduler("others") == s || s.Name() != "chores" {
			t.Error("a scheduler is not known by its name")
		}
		began := time.Now() // midnight UTC
		var calls []string  // owned by the scheduler
		note := func(what string) func(time.Time) {
			return func(now time.Time) { calls = append(calls, fmt.Sprintf("%s@%v", what, now.Sub(began))) }
		}
		s.Do(func() { calls = append(calls, "do") })
		s.After(1500*time.Microsecond, note("after"))
		every := s.Every(time.Second, note("every"))
		s.Times(300*time.Millisecond, 2, note("times"))
		s.When(time.Second, func(now time.Time) bool { return now.Sub(began) > 3*time.Second }, note("when"))
		if _, err := s.Cron("*/2 * * * * *", note("cron")); err != nil {
			t.Error(err)
		}
		if _, err := s.Cron("often", note("")); err == nil || !strings.Contains(err.Error(), `"often"`) {
			t.Errorf("got error %v, want one that shows the expression", err)
		}
		time.Sleep(2500 * time.Millisecond)
		every.Stop()
		every.Stop()
		time.Sleep(2 * time.Second)
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		want := "do after@1.5ms times@300ms times@600ms every@1s every@2s cron@2s when@4s cron@4s"
		if got := strings.Join(calls, " "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if a.Scheduler("chores") == s {
			t.Error("the name of a stopped scheduler is not free")
		}
	})
}

// "no drift", and a function that blocks holds up its own scheduler only.
func TestSchedulerDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		began := time.Now()
		var slow, other []time.Duration
		a.Scheduler("slow").Every(time.Second, func(now time.Time) {
			slow = append(slow, now.Sub(began))
			time.Sleep(2500 * time.Millisecond)
		})
		a.Scheduler("other").Every(time.Second, func(now time.Time) { other = append(other, now.Sub(began)) })
		time.Sleep(7*time.Second + time.Millisecond)
		for _, name := range []string{"other", "slow"} {
			if err := a.Scheduler(name).Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if want := []time.Duration{1 * time.Second, 3500 * time.Millisecond, 6 * time.Second}; !slices.Equal(slow, want) {
			t.Errorf("got %v, want %v", slow, want)
		}
		for i, d := range other {
			if d != time.Duration(i+1)*time.Second {
				t.Errorf("call %d came after %v", i+1, d)
			}
		}
		if len(other) != 7 {
			t.Errorf("%d calls, want 7", len(other))
		}
	})
}

// A function may stop its own task, make others, and panic; nothing is called
// after a Stop has returned.
func TestSchedulerFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		s := a.Scheduler("s")
		own, made := 0, 0
		var task *actors.Task
		s.Do(func() {
			task = s.Every(time.Millisecond, func(time.Time) {
				own++
				task.Stop()
				s.After(time.Millisecond, func(time.Time) { made++ })
				panic("on purpose")
			})
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if own != 1 || made != 1 || a.Stats().Panics != 1 {
			t.Errorf("own %d, made %d, %d panics; want 1 of each", own, made, a.Stats().Panics)
		}
		block, hasty := make(chan struct{}), 0
		s.Do(func() { <-block })
		synctest.Wait()
		late := s.After(0, func(time.Time) { hasty++ })
		late.Stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v, want the context's", err)
		}
		close(block)
		if err := s.Stop(t.Context()); err != nil || hasty != 0 {
			t.Errorf("stop: %v; a task that was stopped was called %d times", err, hasty)
		}
		s.Do(func() { t.Error("called after the end") })
		s.After(0, func(time.Time) { t.Error("called after the end") })
	})
}

// Many goroutines make and stop tasks of one scheduler: those that were not stopped
// are called, each once, and never two at the same time.
func TestSchedulerFromManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		s := a.Scheduler("s")
		called := make(map[int]int) // owned by the scheduler
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				task := s.After(time.Duration(i%7)*time.Millisecond+time.Second, func(time.Time) { called[i]++ })
				if i%3 == 0 {
					task.Stop()
				}
			})
		}
		all.Wait()
		time.Sleep(2 * time.Second)
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			if want := min(1, i%3); called[i] != want {
				t.Errorf("task %d called %d times, want %d", i, called[i], want)
			}
		}
	})
}

// Bank is a component with chores of its own.
type Bank struct {
	app   *actors.App
	gold  int // owned by the component's actor
	ended int
}

func (b *Bank) Init() { b.app.Scheduler("bank").Every(time.Second, func(time.Time) { b.gold += 100 }) }

func (b *Bank) Shutdown() { b.ended = b.gold }

func (b *Bank) Take(_ *actors.Ctx, v *value) (*value, error) {
	b.gold -= v.N
	return &value{b.gold}, nil
}

// "Timers per actor: component": those of a Serial component are called between
// its handlers, so that its fields need no lock, and end with it.
func TestComponentTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{Heartbeat: -1, Rate: -1})
		bank := &Bank{app: a}
		a.Component(bank, actors.Serial, actors.LowerFirst)
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		p, q := actorstest.Connect(t, a), actorstest.Connect(t, a)
		time.Sleep(10*time.Second - 500*time.Microsecond)
		for range 500 { // while the tenth is due
			p.Request("bank.take", `{"n":1}`)
			q.Request("bank.take", `{"n":1}`)
			time.Sleep(2 * time.Microsecond)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		last := actorstest.Connect(t, a)
		last.WantReply("nothing is lost", last.Request("bank.take", ``), `{"n":100}`)
		for _, c := range []*actorstest.Probe{p, q, last} {
			c.Drop()
		}
		if err := errors.Join(a.Shutdown(t.Context()), a.Finish(t.Context())); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if bank.ended != 100 || bank.gold != 100 {
			t.Errorf("%d at the end, %d a minute later, want 100", bank.ended, bank.gold)
		}
		a.Close()
	})
}
