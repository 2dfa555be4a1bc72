package actors_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

// loginApp starts an application with logins of every form, of the user "ann".
func loginApp(t *testing.T, cfg actors.Config) *actors.App {
	t.Helper()
	cfg.NewAudience, cfg.Rate = actorstest.NewAudience, -1
	a := actors.New(cfg)
	actors.Handle(a, "u.login", func(c *actors.Ctx, v *value) (*value, error) {
		c.Bind("ann")
		if v.N < 0 {
			return nil, errors.New("wrong password")
		}
		return &value{v.N}, nil
	})
	actors.Handle(a, "u.as", func(c *actors.Ctx, v *struct{ UID string }) (*value, error) {
		c.Bind(v.UID)
		return &value{}, nil
	})
	actors.HandleRaw(a, "u.raw", func(c *actors.Ctx, b []byte) ([]byte, error) { c.Bind("ann"); return b, nil })
	actors.HandleNotify(a, "u.note", func(c *actors.Ctx, _ *value) error { c.Bind("ann"); return nil })
	actors.HandleRaw(a, "u.who", func(c *actors.Ctx, _ []byte) ([]byte, error) { return []byte(c.UID()), nil })
	actors.HandleRaw(a, "u.out", func(c *actors.Ctx, _ []byte) ([]byte, error) { c.Unbind(); return nil, nil })
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, a) })
	return a
}

// end stops an application whose connections have been dropped.
func end(t *testing.T, a *actors.App) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := a.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	a.Close()
}

func login(t *testing.T, a *actors.App) *actorstest.Probe {
	t.Helper()
	p := actorstest.Connect(t, a)
	p.WantReply("login", p.Request("u.login", `{"n":1}`), `{"n":1}`)
	return p
}

func online(t *testing.T, a *actors.App, uid string) bool {
	t.Helper()
	on, err := a.Users().Online(t.Context(), uid)
	if err != nil {
		t.Fatal(err)
	}
	return on
}

// The forms of a login: each binds before its answer leaves.
func TestBind(t *testing.T) {
	a := loginApp(t, actors.Config{})
	p := actorstest.Connect(t, a)
	p.WantCode("a login that fails", p.Request("u.login", `{"n":-1}`), protocol.CodeInternal)
	p.WantReply("binds nobody", p.Request("u.who", ``), ``)
	if online(t, a, "ann") {
		t.Error("online after a failed login")
	}
	id := p.Request("u.login", `{"n":1}`)
	next := p.Request("u.who", ``)
	p.WantReply("login", id, `{"n":1}`)
	p.WantReply("the next request is ann's", next, `ann`)
	p.WantReply("a second login of the session changes nothing", p.Request("u.raw", `as it is`), `as it is`)
	p.WantCode("nor does one that fails", p.Request("u.login", `{"n":-1}`), protocol.CodeInternal)
	p.WantReply("still ann", p.Request("u.who", ``), `ann`)
	if !online(t, a, "ann") || p.Session.UID() != "ann" {
		t.Errorf("ann is not online, uid %q", p.Session.UID())
	}
	p.WantReply("as another user", p.Request("u.as", `{"uid":"bob"}`), `{"n":0}`)
	p.WantReply("now bob", p.Request("u.who", ``), `bob`)
	if online(t, a, "ann") || !online(t, a, "bob") {
		t.Error("the session is still ann's")
	}
	p.WantReply("log out", p.Request("u.out", ``), ``)
	p.WantReply("nobody", p.Request("u.who", ``), ``)
	p.Notify("u.note", `{}`)
	p.WantReply("a notify binds as well", p.Request("u.who", ``), `ann`)
	if online(t, a, "bob") || !online(t, a, "ann") {
		t.Error("after log out and the notify")
	}
	p.WantIdle("one answer each")
	if s := a.Stats(); s.Users != 1 {
		t.Errorf("%d users", s.Users)
	}
}

