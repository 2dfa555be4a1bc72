package actors

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// world is a userSink whose sessions do as they are told, later: what was decided
// about a login happens when the world steps on.
type world struct {
	t        *testing.T
	u        userState
	refs     []*Ref
	tokens   []uint32
	live     map[uint64]bool // confirmed, and neither evicted nor gone
	evicting []login
	pushed   map[*UserPush]int
}

func (w *world) confirm(l *login) {
	if w.u.policy != AllowSeveral && len(w.live) > 0 && !w.live[l.id] {
		w.t.Fatalf("session %d is live beside %v", l.id, w.live)
	}
	for _, e := range w.evicting {
		if w.u.policy == KickOld && e.id != l.id {
			w.t.Fatalf("session %d is confirmed before %d has gone", l.id, e.id)
		}
	}
	w.live[l.id] = true
}

func (w *world) refuse(l login, _ error) {
	if len(w.live) == 0 {
		w.t.Fatalf("session %d refused although nobody is live", l.id)
	}
}

func (w *world) evict(l login, _ protocol.Reason, _ string) { w.evicting = append(w.evicting, l) }

func (w *world) deliver(to []login, p *UserPush) {
	w.pushed[p] += len(to)
	for _, l := range to {
		if !w.live[l.id] {
			w.t.Fatalf("a push goes to session %d, which is not live", l.id)
		}
	}
}

// Random logins, goodbyes, kicks and pushes, for all three policies: never two
// live, nobody refused for nothing, no push lost while the user is logged in.
func TestUserState(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for _, policy := range []DuplicateLogin{KickOld, RefuseNew, AllowSeveral} {
		for range 300 {
			w := &world{t: t, u: userState{policy: policy}, live: make(map[uint64]bool), pushed: make(map[*UserPush]int)}
			for id := range 5 {
				w.refs, w.tokens = append(w.refs, &Ref{id: uint64(id + 1)}), append(w.tokens, 0)
			}
			for range 60 {
				w.step(r)
			}
			for len(w.evicting) > 0 {
				w.leave()
			}
			for i, ref := range w.refs {
				delete(w.live, ref.id)
				w.u.gone(w, ref.id, w.tokens[i])
			}
			if !w.u.empty() || len(w.u.held) > 0 {
				t.Fatalf("policy %d: left over %+v", policy, w.u)
			}
		}
	}
}

func (w *world) step(r *rand.Rand) {
	i := r.IntN(len(w.refs))
	ref := w.refs[i]
	switch r.IntN(12) {
	case 0, 1, 2, 3:
		w.tokens[i]++
		w.u.bind(w, login{id: ref.id, token: w.tokens[i]})
	case 4, 5: // the session ends
		delete(w.live, ref.id)
		w.evicting = slices.DeleteFunc(w.evicting, func(l login) bool { return l.id == ref.id })
		w.u.gone(w, ref.id, w.tokens[i])
	case 6: // the goodbye of a bind before the one that is live, to be ignored
		if j := find(w.u.live, ref.id); j >= 0 && w.u.live[j].token == w.tokens[i] {
			w.u.gone(w, ref.id, w.tokens[i]-1)
		}
	case 7:
		w.u.kick(w, protocol.ReasonKicked, "")
	case 8, 9:
		p, online := &UserPush{}, w.u.online()
		w.u.push(w, p)
		if online && w.pushed[p] == 0 && len(w.u.held) == 0 {
			w.t.Fatal("a push to a user who is logged in is lost")
		}
	default:
		w.leave()
	}
}

// leave lets the first session that was told to go do so.
func (w *world) leave() {
	if len(w.evicting) == 0 {
		return
	}
	l := w.evicting[0]
	w.evicting = w.evicting[1:]
	delete(w.live, l.id)
	w.u.gone(w, l.id, l.token)
}

// A user whose session does not go holds so many pushes and no more.
func TestHeldPushesAreBounded(t *testing.T) {
	w := &world{t: t, u: userState{policy: KickOld}, live: make(map[uint64]bool), pushed: make(map[*UserPush]int)}
	old, young := &Ref{id: 1}, &Ref{id: 2}
	w.u.bind(w, login{id: old.id, token: 1})
	w.u.bind(w, login{id: young.id, token: 1})
	dropped := 0
	for range maxHeld + 3 {
		w.u.push(w, &UserPush{fate: newFate(func(_, d int) { dropped += d })})
	}
	if dropped != 3 {
		t.Errorf("%d pushes dropped, want 3", dropped)
	}
	w.leave()
	if len(w.pushed) != maxHeld || !w.live[2] {
		t.Errorf("%d pushes delivered to %v", len(w.pushed), w.live)
	}
}

func TestDuplicateLoginNames(t *testing.T) {
	for policy, name := range map[DuplicateLogin]string{KickOld: "kick-old", RefuseNew: "refuse-new", AllowSeveral: "allow-several"} {
		var got DuplicateLogin
		if err := got.UnmarshalText([]byte(name)); err != nil || got != policy || policy.String() != name {
			t.Errorf("%s reads as %v, %v; %d is written as %v", name, got, err, policy, policy)
		}
	}
	if err := new(DuplicateLogin).UnmarshalText([]byte("maybe")); err == nil {
		t.Error("no error for a policy that is none")
	}
}
