package actors_test

import (
	"errors"
	"testing"
	"testing/synctest"

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