// FEATURES 1, "push to a user by uid": to all sessions of the user and nobody else,
// with counts.
func TestPushToAUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := loginApp(t, actors.Config{Duplicates: actors.AllowSeveral})
		one, two, other := login(t, a), login(t, a), actorstest.Connect(t, a)
		push := func(uid string, n int) (sent, dropped int) {
			t.Helper()
			done := make(chan struct{})
			err := a.Users().Push(uid, "onMail", value{n}, func(s, d int) { sent, dropped = s, d; close(done) })
			if err != nil {
				t.Fatal(err)
			}
			<-done
			return sent, dropped
		}
		if s, d := push("ann", 1); s != 2 || d != 0 {
			t.Errorf("sent %d, dropped %d, want 2 and 0", s, d)
		}
		one.WantPush("to the first", "onMail", `{"n":1}`)
		two.WantPush("to the second", "onMail", `{"n":1}`)
		other.WantIdle("to nobody else")
		if s, d := push("zoe", 1); s != 0 || d != 0 {
			t.Errorf("to a user who is not there: sent %d, dropped %d", s, d)
		}
		two.Drop()
		synctest.Wait()
		if s, _ := push("ann", 2); s != 1 {
			t.Errorf("sent %d after one has gone, want 1", s)
		}
		one.WantPush("in order", "onMail", `{"n":2}`)
		if err := a.Users().Push("ann", "onMail", make(chan int), nil); err == nil {
			t.Error("no error for a value that cannot be written")
		}
		refs, err := a.Users().Sessions(t.Context(), "ann")
		if err != nil || len(refs) != 1 || refs[0].ID() != one.Session.ID() {
			t.Errorf("sessions %v %v", refs, err)
		}
	})
}

// "kick a user, is-online, by uid"
func TestKickAUser(t *testing.T) {
	a := loginApp(t, actors.Config{Duplicates: actors.AllowSeveral})
	one, two := login(t, a), login(t, a)
	kicked := make(chan int)
	go a.Users().Kick("ann", protocol.ReasonKicked, "be nice", func(n int) { kicked <- n })
	if n := <-kicked; n != 2 {
		t.Errorf("%d kicked, want 2", n)
	}
	for _, p := range []*actorstest.Probe{one, two} {
		p.Want("why", protocol.Kick, `{"reason":"be nice","code":9}`)
		p.WantClosed("then the end", protocol.ReasonKicked)
		if uid := p.Session.UID(); uid != "" {
			t.Errorf("uid is still %q", uid)
		}
	}
	if online(t, a, "ann") {
		t.Error("still online")
	}
	login(t, a)
	go a.Users().Kick("zoe", protocol.ReasonKicked, "", func(n int) { kicked <- n })
	if n := <-kicked; n != 0 {
		t.Errorf("%d sessions of nobody kicked", n)
	}
}

// FEATURES 1, "duplicate-login policy": refuse the new as long as the old is there.
func TestDuplicateLoginRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := loginApp(t, actors.Config{Duplicates: actors.RefuseNew})
		old, young := login(t, a), actorstest.Connect(t, a)
		young.WantCode("refused", young.Request("u.login", `{}`), protocol.CodeConflict)
		young.WantReply("and nobody", young.Request("u.who", ``), ``)
		young.WantReply("as somebody else", young.Request("u.as", `{"uid":"bob"}`), `{"n":0}`)
		young.WantCode("still refused", young.Request("u.login", `{}`), protocol.CodeConflict)
		young.WantReply("and still bob", young.Request("u.who", ``), `bob`)
		old.WantIdle("the old one hears nothing of it")
		old.Drop()
		synctest.Wait()
		young.WantReply("free again", young.Request("u.login", `{}`), `{"n":0}`)
		if online(t, a, "bob") {
			t.Error("bob is still online")
		}
	})
}

