package actors_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

// The users of a gate that is lost are free.
func TestUsersOfALostGate(t *testing.T) {
	for _, policy := range []actors.DuplicateLogin{actors.KickOld, actors.RefuseNew} {
		inTown(t, "g1 g2 b", actors.Config{Duplicates: policy}, func(t *town) {
			t.nodes["g1"].login("ann")
			t.nodes["g1"].login("bob")
			h := t.nodes["g2"]
			bob := actorstest.Connect(t.T, h.app)
			t.nodes["g1"].kill()
			time.Sleep(time.Second)
			if h.online("ann") || t.users() != 0 {
				t.Errorf("%d users of a gate that is gone", t.users())
			}
			bob.WantReply("free", bob.Request("u.as", as("bob")), `{"n":0}`)
		})
	}
}

// A gate that was taken for lost, and had nothing to say since, has its users again when
// it is back.
func TestUsersOfAGateThatComesBack(t *testing.T) {
	inTown(t, "g1 g2 b", actors.Config{}, func(t *town) {
		g := t.nodes["g1"]
		ann := g.login("ann")
		g.store.Break()
		time.Sleep(30 * time.Second)
		if t.nodes["g2"].online("ann") {
			t.Error("a user of a gate that has left is online")
		}
		g.store.Heal()
		time.Sleep(15 * time.Second)
		if !t.nodes["g2"].online("ann") {
			t.Error("nobody knows the user of a gate that has come back")
		}
		t.nodes["g2"].push("ann", 1)
		ann.WantPush("she is reached", "onMail", mail(1))
	})
}

// A push from a third node arrives once and in order, whatever the network loses.
func TestPushesAcrossALossyNetwork(t *testing.T) {
	inTown(t, "g1 g2 b c", actors.Config{}, func(t *town) {
		const users, pushes = 8, 200
		var probes []*actorstest.Probe
		for i := range users {
			probes = append(probes, t.nodes[fmt.Sprint("g", i%2+1)].login(fmt.Sprint("user-", i)))
		}
		t.net.Lose(0.2)
		sent, dropped := t.pushAll("c", users, pushes, func(i int) {
			if i%10 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
		})
		t.wantInOrder(probes, pushes)
		if t.net.Lost() < 10 {
			t.Errorf("only %d messages were lost on the way", t.net.Lost())
		}
		if sent != users*pushes || dropped != 0 {
			t.Errorf("%d of %d pushes sent, %d dropped", sent, users*pushes, dropped)
		}
		if u := t.nodes["c"].app.Users().Stats(); u.Gaps == 0 || u.Repaired == 0 || u.LostUp+u.LostDown != 0 {
			t.Errorf("counted %+v", u)
		}
	})
}

