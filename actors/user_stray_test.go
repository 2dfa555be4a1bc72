package actors_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// Words that come late, cross each other, or come from nobody.

// place returns where a user is kept.
func (t *town) place(uid string) directory.Place {
	t.Helper()
	p, there, err := t.nodes["b"].Directory().Where(t.Context(), actors.ShardKey(uid))
	if err != nil || !there {
		t.Fatalf("where %s is kept: %v %v", uid, there, err)
	}
	return p
}

// hears has a node receive a word about a user from whoever sends it.
func (n *citizen) hears(uid string, from interface {
	Send(link.Peer, *wire.Envelope) error
}, e *wire.Envelope) {
	n.town.Helper()
	k := actors.ShardKey(uid)
	e.Kind, e.Id = k.Kind, k.ID
	if err := from.Send(n.Self(), e); err != nil {
		n.town.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond) // before it could be mended
}

// neighbour returns another user who is kept by the same shard.
func neighbour(uid string) string {
	for i := 0; ; i++ {
		if other := fmt.Sprint("neighbour ", i); actors.ShardKey(other) == actors.ShardKey(uid) {
			return other
		}
	}
}

// wantHere fails unless exactly this session is a user's.
func (t *town) wantHere(p *actorstest.Probe, uid string) {
	t.Helper()
	for i, from := range []string{"b", "g2"} {
		if s, d := t.nodes[from].push(uid, i); s != 1 || d != 0 {
			t.Fatalf("%s pushes to %s: sent %d, dropped %d", from, uid, s, d)
		}
		p.WantPush("from "+from, "onMail", mail(i))
	}
	p.WantIdle("nothing else")
}

// What a conversation that is over still had to say is not heard by the one that has
// taken its place, at either end.
func TestWordsOfAnOlderConversation(t *testing.T) {
	inTown(t, "g1 g2 b", actors.Config{}, func(t *town) {
		g, b := t.nodes["g1"], t.nodes["b"]
		ann := g.login("ann")
		old := t.place("ann").Epoch
		b.hears("ann", g, &wire.Envelope{Op: wire.OpFromUserGate + wire.TalkGone, Epoch: old, Talk: 1})
		t.wantHere(ann, "ann")
		g.hears("ann", b, &wire.Envelope{Op: wire.OpFromUsers + wire.TalkPaused, Epoch: old, Talk: 1})
		g.login(neighbour("ann"))
	})
}

// A new activation hears first what was said to the one before it: that does not
// count as the answer to its roll call, and lets nobody in.
func TestWordsToAnEarlierActivation(t *testing.T) {
	inTown(t, "g1 g2 b", actors.Config{}, func(t *town) {
		g, b := t.nodes["g1"], t.nodes["b"]
		g.login(neighbour("zoe")) // the shard is there
		say := func(epoch uint64) {
			b.hears("zoe", t.nodes["g2"], &wire.Envelope{
				Op: wire.OpFromUserGate + wire.TalkSay, Epoch: epoch, Talk: uint64(time.Now().UnixNano()),
				Seq: 1, Body: actors.FirstLogin("zoe", 1),
			})
		}
		now := t.place("zoe").Epoch
		if say(now - 1); b.online("zoe") {
			t.Error("zoe is let in by what was said to an earlier activation")
		}
		if say(now); !b.online("zoe") {
			t.Error("zoe is not let in by the same words to this one")
		}
	})
}

// The goodbye of a session and the word that it must go cross each other.
func TestEvictOfASessionThatIsGone(t *testing.T) {
	inTown(t, "g1 g2 b", actors.Config{}, func(t *town) {
		g, h := t.nodes["g1"], t.nodes["g2"]
		old, bob := g.login("ann"), g.login(neighbour("ann"))
		t.net.Cut(g.addr, "host:b")
		old.Drop()
		young := actorstest.Connect(t.T, h.app)
		id := young.Request("u.as", as("ann"))
		time.Sleep(100 * time.Millisecond)
		t.net.Join(g.addr, "host:b")
		young.WantReply("let in", id, `{"n":0}`)
		t.wantHere(young, "ann")
		t.wantHere(bob, neighbour("ann"))
		if n := t.users(); n != 2 || g.app.Stats().Panics != 0 {
			t.Errorf("%d users, %d panics", n, g.app.Stats().Panics)
		}
	})
}

// A gate whose conversation is lost begins another: whom it had before is not counted
// beside whom it has now.
func TestGateThatBeginsAnew(t *testing.T) {
	for _, policy := range []actors.DuplicateLogin{actors.KickOld, actors.RefuseNew, actors.AllowSeveral} {
		inTown(t, "g1 g2 b", actors.Config{Duplicates: policy}, func(t *town) {
			g, b := t.nodes["g1"], t.nodes["b"]
			ann := g.login("ann")
			g.hears("ann", b, &wire.Envelope{Op: wire.OpFromUsers + wire.TalkRoll, Epoch: t.place("ann").Epoch + 1})
			time.Sleep(time.Second)
			t.wantHere(ann, "ann")
			ann.Drop()
			time.Sleep(100 * time.Millisecond)
			if n := t.users(); n != 0 {
				t.Errorf("%v: %d users left", policy, n)
			}
		})
	}
}

// A gate that cannot renew its lease leaves the cluster with its sessions alive, and
// comes back with them.
func TestGateThatLeftAndCameBack(t *testing.T) {
	inTown(t, "g1 g2 b", actors.Config{}, func(t *town) {
		g, h, b := t.nodes["g1"], t.nodes["g2"], t.nodes["b"]
		ann := g.login("ann")
		g.store.Freeze()
		time.Sleep(20 * time.Second)
		if b.online("ann") {
			t.Error("ann is online on a gate that has left")
		}
		g.store.Heal()
		time.Sleep(10 * time.Second)
		t.wantHere(ann, "ann")
		young := h.login("ann")
		ann.Want("why", protocol.Kick, `{"reason":"logged in elsewhere","code":10}`)
		t.wantHere(young, "ann")
	})
}

// A node that is no member, or not any more, is talked to by nobody: its end would
// not be reported.
func TestNodeThatIsNoMember(t *testing.T) {
	inTown(t, "g1 g2 b", actors.Config{}, func(t *town) {
		g, b := t.nodes["g1"], t.nodes["b"]
		ann := g.login("ann")
		stranger := t.net.Add("stranger", "host:stranger", nil)
		stranger.Start()
		defer stranger.Close()
		now := t.place("ann").Epoch
		g.hears("ann", stranger, &wire.Envelope{Op: wire.OpFromUsers + wire.TalkRoll, Epoch: now + 1000})
		bob := g.login(neighbour("ann"))
		t.wantHere(ann, "ann")
		t.wantHere(bob, neighbour("ann"))
		g.login(neighbour("zoe")) // the shard is there
		b.hears("zoe", stranger, &wire.Envelope{
			Op: wire.OpFromUserGate + wire.TalkSay, Epoch: t.place("zoe").Epoch, Talk: 1, Seq: 1, Body: actors.FirstLogin("zoe", 1),
		})
		if b.online("zoe") {
			t.Error("somebody is logged in behind a node that is no member")
		}
	})
}
