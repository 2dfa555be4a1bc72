package actors

import (
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// UserMesh is the cluster as users need it; *cluster.Node is one. Its methods are
// safe from any goroutine and do not block; those that register come before its
// start.
type UserMesh interface {
	// Serve says who runs the shards that come to this node.
	Serve(h directory.Host, kinds []string)
	// Direct registers what takes the messages of one op.
	Direct(op uint32, f func(from link.Peer, e *wire.Envelope))
	// Watch registers who is told of every change of the members.
	Watch(f func(roster.Standing))

	Self() link.Peer
	Send(to link.Peer, e *wire.Envelope) error
	// Held says whether what this node owns is its own now.
	Held() bool
	Directory() *directory.Directory
	Members() *roster.View
}

const (
	// userShards is how many parts the users of a cluster are kept in, each by one
	// node at a time. All nodes must agree on it, so it is no setting: enough for the
	// load to spread over more nodes than there will be, few enough that a node can
	// talk to all of them at rest.
	userShards = 64

	// UsersKind is the kind under which the directory of the cluster lists them.
	UsersKind = "sys.users"
)

// shardOf says who keeps a user: the same on every node.
func shardOf(uid string) int {
	h := fnv.New64a()
	_, _ = io.WriteString(h, uid) // a hash takes everything
	return int(h.Sum64() % userShards)
}

// Spread makes users those of the whole cluster: it is called before the mesh
// starts and before the first session. A node alone never calls it.
//
//	session ──► clerk of the shard ══ conversation ══► shard: who is logged in as whom
//	            on every node           (talk)           on its one node
//
// A clerk looks like a keeper of users to this node, and carries out here what the
// shard has decided. Clerk and shard talk in two repaired flows; when the shard is
// lost, its next activation hears from all clerks whom they have.
func (u *Users) Spread(m UserMesh) {
	f := &farUsers{app: u.app, mesh: m, root: u.app.system.Root}
	for i := range f.clerks {
		f.clerks[i] = f.spawnClerk(i)
	}
	u.far = f
	u.Place(f)
	m.Serve(f, []string{UsersKind})
	m.Watch(f.standing)
	for word := range uint32(wire.TalkWords) {
		m.Direct(wire.OpFromUserGate+word, func(from link.Peer, e *wire.Envelope) { f.fromGate(&userHeard{from, word, e}) })
		m.Direct(wire.OpFromUsers+word, func(from link.Peer, e *wire.Envelope) { f.fromShard(&userHeard{from, word, e}) })
	}
}

// farUsers is this node's part of the users of a cluster: a clerk for every shard,
// and those shards that are placed here. It is the directory's Host of these.
type farUsers struct {
	// Set at birth, read-only afterwards.
	app    *App
	mesh   UserMesh
	root   *actor.RootContext
	clerks [userShards]*actor.PID

	// Any goroutine.
	shards [userShards]atomic.Pointer[actor.PID] // written by the directory's goroutine, cleared by shards
	closed atomic.Bool
	stats  farUserStats

	// Owned by standing.
	view *roster.View
}

var (
	_ UserPlacement  = (*farUsers)(nil)
	_ directory.Host = (*farUsers)(nil)
)

// userHeard is a message of the other end of a conversation.
type userHeard struct {
	from link.Peer
	word uint32
	e    *wire.Envelope
}

// membersChanged tells clerks and shards of nodes.
type membersChanged struct{ came, gone []roster.Member }

// Deliver implements UserPlacement.
func (f *farUsers) Deliver(uid string, msg any) {
	if f.closed.Load() {
		refuse(msg, ErrStopped)
		return
	}
	if g, ok := msg.(*UserGone); ok {
		msg = g.until(f, uid)
	}
	f.root.Send(f.clerks[shardOf(uid)], &userMail{uid, msg})
}

// fromGate takes what a clerk says to a shard, on the link's goroutine.
func (f *farUsers) fromGate(m *userHeard) {
	if i, ok := shardIndex(m.e.Id); ok {
		if pid := f.shards[i].Load(); pid != nil {
			f.root.Send(pid, m)
			return
		}
	}
	if m.word != wire.TalkGone {
		_ = f.mesh.Send(m.from, m.over(wire.OpFromUsers)) // when lost, the next probe is answered so again
	}
}

// fromShard takes what a shard says to this node, on the link's goroutine.
func (f *farUsers) fromShard(m *userHeard) {
	if i, ok := shardIndex(m.e.Id); ok {
		f.root.Send(f.clerks[i], m)
	}
}

// over answers that there is no such conversation, or nobody of interest.
func (m *userHeard) over(side uint32) *wire.Envelope { return m.reply(side + wire.TalkGone) }

func (m *userHeard) reply(op uint32) *wire.Envelope {
	return &wire.Envelope{Op: op, Kind: m.e.Kind, Id: m.e.Id, Epoch: m.e.Epoch, Talk: m.e.Talk}
}

func shardKey(i int) directory.Key { return directory.Key{Kind: UsersKind, ID: strconv.Itoa(i)} }

func shardIndex(id string) (int, bool) {
	i, err := strconv.Atoi(id)
	return i, err == nil && i >= 0 && i < userShards
}

// standing tells clerks and shards of nodes that came and left.
func (f *farUsers) standing(st roster.Standing) {
	m := &membersChanged{came: st.View.Left(f.view), gone: f.view.Left(st.View)}
	f.view = st.View
	if len(m.came)+len(m.gone) == 0 {
		return // loads
	}
	for i := range f.clerks {
		f.root.Send(f.clerks[i], m)
		f.urge(i, m)
	}
}

// there says whether a node is a member. One that leaves afterwards is reported by
// membersChanged afterwards.
func (f *farUsers) there(node string) bool {
	_, ok := f.mesh.Members().Get(node)
	return ok
}

func (f *farUsers) urge(i int, msg any) {
	if pid := f.shards[i].Load(); pid != nil {
		f.root.Send(pid, msg)
	}
}

// Start implements directory.Host.
func (f *farUsers) Start(key directory.Key, epoch uint64) {
	i, ok := shardIndex(key.ID)
	if !ok || f.closed.Load() {
		f.mesh.Directory().Stopped(key, epoch)
		return
	}
	// Known before it runs: one that ends at once must find itself to remove.
	name := fmt.Sprintf("users/%s/shard/%d@%d", f.app.system.ID, i, epoch)
	f.shards[i].Store(actor.NewPID(f.app.system.Address(), name))
	f.stats.starts.Add(1)
	if err := f.spawnShard(i, epoch, name); err != nil {
		f.app.cfg.Logger.Error("users could not be kept", "shard", i, "error", err)
		f.ended(i, epoch)
	}
}

// Suspend implements directory.Host.
func (f *farUsers) Suspend(key directory.Key, _ uint64) { f.toShard(key, &shardSuspend{}) }

// Resume implements directory.Host.
func (f *farUsers) Resume(key directory.Key, _, next uint64) {
	f.toShard(key, &shardResume{next, func() { f.mesh.Directory().Stopped(key, next) }})
}

// Stop implements directory.Host.
func (f *farUsers) Stop(key directory.Key, _ uint64, why directory.Why) {
	f.toShard(key, &shardStop{lost: why == directory.Lost})
}

func (f *farUsers) toShard(key directory.Key, msg any) {
	if i, ok := shardIndex(key.ID); ok {
		f.urge(i, msg)
	}
}

// ended takes a shard out that has stopped, and gives up its key.
func (f *farUsers) ended(i int, epoch uint64) {
	f.shards[i].Store(nil)
	f.mesh.Directory().Stopped(shardKey(i), epoch)
}

func (f *farUsers) close() {
	if f == nil || f.closed.Swap(true) {
		return
	}
	for i, pid := range f.clerks {
		f.root.Stop(pid)
		f.urge(i, &shardStop{lost: true})
	}
}
