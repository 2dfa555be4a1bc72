package rooms

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// Mesh is the cluster as rooms need it; *cluster.Node is one. Its methods are safe
// from any goroutine and do not block; those that register come before its start.
type Mesh interface {
	// Serve says who runs the rooms that come to this node.
	Serve(h places.Host, kinds []string)
	// Rule says where rooms of a kind go; each kind that is served has one.
	Rule(kind string, r places.Rule)
	// Direct registers what takes the messages of one op.
	Direct(op uint32, f func(from link.Peer, e *wire.Envelope))
	// Watch registers who is told of every change of the members.
	Watch(f func(roster.Standing))

	Self() link.Peer
	Send(to link.Peer, e *wire.Envelope) error
	// ServeCall and Ask are for calls, each of which is carried out once.
	ServeCall(op uint32, f func(*link.Call))
	Ask(ctx context.Context, to link.Peer, e *wire.Envelope) (*wire.Envelope, error)
	// Held says whether what this node owns is its own now.
	Held() bool
	Directory() *places.Directory
	Members() *roster.View
}

// Spread makes the host's rooms rooms of a cluster: a session of any node reaches
// them, and each runs on one. It is called before the mesh starts and before the
// first session; a host that is never spread runs all rooms itself.
//
//	session ─call─► annex ══ conversation ══► room        on its one node
//	                  │ audience of this gate  │ behaviour
//
// Every gate, also the one on the room's own node, has an annex of each room that
// its sessions are in.
func (h *Host) Spread(m Mesh) {
	s := &spread{host: h, mesh: m, root: h.app.System().Root}
	h.spread = s
	h.local.become(h.spawnAnnex)
	kinds := make([]string, 0, len(h.kinds))
	for name, k := range h.kinds {
		kinds = append(kinds, name)
		m.Rule(name, k.rule)
	}
	m.Serve(s, kinds)
	m.Watch(s.standing)
	m.ServeCall(wire.OpRoomTell, s.serveTell)
	h.shareDirectory(s)
	for word := range uint32(wire.TalkWords) {
		m.Direct(wire.OpFromGate+word, func(from link.Peer, e *wire.Envelope) { s.fromGate(&heard{from, word, e}) })
		m.Direct(wire.OpFromRoom+word, func(from link.Peer, e *wire.Envelope) { s.fromRoom(&heard{from, word, e}) })
	}
}

// spread is a host's part of the cluster: which rooms run here, and which annexes.
// It is the directory's Host.
type spread struct {
	host  *Host
	mesh  Mesh
	root  *actor.RootContext
	stats farStats
	talks atomic.Uint64 // number of the last conversation

	rooms   sync.Map // Key → *actor.PID; written by the directory's goroutine, removed by rooms
	annexes sync.Map // Key → *actor.PID; written and removed by annexes

	serials atomic.Uint64 // annexes of this process so far

	// Owned by standing.
	view  *roster.View
	lease store.Lease // the last that was held
}

var _ places.Host = (*spread)(nil)

// Start implements places.Host.
func (s *spread) Start(key places.Key, epoch uint64) {
	// Known before it runs: one that ends at once must find itself to remove.
	name := fmt.Sprintf("room/%s/%s@%d", s.mesh.Self().ID, key, epoch)
	s.rooms.Store(Key(key), actor.NewPID(s.host.app.System().Address(), name))
	s.host.stats.Rooms.Add(1)
	s.host.stats.Opened.Add(1)
	if err := s.host.spawnFar(Key(key), epoch, name); err != nil {
		s.host.log.Error("room could not be started", "room", key.String(), "error", err)
		s.ended(Key(key), epoch)
	}
}

// Suspend implements places.Host.
func (s *spread) Suspend(key places.Key, epoch uint64) { s.urge(key, &suspend{}) }

// Resume implements places.Host.
func (s *spread) Resume(key places.Key, _, next uint64) {
	s.urge(key, &resume{next, func() { s.mesh.Directory().Stopped(key, next) }})
}

// Stop implements places.Host.
func (s *spread) Stop(key places.Key, _ uint64, why places.Why) {
	switch why {
	case places.Idle:
		s.urge(key, &stopIfIdle{})
	case places.Drain:
		s.urge(key, &moveAway{})
	default:
		s.urge(key, &giveUp{})
	}
}