// A session whose handler blocks cannot confirm that it goes: it is cut off after
// a second, and the newer login is served.
func TestDuplicateLoginOfABlockedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{Heartbeat: -1})
		t.Cleanup(func() { end(t, a) })
		actors.HandleRaw(a, "u.login", func(c *actors.Ctx, b []byte) ([]byte, error) { c.Bind("ann"); return b, nil })
		actors.HandleRaw(a, "u.sleep", func(c *actors.Ctx, _ []byte) ([]byte, error) {
			time.Sleep(time.Minute)
			return []byte(c.UID()), nil
		})
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		old, young := actorstest.Connect(t, a), actorstest.Connect(t, a)
		old.WantReply("login", old.Request("u.login", `old`), `old`)
		old.Request("u.sleep", ``)
		synctest.Wait()
		began := time.Now()
		young.WantReply("login", young.Request("u.login", `young`), `young`)
		if d := time.Since(began); d != time.Second {
			t.Errorf("took %v, want 1s", d)
		}
		if uid := old.Session.UID(); uid != "" || old.Reason() != protocol.ReasonReplaced {
			t.Errorf("the old session has uid %q, closed with %v", uid, old.Reason())
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if !online(t, a, "ann") || a.Stats().Forced != 1 || a.Stats().Users != 1 {
			t.Errorf("stats %+v", a.Stats())
		}
	})
}

// A login whose connection ends, or whose request runs into its time-out, while
// the user is being decided leaves no ghost.
func TestLoginWithoutAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{RequestTimeout: 500 * time.Millisecond})
		t.Cleanup(func() { end(t, a) })
		actors.HandleRaw(a, "u.login", func(c *actors.Ctx, b []byte) ([]byte, error) { c.Bind("ann"); return b, nil })
		actors.HandleRaw(a, "u.sleep", func(*actors.Ctx, []byte) ([]byte, error) { time.Sleep(time.Minute); return nil, nil })
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		old, gone, late := actorstest.Connect(t, a), actorstest.Connect(t, a), actorstest.Connect(t, a)
		old.WantReply("login", old.Request("u.login", `old`), `old`)
		old.Request("u.sleep", ``)
		synctest.Wait()
		gone.Request("u.login", `gone`)
		gone.Drop()
		late.WantCode("nobody decides in time", late.Request("u.login", `late`), protocol.CodeTimeout)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if online(t, a, "ann") || a.Stats().Users != 0 || late.Session.UID() != "" {
			t.Errorf("a ghost: %d users, uid %q", a.Stats().Users, late.Session.UID())
		}
		late.WantReply("the next one succeeds", late.Request("u.login", `again`), `again`)
		time.Sleep(time.Minute)
	})
}

// happening is one thing that a client has got, in the order of all clients.
type happening struct {
	who  int
	what string // "in", "out", "no" or "push"
	n    int
}

// race taps probes that log in at the same time, and keeps what they get in one
// common order.
type race struct {
	mu     sync.Mutex
	events []happening
	counts map[string]int
}

func (r *race) tap(t *testing.T, who int, p *actorstest.Probe) {
	p.Tap(func(b []byte) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for len(b) > 0 {
			pkt, rest, err := protocol.CutPacket(b, protocol.MaxPacketBody)
			if err != nil {
				t.Errorf("session %d wrote %q: %v", who, b, err)
				return
			}
			if h, ok := r.read(pkt); ok {
				h.who = who
				r.events = append(r.events, h)
				if r.counts == nil {
					r.counts = make(map[string]int)
				}
				r.counts[h.what]++
			}
			b = rest
		}
	})
}

func (r *race) read(pkt protocol.Packet) (h happening, ok bool) {
	switch pkt.Type {
	case protocol.Kick:
		return happening{what: "out"}, true
	case protocol.Data:
	default:
		return h, false
	}
	m, err := protocol.ParseMessage(pkt.Body, nil)
	switch {
	case err != nil:
		return h, false
	case m.Type == protocol.Push:
		_, err = fmt.Sscanf(string(m.Body), `{"n":%d}`, &h.n)
		h.what = "push"
	case m.Error:
		h.what = "no"
	default:
		h.what = "in"
	}
	return h, err == nil
}

