package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
)

// deadLetters tells the senders of messages to actors that are gone, and counts
// the rest: a message that came too late must not leave a client without answer.
type deadLetters struct {
	app *App
	sub *eventstream.Subscription
}

func newDeadLetters(a *App) *deadLetters {
	d := &deadLetters{app: a}
	d.sub = a.system.EventStream.Subscribe(func(e any) {
		if letter, ok := e.(*actor.DeadLetterEvent); ok && !refuse(letter.Message, ErrStopped) {
			a.stats.DeadLetters.Add(1)
		}
	})
	return d
}

func (d *deadLetters) close() { d.app.system.EventStream.Unsubscribe(d.sub) }