func (s *spread) urge(key places.Key, msg any) {
	if v, ok := s.rooms.Load(Key(key)); ok {
		s.root.Send(v.(*actor.PID), msg)
	}
}

// ended takes a room out that has stopped, and gives up its key.
func (s *spread) ended(key Key, epoch uint64) {
	s.rooms.Delete(key)
	s.host.stats.Rooms.Add(-1)
	s.host.stats.Closed.Add(1)
	s.mesh.Directory().Stopped(places.Key(key), epoch)
}

// fromGate takes what a gate says to a room, on the link's goroutine.
func (s *spread) fromGate(m *heard) {
	if v, ok := s.rooms.Load(Key{m.e.Kind, m.e.Id}); ok {
		s.root.Send(v.(*actor.PID), m)
		return
	}
	if m.word != wire.TalkGone {
		_ = s.mesh.Send(m.from, goneAnswer(m, wire.OpFromRoom)) // when lost, the next probe is answered so again
	}
}

// fromRoom takes what a room says to this gate, on the link's goroutine.
func (s *spread) fromRoom(m *heard) {
	if v, ok := s.annexes.Load(Key{m.e.Kind, m.e.Id}); ok {
		s.root.Send(v.(*actor.PID), m)
		return
	}
	if m.word != wire.TalkGone && m.word != wire.TalkPaused {
		_ = s.mesh.Send(m.from, nobodyHere(m))
	}
}

// paused tells a gate that its room cannot answer now.
func (s *spread) paused(m *heard) {
	e := goneAnswer(m, wire.OpFromRoom-wire.TalkGone+wire.TalkPaused)
	_ = s.mesh.Send(m.from, e) // the gate asks again
}

// standing tells rooms and annexes of nodes that left, and annexes that this node was
// taken for one of them.
func (s *spread) standing(st roster.Standing) {
	gone := s.view.Left(st.View)
	s.view = st.View
	if st.Held && st.Lease != s.lease {
		if s.lease != 0 {
			s.annexes.Range(func(_, pid any) bool { s.root.Send(pid.(*actor.PID), &returned{}); return true })
		}
		s.lease = st.Lease
	}
	for _, m := range gone {
		s.stats.toGates.Delete(m.ID)
		tell := func(_, pid any) bool { s.root.Send(pid.(*actor.PID), &nodeGone{m.ID}); return true }
		s.rooms.Range(tell)
		s.annexes.Range(tell)
	}
}

// number numbers the conversations that this process begins, each higher than all
// before, whatever the clock does.
func (s *spread) number(now time.Time) uint64 {
	for {
		last := s.talks.Load()
		if next := max(last+1, uint64(now.UnixNano())); s.talks.CompareAndSwap(last, next) {
			return next
		}
	}
}

// there says whether a node is a member. One that leaves afterwards is reported by
// nodeGone afterwards.
func (s *spread) there(node string) bool {
	_, ok := s.mesh.Members().Get(node)
	return ok
}

// spawnFar starts a room of the cluster on this node.
func (h *Host) spawnFar(key Key, epoch uint64, name string) error {
	k, ok := h.kinds[key.Kind]
	if !ok {
		return fmt.Errorf("no room kind %q", key.Kind)
	}
	log := h.log.With("kind", key.Kind, "room", key.ID, "epoch", epoch)
	props := actor.PropsFromProducer(func() actor.Actor {
		ended, end := context.WithCancel(context.Background())
		f := newFar(h, k, key, epoch)
		r := &farRoom{far: f, spread: h.spread}
		r.room = room{key: key, host: h, ended: ended, end: end, work: &h.work, st: &state{
			kind: k, id: key.ID, log: log, stats: &h.stats, epoch: epoch,
			rand: newRand(uint64(time.Now().UnixNano())),
			out:  f,
		}}
		r.keeper, r.safe = r, newSafe(&r.room)
		return r
	}, actor.WithMailbox(h.app.Mailbox(k.mailbox)), actor.WithGuardian(actor.NewOneForOneStrategy(0, 0, stopOnFailure)))
	_, err := h.app.System().Root.SpawnNamed(props, name)
	return err
}
