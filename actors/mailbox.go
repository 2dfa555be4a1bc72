package actors

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Refusable is a message whose sender wants to know when nobody will handle it,
// because a mailbox was full or its actor has stopped. Refused is called at most
// once, from any goroutine, and must not block.
type Refusable interface{ Refused(err error) }

// Vital is a message that a full mailbox takes all the same, since an actor that
// never got it would be wrong for ever: the ring of its one timer, the result of what
// it has begun, an order. Whoever sends such messages sees to it that few can wait.
type Vital interface{ Vital() }

// ErrBusy and ErrStopped are what Refused is told.
var (
	ErrBusy    = errors.New("too busy")
	ErrStopped = errors.New("has stopped")
)

// Mailbox makes mailboxes for actors without children: unlike the runtime's own
// they hold no buffer when empty, are bounded, and lose nothing in silence. Past
// limit (0: none) a message is refused: the newest, because what waits has been
// promised already; but not one that is Vital. System messages go first. What is left
// when the actor stops is refused or becomes a dead letter.
func (a *App) Mailbox(limit int) actor.MailboxProducer {
	return func() actor.Mailbox { return &mailbox{app: a, limit: int64(limit)} }
}

// InlineMailbox makes mailboxes as Mailbox does, for actors that never wait and
// are done with each message in microseconds: whoever sends to an idle one runs
// it there and then, instead of waking a goroutine. After inlineRun messages in a
// row a goroutine takes over, so that no sender is kept.
func (a *App) InlineMailbox(limit int) actor.MailboxProducer {
	return func() actor.Mailbox { return &mailbox{app: a, limit: int64(limit), inline: true} }
}

const inlineRun = 32

type mailbox struct {
	// Set before Start, read-only afterwards.
	app        *App
	inline     bool
	limit      int64
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher

	// Any goroutine.
	in      inbox[envelope]
	waiting atomic.Int64 // user messages that count against limit

	// Owned by the reader.
	urgent    fifo[envelope] // system messages, ahead of the backlog
	backlog   fifo[envelope]
	suspended bool
	stopped   bool
}

type envelope struct {
	msg    any
	system bool
}

var envelopes = sync.Pool{New: func() any { return new(node[envelope]) }}

// PostUserMessage implements actor.Mailbox.
func (m *mailbox) PostUserMessage(msg any) {
	if n := m.waiting.Add(1); m.limit > 0 && n > m.limit && !vital(msg) {
		m.waiting.Add(-1)
		m.app.stats.MailboxRefused.Add(1)
		refuse(msg, ErrBusy)
		return
	}
	m.post(envelope{msg: msg})
}

// PostSystemMessage implements actor.Mailbox.
func (m *mailbox) PostSystemMessage(msg any) { m.post(envelope{msg: msg, system: true}) }

func (m *mailbox) post(e envelope) {
	n := envelopes.Get().(*node[envelope])
	n.v = e
	switch {
	case !m.in.push(n):
	case m.inline && m.runSome():
	default:
		m.dispatcher.Schedule(m.run)
	}
}

// RegisterHandlers implements actor.Mailbox.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, d actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, d
}

// Start implements actor.Mailbox.
func (m *mailbox) Start() {}

// UserMessageCount implements actor.Mailbox.
func (m *mailbox) UserMessageCount() int { return int(m.waiting.Load()) }

func (m *mailbox) run() {
	for {
		for m.step() {
		}
		if m.in.rest() {
			return
		}
	}
}

// runSome is run for at most inlineRun messages; it reports whether it got done.
func (m *mailbox) runSome() bool {
	for range inlineRun {
		if !m.step() && m.in.rest() {
			return true
		}
	}
	return false
}

// step handles one message and reports whether there may be more to do now.
func (m *mailbox) step() bool {
	m.fetch()
	if n := m.urgent.pop(); n != nil {
		m.system(done(n))
		return true
	}
	if m.suspended && !m.stopped {
		return false
	}
	n := m.backlog.pop()
	if n == nil {
		return false
	}
	m.waiting.Add(-1)
	m.user(done(n))
	return true
}

// fetch sorts what has come in.
func (m *mailbox) fetch() {
	for n := m.in.take(); n != nil; {
		next := n.next
		if n.v.system {
			m.urgent.push(n)
		} else {
			m.backlog.push(n)
		}
		n = next
	}
}

func (m *mailbox) system(msg any) {
	switch msg.(type) {
	case *actor.SuspendMailbox:
		m.suspended = true
	case *actor.ResumeMailbox:
		m.suspended = false
	case *actor.Stop:
		m.invoke(msg, m.invoker.InvokeSystemMessage)
		m.stopped = true
	default:
		m.invoke(msg, m.invoker.InvokeSystemMessage)
	}
}

func (m *mailbox) user(msg any) {
	if !m.stopped {
		m.invoke(msg, m.invoker.InvokeUserMessage)
		return
	}
	if refuse(msg, ErrStopped) {
		return
	}
	m.app.system.DeadLetter.SendUserMessage(nil, msg)
}

// invoke keeps a panic of the actor from ending the process: it becomes a
// failure for the actor's supervisor.
func (m *mailbox) invoke(msg any, f func(any)) {
	defer func() {
		if p := recover(); p != nil {
			m.app.stats.Panics.Add(1)
			m.invoker.EscalateFailure(p, msg)
		}
	}()
	f(msg)
}

// done takes the message out of its node and gives the node back.
func done(n *node[envelope]) any {
	msg := n.v.msg
	*n = node[envelope]{}
	envelopes.Put(n)
	return msg
}

func vital(msg any) bool {
	_, ok := bare(msg).(Vital)
	return ok
}

func bare(msg any) any {
	if e, ok := msg.(*actor.MessageEnvelope); ok {
		return e.Message
	}
	return msg
}

// refuse tells the sender of msg, if it wants to know.
func refuse(msg any, err error) bool {
	r, ok := bare(msg).(Refusable)
	if ok {
		r.Refused(err)
	}
	return ok
}