// pushAll pushes numbers to users, each in turn; step is called before each round. It
// returns when all are accounted for.
func (t *town) pushAll(from string, users, pushes int, step func(i int)) (sent, dropped int) {
	t.Helper()
	var s, d, open atomic.Int64
	for i := range pushes {
		step(i)
		for u := range users {
			open.Add(1)
			err := t.nodes[from].app.Users().Push(fmt.Sprint("user-", u), "onMail", value{i}, func(sent, dropped int) {
				s.Add(int64(sent))
				d.Add(int64(dropped))
				open.Add(-1)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	t.settled("pushes", func() bool { return open.Load() == 0 })
	return int(s.Load()), int(d.Load())
}

// settled lets time pass until something holds, up to a minute.
func (t *town) settled(what string, cond func() bool) {
	t.Helper()
	for range 600 {
		synctest.Wait()
		if cond() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("waiting for %s in vain", what)
}

func (t *town) wantInOrder(probes []*actorstest.Probe, pushes int) {
	t.Helper()
	for i := range pushes {
		for _, p := range probes {
			p.WantPush("each push once, in order", "onMail", mail(i))
		}
	}
	for _, p := range probes {
		p.WantIdle("nothing twice")
	}
}

// The node that keeps users is lost, or leaves, in the middle of pushes: who is
// logged in stays so, and gets each push once and in order.
func TestPushesAcrossALostShard(t *testing.T) {
	for _, end := range []string{"kill", "stop"} {
		t.Run(end, func(t *testing.T) {
			inTown(t, "g1 g2 b c", actors.Config{}, func(t *town) {
				const users, pushes = 40, 100
				var probes []*actorstest.Probe
				for i := range users {
					probes = append(probes, t.nodes[fmt.Sprint("g", i%2+1)].login(fmt.Sprint("user-", i)))
				}
				lost := t.nodes["b"].app.Stats().Users
				if lost == 0 || lost == users {
					t.Fatalf("%d of %d users on b", lost, users)
				}
				sent, dropped := t.pushAll("g1", users, pushes, func(i int) {
					time.Sleep(time.Millisecond)
					switch {
					case i != pushes/2:
					case end == "kill":
						t.nodes["b"].kill()
					default:
						t.nodes["b"].stop()
					}
				})
				if sent != users*pushes || dropped != 0 {
					t.Errorf("%d of %d pushes sent, %d dropped", sent, users*pushes, dropped)
				}
				t.wantInOrder(probes, pushes)
				if n := t.nodes["c"].app.Stats().Users; n != users {
					t.Errorf("%d users on c, want all %d", n, users)
				}
				g, c := t.nodes["g1"].app.Users().Stats(), t.nodes["c"].app.Users().Stats()
				if c.Shards == 0 || c.Shards != c.Starts || g.Shards != 0 || g.Talks <= c.Shards {
					t.Errorf("counted %+v on g1, %+v on c", g, c)
				}
			})
		})
	}
}

// The node that keeps users is lost in the middle of racing logins: each is
// answered, with success or with an error that says to try again, and one session of
// each pair remains.
func TestLoginsAcrossALostShard(t *testing.T) {
	for _, policy := range []actors.DuplicateLogin{actors.KickOld, actors.RefuseNew} {
		for _, after := range []int{0, 1, 2, 3, 5} {
			t.Run(fmt.Sprintf("%v/%dms", policy, after), func(t *testing.T) {
				inTown(t, "g1 g2 b c", actors.Config{Duplicates: policy}, func(t *town) {
					ps := t.pairs(100)
					b := t.nodes["b"]
					go func() {
						time.Sleep(time.Duration(after) * time.Millisecond)
						b.kill()
					}()
					t.race(ps)
					time.Sleep(5 * time.Second)
					for i, p := range ps {
						if s, d := t.nodes["c"].push(p.uid, i); s != 1 || d != 0 {
							t.Errorf("%s: a push was sent to %d sessions, dropped by %d", p.uid, s, d)
						}
						p.check(t, policy)
					}
				})
			})
		}
	}
}

// A gate that a new activation cannot hear may have somebody who is let in elsewhere
// meanwhile. When it is heard again, one of the two goes: the older, or with RefuseNew
// the newer.
func TestFoundTwice(t *testing.T) {
	for _, policy := range []actors.DuplicateLogin{actors.KickOld, actors.RefuseNew, actors.AllowSeveral} {
		inTown(t, "g1 g2 b", actors.Config{Duplicates: policy}, func(t *town) {
			old := t.nodes["g1"].login("ann")
			t.start("c")
			synctest.Wait()
			t.net.Cut("host:g1", "host:c")
			t.nodes["b"].kill()
			time.Sleep(time.Second)
			young := t.nodes["g2"].login("ann")
			old.WantIdle("nobody can reach it")
			t.net.Join("host:g1", "host:c")
			time.Sleep(5 * time.Second)
			switch policy {
			case actors.KickOld:
				old.Want("why", protocol.Kick, `{"reason":"logged in elsewhere","code":10}`)
			case actors.RefuseNew:
				young.Want("why", protocol.Kick, `{"reason":"logged in elsewhere","code":10}`)
			}
			want := map[actors.DuplicateLogin]int{actors.AllowSeveral: 2}[policy]
			if s, d := t.nodes["c"].push("ann", 1); s != max(want, 1) || d != 0 {
				t.Errorf("%v: sent %d, dropped %d", policy, s, d)
			}
			u := t.nodes["c"].app.Users().Stats()
			if u.LateNodes == 0 || u.FoundTwice != int64(2-max(want, 1)) {
				t.Errorf("%v: counted %+v", policy, u)
			}
		})
	}
}

// While the store is away nobody is logged out, and a login is told at once to try
// again. When it is back all goes on as it was.
func TestUsersWithoutAStore(t *testing.T) {
	inTown(t, "g1 g2 b", actors.Config{}, func(t *town) {
		g, h := t.nodes["g1"], t.nodes["g2"]
		ann := g.login("ann")
		for _, n := range t.nodes {
			n.store.Freeze()
		}
		time.Sleep(20 * time.Second)
		bob := actorstest.Connect(t.T, h.app)
		for range 2 {
			began := time.Now()
			bob.WantCode("not now", bob.Request("u.as", as("bob")), protocol.CodeUnavailable)
			if d := time.Since(began); d > 4100*time.Millisecond {
				t.Errorf("said so after %v", d)
			}
		}
		bob.WantReply("nobody", bob.Request("u.who", ``), ``)
		if u := h.app.Users().Stats(); u.Paused+u.Undecided+u.Unplaced != 2 {
			t.Errorf("two refused, counted %+v", u)
		}
		ann.WantReply("still ann", ann.Request("u.who", ``), `ann`)
		for _, n := range t.nodes {
			n.store.Heal()
		}
		time.Sleep(5 * time.Second)
		bob.WantReply("again", bob.Request("u.as", as("bob")), `{"n":0}`)
		if s, _ := h.push("ann", 1); s != 1 {
			t.Errorf("sent to %d sessions", s)
		}
		ann.WantPush("she was there all the time", "onMail", mail(1))
		young := h.login("ann")
		ann.Want("why", protocol.Kick, `{"reason":"logged in elsewhere","code":10}`)
		young.WantIdle("the younger stays")
	})
}