// taken returns what has happened so far.
func (r *race) taken() []happening {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

func (r *race) count(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[what]
}

const racers = 1000

// run lets all probes log in at the same time, while one goroutine pushes to the
// user, up to limit times, and another asks whether the user is online. It returns
// when all logins are answered and all pushes accounted for.
func (r *race) run(t *testing.T, a *actors.App, probes []*actorstest.Probe, limit int) (pushes, sent int) {
	t.Helper()
	var others sync.WaitGroup
	stop := make(chan struct{})
	var delivered, open atomic.Int64
	others.Go(func() {
		for ; pushes < limit && (pushes < 100 || !closed(stop)); pushes++ {
			done := make(chan struct{})
			open.Add(1)
			err := a.Users().Push("ann", "onMail", value{pushes}, func(s, _ int) {
				delivered.Add(int64(s))
				open.Add(-1)
				close(done)
			})
			if err != nil {
				t.Error(err)
			}
			if pushes%16 == 0 { // mostly without waiting, so that pushes pile up in handovers
				<-done
			}
		}
	})
	others.Go(func() {
		for !closed(stop) {
			if on, err := a.Users().Online(context.Background(), "ann"); !on || err != nil {
				t.Errorf("online %v %v in the middle of the race", on, err)
				return
			}
		}
	})
	want := r.count("in") + r.count("no") + len(probes)
	logInAll(probes)
	await(t, "all logins to be answered", func() bool { return r.count("in")+r.count("no") == want })
	close(stop)
	others.Wait()
	await(t, "all pushes to be accounted for", func() bool { return open.Load() == 0 })
	await(t, "all pushes to arrive", func() bool { return r.count("push") == int(delivered.Load()) })
	return pushes, int(delivered.Load())
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// await waits until cond holds.
func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !cond(); {
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %s in vain", what)
		}
		poll := time.NewTimer(time.Millisecond)
		<-poll.C
	}
}

// logInAll has all of them ask at the same time.
func logInAll(probes []*actorstest.Probe) {
	var all sync.WaitGroup
	for _, p := range probes {
		all.Go(func() { p.Request("u.login", `{}`) })
	}
	all.Wait()
}

func racersOf(t *testing.T, a *actors.App, r *race, n int) []*actorstest.Probe {
	t.Helper()
	probes := make([]*actorstest.Probe, n)
	for i := range probes {
		probes[i] = actorstest.Connect(t, a)
		r.tap(t, i, probes[i])
	}
	return probes
}

// "Login on a second connection with the same uid … without a window in which both
// are live or none is": 1,000 racing logins that kick each other. In the order in
// which clients got things, each login is answered after the kick of the one
// before; each push has reached the one that was live, in order, and none is lost.
func TestRacingLoginsKickOld(t *testing.T) {
	var r race
	a := loginApp(t, actors.Config{Heartbeat: -1, RequestTimeout: time.Minute})
	probes := racersOf(t, a, &r, racers)
	probes[0].WantReply("the first", probes[0].Request("u.login", `{}`), `{"n":0}`)
	pushes, sent := r.run(t, a, probes[1:], 10_000)
	if sent != pushes || r.count("in") != racers || r.count("out") != racers-1 {
		t.Errorf("%d logins, %d kicks, %d of %d pushes arrived", r.count("in"), r.count("out"), sent, pushes)
	}
	live, next := -1, 0
	for _, h := range r.taken() {
		switch {
		case h.what == "in" && live < 0:
			live = h.who
		case h.what == "out" && live == h.who:
			live = -1
		case h.what == "push" && live == h.who && h.n == next:
			next++
		default:
			t.Fatalf("%+v while %d was live and push %d was due", h, live, next)
		}
	}
	refs, err := a.Users().Sessions(t.Context(), "ann")
	if err != nil || len(refs) != 1 || live < 0 || refs[0].ID() != probes[live].Session.ID() || refs[0].UID() != "ann" {
		t.Errorf("sessions %v %v, the last to log in was %d", refs, err, live)
	}
}

