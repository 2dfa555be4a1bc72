package rooms_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/rooms"
)

// sayings counts what the rooms of a node say to one other.
type sayings struct {
	batches atomic.Int64
	others  atomic.Int64 // words about the conversation
}

// countingMesh is a node's way to the others that counts what leaves for which.
type countingMesh struct {
	rooms.Mesh
	to map[string]*sayings // by address; only the counters change
}

func (m *countingMesh) Send(to link.Peer, e *wire.Envelope) error {
	if s := m.to[to.Addr]; s != nil && e.Op >= wire.OpFromRoom && e.Op < wire.OpFromRoom+wire.TalkWords {
		if e.Op == wire.OpFromRoom+wire.TalkSay {
			s.batches.Add(1)
		} else {
			s.others.Add(1)
		}
	}
	return m.Mesh.Send(to, e)
}

// "A broadcast … on each of two gates from a room on a third node: one remote message
// per gate and flush", however many members a gate has and however much is said at
// once; a gate without members gets none, and neither answers nor private words cost
// one of their own.
func TestOneMessagePerGateAndFlush(t *testing.T) {
	kind := countKind(rooms.OnRequest("burst", func(r *count, c *rooms.Ctx, m *rooms.Member, _ *rooms.Anything) (*rooms.Empty, error) {
		for range 10 {
			r.N++
			c.Broadcast("onNext", r)
		}
		c.Send(m, "onYou", r)
		return &rooms.Empty{}, nil
	}))
	synctest.Test(t, func(t *testing.T) {
		tn := newTown(t, 1, []rooms.Kind{kind})
		to := map[string]*sayings{"host:g1": {}, "host:g2": {}, "host:g3": {}}
		tn.mesh = func(n *citizen) rooms.Mesh { return &countingMesh{n.Node, to} }
		tn.run("g1 g2 g3 b", func(t *town) {
			const members, flushes = 40, 25
			var all []*actorstest.Probe
			for i := range members {
				all = append(all, t.nodes[[]string{"g1", "g2"}[i%2]].counter("x"))
			}
			time.Sleep(time.Second)
			for _, s := range to {
				s.batches.Store(0)
				s.others.Store(0)
			}
			for i := range flushes {
				id := all[i%members].Request("count.burst", `{}`)
				time.Sleep(20 * time.Millisecond)
				for n := range 10 {
					all[i%members].WantPush("what the room said", "onNext", fmt.Sprintf(`{"n":%d}`, 10*i+n+1))
				}
				all[i%members].WantPush("what it said to one", "onYou", fmt.Sprintf(`{"n":%d}`, 10*i+10))
				all[i%members].WantReply("its answer", id, `{}`)
				for j, p := range all {
					for n := 0; n < 10 && j != i%members; n++ {
						p.WantPush("on every gate", "onNext", fmt.Sprintf(`{"n":%d}`, 10*i+n+1))
					}
				}
			}
			for gate, want := range map[string]int64{"host:g1": flushes, "host:g2": flushes, "host:g3": 0} {
				if got := to[gate].batches.Load(); got != want {
					t.Errorf("%s got %d messages for %d flushes, want %d", gate, got, flushes, want)
				}
				if n := to[gate].others.Load(); n > flushes/2 {
					t.Errorf("%s got %d words that say nothing but \"arrived\"", gate, n)
				}
			}
		})
	})
}
