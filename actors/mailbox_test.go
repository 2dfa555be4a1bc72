package actors_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
)

// refusable is a message whose sender hears what became of it.
type refusable struct{ told chan error }

func (r refusable) Refused(err error) { r.told <- err }

// plain is one whose sender does not.
type plain struct{}

// What waits when an actor stops is refused or becomes a dead letter, also for who
// asked and waits: the runtime's own mailboxes lose it in silence. Past its limit a
// mailbox refuses the newest.
func TestMailboxLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{NewAudience: actorstest.NewAudience})
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		root := a.System().Root
		busy, handled := make(chan struct{}), 0
		pid := root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch c.Message().(type) {
			case string:
				<-busy
			case refusable, plain:
				handled++
			}
		}, actor.WithMailbox(a.Mailbox(4))))
		root.Send(pid, "be busy")
		synctest.Wait()
		told := make(chan error, 8)
		root.Send(pid, refusable{told})
		root.Send(pid, plain{})
		asked := root.RequestFuture(pid, plain{}, -1)
		root.Send(pid, refusable{told}) // the fourth: one is being handled
		root.Send(pid, refusable{told}) // one too many
		if err := <-told; !errors.Is(err, actors.ErrBusy) {
			t.Fatalf("past the limit: %v", err)
		}
		letters := a.Stats().DeadLetters
		root.Stop(pid)
		close(busy)
		for range 2 {
			if err := <-told; !errors.Is(err, actors.ErrStopped) {
				t.Errorf("left over when the actor stopped: %v", err)
			}
		}
		if _, err := asked.Result(); !errors.Is(err, actor.ErrDeadLetter) {
			t.Errorf("who asked is told %v", err)
		}
		synctest.Wait()
		if n := a.Stats().DeadLetters - letters; n != 2 || handled != 0 {
			t.Errorf("%d dead letters, want 2; %d handled after the stop", n, handled)
		}
	})
}

// order is a message that an actor must not miss.
type order struct{ refusable }

func (order) Vital() {}

// A full mailbox takes what is vital, in its turn; one whose actor has stopped does
// not.
func TestMailboxTakesWhatIsVital(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{NewAudience: actorstest.NewAudience})
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		root := a.System().Root
		busy := make(chan struct{})
		var got []string
		pid := root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch c.Message().(type) {
			case string:
				<-busy
			case plain:
				got = append(got, "plain")
			case order:
				got = append(got, "order")
			}
		}, actor.WithMailbox(a.Mailbox(1))))
		root.Send(pid, "be busy")
		synctest.Wait()
		told := make(chan error, 8)
		root.Send(pid, plain{})
		root.Send(pid, order{refusable{told}})
		root.Request(pid, order{refusable{told}}) // in an envelope
		root.Send(pid, refusable{told})
		if err := <-told; !errors.Is(err, actors.ErrBusy) {
			t.Errorf("what is not vital: %v", err)
		}
		close(busy)
		synctest.Wait()
		if want := []string{"plain", "order", "order"}; !slices.Equal(got, want) {
			t.Errorf("handled %v, want %v", got, want)
		}
		root.Stop(pid)
		root.Send(pid, order{refusable{told}})
		synctest.Wait()
		if len(told) > 0 && !errors.Is(<-told, actors.ErrStopped) {
			t.Error("refused for another reason than the end")
		}
		time.Sleep(actor.Configure().DeadLetterThrottleInterval + time.Second)
	})
}
