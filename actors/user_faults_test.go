package actors_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
)

// crowd is all that ever were, or tried to be, one user.
type crowd struct {
	uid    string
	race   race
	probes []*actorstest.Probe
	gates  []string
}

// ended notes that a session is no more, for reasons of its own.
func (c *crowd) ended(who int) {
	c.race.mu.Lock()
	defer c.race.mu.Unlock()
	c.race.events = append(c.race.events, happening{who: who, what: "out"})
}

// live reads what all of them got, in one order, and returns who is in: never two,
// and every push has reached one who was.
func (c *crowd) live(t *town) (live []int) {
	t.Helper()
	for _, h := range c.race.taken() {
		i := slices.Index(live, h.who)
		switch {
		case h.what == "in" && i >= 0:
		case h.what == "in" && len(live) > 0:
			t.Errorf("%s: %d is let in while %v is live", c.uid, h.who, live)
			live = append(live, h.who)
		case h.what == "in":
			live = append(live, h.who)
		case h.what == "out" && i >= 0:
			live = slices.Delete(live, i, i+1)
		case h.what == "push" && i < 0:
			t.Errorf("%s: a push for %d, who is not in", c.uid, h.who)
		}
	}
	return live
}

// faults drives a town at random.
type faults struct {
	*town
	rand   *rand.Rand
	users  []*crowd
	serial int
}

// Logins, goodbyes and pushes at random while the network loses and breaks and nodes
// die, leave and come: no user is ever live twice, and in the end exactly those are
// logged in who think that they are.
func TestUsersUnderFaults(t *testing.T) {
	for _, policy := range []actors.DuplicateLogin{actors.KickOld, actors.RefuseNew} {
		for range 5 {
			seed := rand.Uint64()
			t.Run(fmt.Sprintf("%v/%d", policy, seed), func(t *testing.T) { underFaults(t, policy, seed) })
		}
	}
}

func underFaults(t *testing.T, policy actors.DuplicateLogin, seed uint64) {
	inTown(t, "g1 g2 g3 b1 b2", actors.Config{Duplicates: policy}, func(t *town) {
		f := &faults{town: t, rand: rand.New(rand.NewPCG(seed, 1)), serial: 10}
		for i := range 12 {
			f.users = append(f.users, &crowd{uid: fmt.Sprint("user-", i)})
		}
		for range 400 {
			f.step()
			time.Sleep(time.Duration(f.rand.IntN(20)) * time.Millisecond)
		}
		t.net.Lose(0)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		f.check()
	})
}

func (f *faults) step() {
	c := f.users[f.rand.IntN(len(f.users))]
	switch n := f.rand.IntN(100); {
	case n < 50:
		f.login(c)
	case n < 60:
		if i := f.rand.IntN(len(c.probes) + 1); i < len(c.probes) {
			c.probes[i].Drop()
			c.ended(i)
		}
	case n < 85:
		f.serial++
		if err := f.nodes[f.pick("gb")].app.Users().Push(c.uid, "onMail", value{f.serial}, nil); err != nil {
			f.Fatal(err)
		}
	case n < 89:
		f.net.Lose(0.3 * f.rand.Float64())
	case n < 94:
		f.net.Break(f.nodes[f.pick("gb")].addr, f.nodes[f.pick("gb")].addr)
	default:
		f.replace()
	}
}

// login has a new session on some gate log in.
func (f *faults) login(c *crowd) {
	gate := f.pick("g")
	p := actorstest.Connect(f.T, f.nodes[gate].app)
	c.race.tap(f.T, len(c.probes), p)
	c.probes, c.gates = append(c.probes, p), append(c.gates, gate)
	p.Request("u.as", as(c.uid))
}

// pick returns a node whose name begins with one of some letters.
func (f *faults) pick(first string) string {
	var names []string
	for name := range f.nodes {
		if slices.Contains([]byte(first), name[0]) {
			names = append(names, name)
		}
	}
	slices.Sort(names) // a seed means the same each time
	return names[f.rand.IntN(len(names))]
}

// replace ends a node, and starts another of the same sort.
func (f *faults) replace() {
	name := f.pick("gb")
	f.serial++
	next := fmt.Sprint(name[:1], f.serial)
	if f.rand.IntN(2) == 0 {
		f.nodes[name].kill()
	} else {
		f.start(next)
		f.net.Lose(0) // a stop that says goodbye to nobody is a kill
		f.nodes[name].stop()
	}
	if f.nodes[next] == nil {
		f.start(next)
	}
	for _, c := range f.users {
		for i, gate := range c.gates {
			if gate == name {
				c.ended(i)
			}
		}
	}
}

func (f *faults) check() {
	on := int64(0)
	for _, c := range f.users {
		live := c.live(f.town)
		want := make([]uint64, 0, 1)
		for _, i := range live {
			on++
			want = append(want, c.probes[i].Session.ID())
			if uid := c.probes[i].Session.UID(); uid != c.uid {
				f.Errorf("%s: session %d is live with uid %q", c.uid, i, uid)
			}
		}
		refs, err := f.nodes[f.pick("b")].app.Users().Sessions(f.Context(), c.uid)
		got := make([]uint64, 0, 1)
		for _, r := range refs {
			got = append(got, r.ID())
		}
		if err != nil || !slices.Equal(got, want) {
			f.Errorf("%s: its keeper has sessions %v %v, want %v (%v)", c.uid, got, err, want, live)
		}
	}
	if n := f.town.users(); n != on {
		f.Errorf("%d users are kept, want %d", n, on)
	}
}
