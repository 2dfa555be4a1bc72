package actors_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

// "Rolling restart of all nodes: 0 failed calls": who waits for an answer when it is
// sent away gets it first, and so does what it has asked behind that.
func TestSentAwayBehindTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waiting := make(chan actors.Token, 1)
		a := start(t, actors.Config{}, func(a *actors.App) {
			a.Route("t.later", func(c *actors.Ctx, _ actors.Inbound) { waiting <- c.Await() })
		})
		idle, busy := actorstest.Connect(t, a), actorstest.Connect(t, a)
		first := busy.Request("t.later", `{}`)
		second := busy.Request("t.echo", `"behind"`)
		done := sendAway(t.Context(), a)
		time.Sleep(1100 * time.Millisecond) // all slices have been told
		for _, p := range []*actorstest.Probe{idle, busy} {
			if m := p.Message("the word that goes ahead"); m.Route != protocol.AwayRoute {
				t.Fatalf("told %s", m.Route)
			}
		}
		idle.Want("who has asked nothing goes at once", protocol.Kick, kicked)
		busy.WantIdle("who waits for an answer stays")
		wantOpen(t, "while somebody waits", done)

		busy.Session.Answer(actors.Answer{Token: <-waiting, Value: value{1}})
		busy.WantReply("the answer", first, `{"n":1}`)
		busy.WantReply("and what was asked behind it", second, `"behind"`)
		busy.Want("then the end", protocol.Kick, kicked)
		<-done
	})
}

// A stop ends in time whoever is waited for.
func TestSentAwayInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, actors.Config{RequestTimeout: time.Hour}, func(a *actors.App) {
			a.Route("t.never", func(c *actors.Ctx, _ actors.Inbound) { c.Await() })
		})
		gone, stuck := actorstest.Connect(t, a), actorstest.Connect(t, a)
		gone.Request("t.never", `{}`)
		stuck.Request("t.never", `{}`)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		done := sendAway(ctx, a)
		time.Sleep(1100 * time.Millisecond)
		gone.Drop()
		wantOpen(t, "while one is left", done)
		began := time.Now()
		<-done
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v beyond its time", took)
		}
		if err := a.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Who loses the connection while being waited for is waited for no longer.
func TestSentAwayAndGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, actors.Config{RequestTimeout: time.Hour}, func(a *actors.App) {
			a.Route("t.never", func(c *actors.Ctx, _ actors.Inbound) { c.Await() })
		})
		before, after := actorstest.Connect(t, a), actorstest.Connect(t, a)
		before.Request("t.never", `{}`)
		after.Request("t.never", `{}`)
		done := sendAway(t.Context(), a)
		before.Drop()
		time.Sleep(1100 * time.Millisecond)
		wantOpen(t, "while one is left", done)
		after.Drop()
		<-done
	})
}

const kicked = `{"reason":"server is stopping","code":11}`

func sendAway(ctx context.Context, a *actors.App) (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		defer close(done)
		a.SendAway(ctx, time.Second, "")
	}()
	return done
}

func wantOpen(t *testing.T, when string, done chan struct{}) {
	t.Helper()
	synctest.Wait()
	select {
	case <-done:
		t.Fatalf("the stop goes on %s", when)
	default:
	}
}

// Also those who are sent away first have time to go by themselves.
func TestSentAwayWithNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, actors.Config{}, func(*actors.App) {})
		clients := make([]*actorstest.Probe, 100)
		for i := range clients {
			clients[i] = actorstest.Connect(t, a)
		}
		began := time.Now()
		done := sendAway(t.Context(), a)
		for _, p := range clients {
			var away protocol.Away
			if m := p.Message("a word first"); json.Unmarshal(m.Body, &away) != nil || m.Route != protocol.AwayRoute || away.After < 250 || away.After > 1000 {
				t.Errorf("told %s %s", m.Route, m.Body)
			}
		}
		time.Sleep(250*time.Millisecond - time.Since(began))
		if n := a.Stats().Sessions; n != int64(len(clients)) {
			t.Errorf("%d of %d are left after a quarter of the time", n, len(clients))
		}
		<-done
	})
}
