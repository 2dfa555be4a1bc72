package rooms

import (
	"context"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Local places every room on this node: one actor that knows the active rooms.
// Only joins pass through it; members talk to their room directly.
type Local struct {
	host   *Host
	pid    *actor.PID
	start  func(key Key, n uint64) (*actor.PID, error) // what a key activates; set before the first
	counts bool                                        // what it starts are rooms
}

// become has the placement start something else than rooms, before its first
// delivery: what leads to rooms of other nodes.
func (l *Local) become(start func(key Key, n uint64) (*actor.PID, error)) {
	l.start, l.counts = start, false
}

// Messages of the placement actor.
type (
	deliver struct {
		key Key
		msg any
	}
	passivate struct {
		key Key
		pid *actor.PID
	}
	stayed  struct{ key Key }
	stopAll struct {
		why  protocol.Reason
		done chan<- struct{}
	}
)

// Refused passes the word on to the sender of what could not be delivered.
func (d *deliver) Refused(err error) { refuse(d.msg, err) }

func refuse(msg any, err error) {
	if r, ok := msg.(interface{ Refused(err error) }); ok {
		r.Refused(err)
	}
}

var errStopping = errors.New("this node is shutting down")

func newLocal(h *Host) *Local {
	l := &Local{host: h, start: h.spawn, counts: true}
	system := h.app.System()
	props := actor.PropsFromProducer(func() actor.Actor {
		return &placement{local: l, host: h, rooms: make(map[Key]*placed), byPID: make(map[string]Key)}
	}, actor.WithMailbox(h.app.Mailbox(placementMailbox)))
	pid, err := system.Root.SpawnNamed(props, "placement/"+system.ID)
	if err != nil {
		panic(fmt.Sprintf("rooms: two hosts on one application: %v", err))
	}
	l.pid = pid
	return l
}

// placementMailbox bounds the joins that wait for the placement; past it they
// are answered 503.
const placementMailbox = 65536

// Deliver implements Placement.
func (l *Local) Deliver(key Key, msg any) { l.send(&deliver{key, msg}) }

func (l *Local) send(msg any) { l.host.app.System().Root.Send(l.pid, msg) }

func (l *Local) stop(ctx context.Context, why protocol.Reason) error {
	done := make(chan struct{})
	l.send(&stopAll{why, done})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("closing rooms: %w", ctx.Err())
	}
}

// placement is the actor behind Local: the only owner of the table of rooms.
type placement struct {
	host  *Host
	local *Local

	// Owned by Receive.
	rooms    map[Key]*placed
	byPID    map[string]Key
	spawned  uint64
	stopping *stopAll
}

// placed is one active room. While it stops, what is delivered waits for its
// successor, so that no two rooms of one key ever answer at the same time.
type placed struct {
	pid     *actor.PID
	leaving bool
	waiting []any
}

// Receive implements actor.Actor.
func (p *placement) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *deliver:
		p.deliver(c, m.key, m.msg)
	case *actors.SessionEnded: // of one that was still on its way in
		p.deliver(c, Key{m.Kind, m.Room}, m)
	case *passivate:
		if r, ok := p.rooms[m.key]; ok && r.pid.Equal(m.pid) && !r.leaving {
			r.leaving = true
			c.Send(r.pid, &stopIfIdle{})
		}
	case *stayed:
		p.stay(c, m.key)
	case *actor.Terminated:
		p.terminated(c, m.Who)
	case *stopAll:
		p.stopAll(c, m)
	}
}

func (p *placement) deliver(c actor.Context, key Key, msg any) {
	if p.stopping != nil {
		refuse(msg, errStopping)
		return
	}
	r, ok := p.rooms[key]
	if !ok {
		if r = p.activate(c, key, msg); r == nil {
			return
		}
	}
	if r.leaving {
		r.waiting = append(r.waiting, msg)
		return
	}
	c.Send(r.pid, msg)
}

func (p *placement) activate(c actor.Context, key Key, msg any) *placed {
	switch msg.(type) {
	case *actors.SessionEnded: // its room is gone, and with it the member
		return nil
	case *told:
		refuse(msg, ErrNoRoom)
		return nil
	}
	p.spawned++
	pid, err := p.local.start(key, p.spawned)
	if err != nil {
		p.host.log.Error("room could not be started", "room", key.String(), "error", err)
		refuse(msg, err)
		return nil
	}
	c.Watch(pid)
	r := &placed{pid: pid}
	p.rooms[key], p.byPID[pid.Id] = r, key
	if p.local.counts {
		p.host.stats.Rooms.Add(1)
		p.host.stats.Opened.Add(1)
	}
	return r
}

func (p *placement) stay(c actor.Context, key Key) {
	r, ok := p.rooms[key]
	if !ok {
		return
	}
	r.leaving = false
	for _, msg := range r.waiting {
		c.Send(r.pid, msg)
	}
	r.waiting = nil
}

// terminated forgets a room that has stopped; what waited for it goes to a new one.
func (p *placement) terminated(c actor.Context, pid *actor.PID) {
	key, ok := p.byPID[pid.Id]
	if !ok {
		return
	}
	r := p.rooms[key]
	delete(p.byPID, pid.Id)
	delete(p.rooms, key)
	if p.local.counts {
		p.host.stats.Rooms.Add(-1)
		p.host.stats.Closed.Add(1)
	}
	for _, msg := range r.waiting {
		p.deliver(c, key, msg)
	}
	p.stopped(c)
}

func (p *placement) stopAll(c actor.Context, m *stopAll) {
	if p.stopping != nil {
		close(m.done)
		return
	}
	p.stopping = m
	for _, r := range p.rooms {
		c.Send(r.pid, &shut{m.why})
	}
	p.stopped(c)
}

// stopped ends the placement once the last room has gone.
func (p *placement) stopped(c actor.Context) {
	if p.stopping != nil && len(p.rooms) == 0 {
		close(p.stopping.done)
		c.Stop(c.Self())
	}
}
