package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// farActor keeps what this application waits for from others: answers of several
// nodes to one question, and the ends of sessions elsewhere.
type farActor struct {
	app *App

	// Owned by Receive.
	self    *actor.PID
	now     time.Time
	polls   map[uint64]*poll
	watches map[uint64]*watch
	timers  timer.Set[time.Time]
	alarm   timer.Alarm
	ring    func()
	looking bool // a look after all watches is due
}

// farMailbox bounds what waits for it. A question past it has no answers, which its
// asker is told; an answer past it is missing at the deadline.
const farMailbox = 1 << 16

// pollTime is how long other nodes may take to answer, unless a context ends first.
const pollTime = 2 * time.Second

// watchAgain is the pause before a watch is asked for again that could not be sent.
const watchAgain = 500 * time.Millisecond

// Messages to it, besides *poll and *watch, which begin.
type (
	farAnswer struct {
		number uint64
		node   string
		err    error // of the node
		silent bool  // it could not be asked
		body   []byte
	}
	farEnd struct {
		number uint64
		why    protocol.Reason
		uid    string
		state  []byte
	}
	nodeGone struct{ id string }
	nodeBack struct{}
	farRing  struct{}
)

// poll is one question to several nodes.
type poll struct {
	number  uint64
	waiting []OtherNode // have not answered
	within  time.Duration
	answers []farAnswer
	silent  []string // names of nodes that have not answered and will not
	done    func(answers []farAnswer, silent []string)
}

// Refused implements Refusable: nobody was asked.
func (p *poll) Refused(error) {
	for _, n := range p.waiting {
		p.silent = append(p.silent, n.Name)
	}
	p.done(nil, p.silent)
}

func (a *App) startFar() *actor.PID {
	props := actor.PropsFromProducer(func() actor.Actor {
		return &farActor{app: a, polls: make(map[uint64]*poll), watches: make(map[uint64]*watch)}
	}, actor.WithMailbox(a.Mailbox(farMailbox)))
	pid, err := a.system.Root.SpawnNamed(props, "far/"+a.system.ID)
	if err != nil {
		panic(fmt.Sprintf("actors: spread twice: %v", err))
	}
	return pid
}

// Receive implements actor.Actor.
func (f *farActor) Receive(c actor.Context) {
	f.now = time.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		root, self := c.ActorSystem().Root, c.Self()
		f.self, f.ring = self, func() { root.Send(self, &farRing{}) }
	case *actor.Stopping:
		f.alarm.Stop()
		return
	case *poll:
		f.polls[m.number] = m
		f.timers.After(f.now, m.within, func(time.Time) { f.close(m) })
	case *farAnswer:
		f.answered(m)
	case *watch:
		f.watch(m)
	case *farEnd:
		f.ended(m)
	case *nodeGone:
		f.gone(m.id)
	case *nodeBack:
		f.returned()
	case *farRing:
		f.alarm.Rang()
		for due, ok := f.timers.Pop(f.now); ok; due, ok = f.timers.Pop(f.now) {
			due(f.now)
		}
	}
	at, ok := f.timers.Next()
	f.alarm.Set(f.now, at, ok, f.ring)
}

func (f *farActor) answered(m *farAnswer) {
	p, ok := f.polls[m.number]
	if !ok {
		return // too late
	}
	i := slices.IndexFunc(p.waiting, func(n OtherNode) bool { return n.ID == m.node })
	if i < 0 {
		return
	}
	if m.silent {
		p.silent = append(p.silent, p.waiting[i].Name)
	} else {
		p.answers = append(p.answers, *m)
	}
	if p.waiting = slices.Delete(p.waiting, i, i+1); len(p.waiting) == 0 {
		f.close(p)
	}
}

// close ends a poll, once.
func (f *farActor) close(p *poll) {
	if f.polls[p.number] != p {
		return
	}
	delete(f.polls, p.number)
	for _, n := range p.waiting {
		p.silent = append(p.silent, n.Name)
	}
	p.done(p.answers, p.silent)
}

// gone tells everything that waits for a node that it has left.
func (f *farActor) gone(node string) {
	for number := range f.polls {
		f.answered(&farAnswer{number: number, node: node, silent: true})
	}
	for number, w := range f.watches {
		if w.node == node {
			f.ended(&farEnd{number: number, why: protocol.ReasonClientGone})
		}
	}
}

// poll asks nodes one question, which write makes from its number. Done is called
// once, from any goroutine, with the answers and the names of the nodes without one.
func (a *App) poll(nodes []OtherNode, within time.Duration, write func(number uint64) []byte, done func([]farAnswer, []string)) {
	if len(nodes) == 0 {
		done(nil, nil)
		return
	}
	p := &poll{number: a.polled.Add(1), waiting: slices.Clone(nodes), within: within, done: done}
	body := write(p.number)
	a.system.Root.Send(a.far, p) // known before any answer can come
	for _, n := range nodes {
		if a.post(n.ID, body) != nil {
			a.system.Root.Send(a.far, &farAnswer{number: p.number, node: n.ID, silent: true})
		}
	}
}

// SilentError says that some nodes of the cluster did not answer: what came with it
// is what the others said.
type SilentError struct{ Nodes []string }

// Error names them.
func (e *SilentError) Error() string {
	return fmt.Sprintf("%d nodes did not answer: %v", len(e.Nodes), e.Nodes)
}

// ask polls nodes and waits, until ctx ends.
func (a *App) ask(ctx context.Context, nodes []OtherNode, write func(number uint64) []byte) ([]farAnswer, error) {
	type result struct {
		answers []farAnswer
		silent  []string
	}
	got := make(chan result, 1)
	a.poll(nodes, pollTime, write, func(answers []farAnswer, silent []string) { got <- result{answers, silent} })
	select {
	case r := <-got:
		var errs []error
		for _, answer := range r.answers {
			errs = append(errs, answer.err)
		}
		if len(r.silent) > 0 {
			slices.Sort(r.silent)
			errs = append(errs, &SilentError{r.silent})
		}
		return r.answers, errors.Join(errs...)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
