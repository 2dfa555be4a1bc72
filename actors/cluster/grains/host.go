package grains

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"

	ours "github.com/shaddock-game/shaddock/actors/cluster"
	"github.com/shaddock-game/shaddock/actors/cluster/directory"
)

// host runs the grains of this node. It is the directory's Host.
type host struct {
	// Set at birth, read-only afterwards.
	place   *Placement
	node    *ours.Node
	root    *actor.RootContext
	watcher *actor.PID

	grains sync.Map // directory.Key → *actor.PID; written by the directory's goroutine, removed by the watcher
}

var _ directory.Host = (*host)(nil)

func newHost(p *Placement, n *ours.Node) *host {
	h := &host{place: p, node: n, root: p.cluster.ActorSystem.Root}
	h.watcher = h.root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &watcher{host: h, ran: make(map[string]ran)} }))
	return h
}

// nameOf is the name of a grain's actor: of this activation, in this process.
func nameOf(node string, key directory.Key, epoch uint64) string {
	return fmt.Sprintf("grain/%s/%s@%d", node, key.Path(), epoch)
}

func pidOf(key directory.Key, p directory.Place) *actor.PID {
	return actor.NewPID(p.Addr, nameOf(p.Node, key, p.Epoch))
}

// Epoch returns the fencing token of the grain whose actor has this PID: it is higher
// than that of every earlier activation. A store of the grain's own should refuse
// what comes with a lower one than it has seen. It is 0 for other actors.
func Epoch(pid *actor.PID) uint64 {
	name, epoch, ok := strings.Cut(pid.GetId(), "@")
	if !ok || !strings.HasPrefix(name, "grain/") {
		return 0
	}
	n, err := strconv.ParseUint(epoch, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Start implements directory.Host. The kind's producer runs on the directory's
// goroutine, so it must not wait for anything; one that panics starts nothing.
func (h *host) Start(key directory.Key, epoch uint64) {
	self := h.node.Self()
	pid := actor.NewPID(self.Addr, nameOf(self.ID, key, epoch))
	h.grains.Store(key, pid)
	if err := h.spawn(key, pid.Id); err != nil {
		h.place.log.Error("grain could not be started", "grain", key.String(), "error", err)
		h.grains.Delete(key)
		h.stopped(key, epoch)
		return
	}
	h.root.Send(h.watcher, &ran{pid, key, epoch})
}

// stopped tells the directory, behind what it is doing now.
func (h *host) stopped(key directory.Key, epoch uint64) { h.node.Directory().Stopped(key, epoch) }

func (h *host) spawn(key directory.Key, name string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("its producer panicked: %v\n%s", r, debug.Stack())
		}
	}()
	kind, ok := h.place.cluster.TryGetClusterKind(key.Kind)
	if !ok {
		return fmt.Errorf("no kind %q", key.Kind)
	}
	props := cluster.WithClusterIdentity(kind.Props, cluster.NewClusterIdentity(key.ID, key.Kind))
	_, err = h.root.SpawnNamed(props.Clone(actor.WithReceiverMiddleware(h.gate)), name)
	return err
}

// gate keeps messages from a grain that may be active elsewhere by now. It looks at
// the clock: a process that was stopped may run before anybody has told it.
func (h *host) gate(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
		switch e.Message.(type) {
		case actor.SystemMessage, actor.AutoReceiveMessage, *cluster.ClusterInit:
		default:
			if !h.place.held() {
				if e.Sender != nil {
					h.root.Send(e.Sender, &actor.DeadLetterResponse{Target: c.Self()})
				}
				return
			}
		}
		next(c, e)
	}
}

// Suspend implements directory.Host: the gate is closed by itself.
func (h *host) Suspend(directory.Key, uint64) {}

// Resume implements directory.Host. With another epoch the grain's lease has ended,
// and this node is about to be fenced.
func (h *host) Resume(key directory.Key, epoch, next uint64) {
	if epoch != next {
		h.Stop(key, epoch, directory.Lost)
	}
}

// Stop implements directory.Host. A grain that moves handles what it has first.
func (h *host) Stop(key directory.Key, _ uint64, why directory.Why) {
	v, ok := h.grains.Load(key)
	switch {
	case !ok:
	case why == directory.Drain:
		h.root.Poison(v.(*actor.PID))
	default:
		h.root.Stop(v.(*actor.PID))
	}
}

func (h *host) stopAll() {
	h.grains.Range(func(_, pid any) bool { h.root.Stop(pid.(*actor.PID)); return true })
}

func (h *host) close() { h.root.Stop(h.watcher) }

// watcher is the actor that hears of the end of grains.
type watcher struct {
	host *host
	ran  map[string]ran // by name
}

// ran is a grain that has been started; it is also the message that says so.
type ran struct {
	pid   *actor.PID
	key   directory.Key
	epoch uint64
}

// Receive implements actor.Actor.
func (w *watcher) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *ran:
		w.ran[m.pid.Id] = *m
		c.Watch(m.pid)
	case *actor.Terminated:
		g, ok := w.ran[m.Who.Id]
		if !ok {
			return
		}
		delete(w.ran, m.Who.Id)
		w.host.grains.CompareAndDelete(g.key, g.pid)
		w.host.stopped(g.key, g.epoch)
	}
}
