package post

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/inbox"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// Mesh is the cluster as the post needs it; *cluster.Node is one. Its methods are
// safe from any goroutine and do not block; those that register come before its
// start.
type Mesh interface {
	Direct(op uint32, f func(from link.Peer, e *wire.Envelope))
	Watch(f func(roster.Standing))
	Self() link.Peer
	Send(to link.Peer, e *wire.Envelope) error
	Members() *roster.View
}

// Config says what becomes of what is carried. Mesh and Posted are required. The
// functions are called from one goroutine and must not block.
type Config struct {
	Mesh Mesh
	// Posted takes one message. Body is nobody else's and is not changed any more.
	Posted func(from string, body []byte)
	// Gone tells that a process has left the cluster, or was not there any more for
	// a message that had been taken; so many messages to it were not confirmed.
	Gone func(node string, unconfirmed int)
	// Changed tells of every other change of the members; nil: nobody asks.
	Changed func(v *roster.View)

	// Messages and Bytes may wait for one process to confirm them: 16,384 and 8 MiB
	// when zero. Past either Post returns ErrBusy.
	Messages, Bytes int
	Logger          *slog.Logger
}

// Errors of Post. In both cases nothing was sent.
var (
	ErrBusy   = errors.New("post: too much waits for the node to confirm it")
	ErrNoNode = errors.New("post: no such node in the cluster")
)

// Office is one process's end of all lanes. Its methods are usable from any
// goroutine.
type Office struct {
	// Set at birth, read-only afterwards.
	cfg  Config
	log  *slog.Logger
	run  context.Context // ends with the office
	stop context.CancelFunc
	done chan struct{}

	// Any goroutine.
	in    inbox.Inbox
	lanes sync.Map // node id → *lane
	stats stats

	// Owned by loop.
	view  *roster.View
	dirty []*lane // have something to flush
	alarm *time.Timer
}

// Messages to the loop.
type (
	letter struct {
		to   *lane
		body []byte
	}
	heard struct {
		from link.Peer
		word uint32
		e    *wire.Envelope
	}
	seen struct{ view *roster.View }
)

// heardLimit bounds what waits for the loop. What is dropped is asked for again.
const heardLimit = 1 << 16

// Open registers with the mesh, before its start, and begins to work.
func Open(cfg Config) *Office {
	if cfg.Messages == 0 {
		cfg.Messages = 1 << 14
	}
	if cfg.Bytes == 0 {
		cfg.Bytes = 8 << 20
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Changed == nil {
		cfg.Changed = func(*roster.View) {}
	}
	o := &Office{cfg: cfg, log: cfg.Logger, in: inbox.New(), done: make(chan struct{}), alarm: time.NewTimer(time.Hour)}
	o.run, o.stop = context.WithCancel(context.Background())
	for word := range uint32(wire.PostWords) {
		cfg.Mesh.Direct(wire.OpPost+word, func(from link.Peer, e *wire.Envelope) {
			o.in.Put(&heard{from, word, e}, heardLimit)
		})
	}
	cfg.Mesh.Watch(func(s roster.Standing) { o.in.Put(&seen{s.View}, 0) })
	go o.loop()
	return o
}

// Close ends the work. What is posted later is refused.
func (o *Office) Close() {
	o.stop()
	<-o.done
}

// Post hands a message to the process of a node, by its boot id. It takes over body
// and never blocks.
func (o *Office) Post(node string, body []byte) error {
	m, ok := o.cfg.Mesh.Members().Get(node)
	if !ok || o.run.Err() != nil {
		o.stats.refused.Add(1)
		return ErrNoNode
	}
	l := o.lane(link.Peer{ID: m.ID, Addr: m.Addr})
	size := int64(len(body))
	n, bytes := l.messages.Add(1), l.bytes.Add(size)
	if n > int64(o.cfg.Messages) || bytes > int64(o.cfg.Bytes) && n > 1 { // one alone may be larger
		l.release(1, len(body))
		o.stats.refused.Add(1)
		return ErrBusy
	}
	o.stats.posted.Add(1)
	o.in.Put(&letter{l, body}, 0) // bounded by the lane
	return nil
}

func (o *Office) lane(p link.Peer) *lane {
	if v, ok := o.lanes.Load(p.ID); ok {
		return v.(*lane)
	}
	v, _ := o.lanes.LoadOrStore(p.ID, &lane{office: o, peer: p})
	return v.(*lane)
}

// loop is the only owner of the lanes' flows.
func (o *Office) loop() {
	defer close(o.done)
	defer o.alarm.Stop()
	for {
		select {
		case <-o.run.Done():
			return
		case <-o.in.Wake():
		case <-o.alarm.C:
		}
		for _, m := range o.in.Take() {
			o.handle(time.Now(), m)
		}
		now := time.Now()
		for _, l := range o.dirty {
			l.flush(now)
		}
		o.dirty = o.dirty[:0]
		o.alarm.Reset(o.due(now))
	}
}

func (o *Office) handle(now time.Time, m any) {
	switch m := m.(type) {
	case *letter:
		if !o.there(m.to.peer.ID) {
			m.to.release(1, len(m.body))
			o.gone(m.to.peer.ID, 1)
			return
		}
		m.to.put(now, m.body)
	case *heard:
		o.lane(m.from).hear(now, m)
	case *seen:
		o.members(now, m.view)
	}
}

// members takes in who is there. A node may have come and gone between two views.
func (o *Office) members(now time.Time, v *roster.View) {
	left := make(map[string]int)
	for _, m := range o.view.Left(v) {
		left[m.ID] = 0
	}
	o.view = v
	o.lanes.Range(func(_, v any) bool {
		l := v.(*lane)
		if o.there(l.peer.ID) {
			return true
		}
		if n := l.drop(now); n > 0 {
			left[l.peer.ID] = n
		}
		return true
	})
	for node, n := range left {
		o.gone(node, n)
	}
	o.cfg.Changed(v)
}

// there says whether a node is a member; the mesh may know more than our last view.
func (o *Office) there(node string) bool {
	_, known := o.view.Get(node)
	if !known {
		_, known = o.cfg.Mesh.Members().Get(node)
	}
	return known
}

func (o *Office) gone(node string, unconfirmed int) {
	if unconfirmed > 0 {
		o.stats.unconfirmed.Add(int64(unconfirmed))
		o.log.Warn("messages to a node that left were not confirmed", "node", node, "messages", unconfirmed)
	}
	o.cfg.Gone(node, unconfirmed)
}

// due has all lanes do what they are due to, and returns when to look again.
func (o *Office) due(now time.Time) time.Duration {
	next := now.Add(time.Hour)
	o.lanes.Range(func(_, v any) bool {
		l := v.(*lane)
		if at := l.due(now); !at.IsZero() && at.Before(next) {
			next = at
		}
		if l.stale(now) && !o.there(l.peer.ID) {
			o.lanes.Delete(l.peer.ID)
		}
		return true
	})
	return next.Sub(now)
}