// The same with RefuseNew: exactly one wins, and once it has gone exactly one again.
func TestRacingLoginsRefuseNew(t *testing.T) {
	var r race
	a := loginApp(t, actors.Config{Heartbeat: -1, RequestTimeout: time.Minute, Duplicates: actors.RefuseNew})
	probes := racersOf(t, a, &r, racers)
	logInAll(probes)
	await(t, "all logins to be answered", func() bool { return r.count("in")+r.count("no") == racers })
	if n := r.count("in"); n != 1 {
		t.Fatalf("%d logins succeeded, want one", n)
	}
	winner := r.taken()[slices.IndexFunc(r.taken(), func(h happening) bool { return h.what == "in" })].who
	losers := slices.Delete(slices.Clone(probes), winner, winner+1)
	pushes, sent := r.run(t, a, losers, 10_000)
	for _, h := range r.taken() {
		if h.what == "push" && h.who != winner {
			t.Fatalf("a push reached session %d, the winner is %d", h.who, winner)
		}
	}
	if sent != pushes || r.count("in") != 1 {
		t.Errorf("%d of %d pushes arrived, %d logins succeeded", sent, pushes, r.count("in"))
	}
	probes[winner].Drop()
	await(t, "the winner to be forgotten", func() bool { return a.Stats().Users == 0 })
	logInAll(losers)
	await(t, "all logins to be answered", func() bool { return r.count("in")+r.count("no") == 3*racers-2 })
	if n := r.count("in"); n != 2 {
		t.Errorf("%d logins succeeded after the winner had gone, want one", n-1)
	}
}

// With AllowSeveral all are live and each gets every push from its login on.
func TestRacingLoginsAllowSeveral(t *testing.T) {
	var r race
	a := loginApp(t, actors.Config{Heartbeat: -1, RequestTimeout: time.Minute, Duplicates: actors.AllowSeveral})
	probes := racersOf(t, a, &r, racers)
	probes[0].WantReply("the first", probes[0].Request("u.login", `{}`), `{"n":0}`)
	pushes, _ := r.run(t, a, probes[1:], 200)
	next := make(map[int]int) // of a session that is in: the push it waits for, -1 for any
	for _, h := range r.taken() {
		due, in := next[h.who]
		switch {
		case h.what == "in" && !in:
			next[h.who] = -1
		case h.what == "push" && in && (due == -1 || due == h.n):
			next[h.who] = h.n + 1
		default:
			t.Fatalf("%+v while push %d was due", h, due)
		}
	}
	for who, due := range next {
		if due != pushes && due != -1 {
			t.Errorf("session %d got pushes up to %d of %d", who, due, pushes)
		}
	}
	if len(next) != racers {
		t.Errorf("%d sessions are in, want %d", len(next), racers)
	}
}

// Logins and connections that end, all at once: nobody is left behind.
func TestRacingLoginsAndDrops(t *testing.T) {
	for _, policy := range []actors.DuplicateLogin{actors.KickOld, actors.RefuseNew, actors.AllowSeveral} {
		a := loginApp(t, actors.Config{Heartbeat: -1, Duplicates: policy})
		var all sync.WaitGroup
		for range 300 {
			p := actorstest.Connect(t, a)
			all.Go(func() { p.Request("u.login", `{}`) })
			all.Go(p.Drop)
		}
		all.Wait()
		await(t, "all users to be forgotten", func() bool { s := a.Stats(); return s.Users == 0 && s.Sessions == 0 })
		if online(t, a, "ann") {
			t.Errorf("policy %d: a ghost is online", policy)
		}
	}
}
