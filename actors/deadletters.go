package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
)

// deadLetters tells the senders of messages to actors that are gone, and counts
// the rest: a message that came too late must not leave a client without answer.
//
// It takes the place of what the runtime has subscribed by itself. That would log
// through a throttle, which keeps a goroutine for a second after a dead letter:
// more than a closed application, and a test in a bubble, should leave behind.
type deadLetters struct {
	app *App
	sub *eventstream.Subscription
}

func newDeadLetters(a *App) *deadLetters {
	d := &deadLetters{app: a}
	a.system.EventStream = eventstream.NewEventStream()
	d.sub = a.system.EventStream.Subscribe(func(e any) {
		if letter, ok := e.(*actor.DeadLetterEvent); ok {
			d.handle(letter)
		}
	})
	return d
}

func (d *deadLetters) handle(l *actor.DeadLetterEvent) {
	system := d.app.system
	if l.Sender != nil { // a future would wait for its time-out
		system.Root.Send(l.Sender, &actor.DeadLetterResponse{Target: l.PID})
	}
	if watch, ok := l.Message.(*actor.Watch); ok {
		if p, found := system.ProcessRegistry.Get(watch.Watcher); found {
			p.SendSystemMessage(watch.Watcher, &actor.Terminated{Who: l.PID, Why: actor.TerminatedReason_NotFound})
		}
		return
	}
	if !refuse(l.Message, ErrStopped) {
		d.app.stats.DeadLetters.Add(1)
	}
}

func (d *deadLetters) close() { d.app.system.EventStream.Unsubscribe(d.sub) }
