package actors_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

// Lobby has a handler of every form, and hooks that tell a diary.
type Lobby struct {
	tell  func(what string)
	count int
}

func (l *Lobby) JoinRoom(c *actors.Ctx, v *value) (*value, error) {
	if v.N < 0 {
		return nil, protocol.Errorf(protocol.CodeRefused, "no")
	}
	if v.N == 0 {
		return nil, nil
	}
	return &value{v.N + 1}, nil
}

func (l *Lobby) Answer(c *actors.Ctx, v *value) error         { c.Reply(v); return nil }
func (l *Lobby) Fail(*actors.Ctx, *value) error               { return errors.New("secret") }
func (l *Lobby) Wave(c *actors.Ctx, v *value)                 { c.Push("onWave", v) }
func (l *Lobby) Echo(_ *actors.Ctx, b []byte) ([]byte, error) { return b, nil }
func (l *Lobby) Blob(*actors.Ctx, []byte) error               { return nil }
func (l *Lobby) Panic(*actors.Ctx, *value) error              { panic("on purpose") }
func (l *Lobby) Count() int                                   { return l.count } // no handler

func (l *Lobby) Init(context.Context) error { l.tell("init"); return nil }
func (l *Lobby) AfterInit() error           { l.tell("after init"); return nil }
func (l *Lobby) BeforeShutdown()            { l.tell("before shutdown") }
func (l *Lobby) Shutdown() error            { l.tell("shutdown"); return errors.New("disk full") }

// "methods (ctx, *T) (*R, error), (ctx, *T) error, (ctx, []byte)…": each form.
func TestComponentHandlers(t *testing.T) {
	a := actors.New(actors.Config{NewAudience: actorstest.NewAudience})
	defer a.Close()
	a.Component(&Lobby{tell: func(string) {}}, actors.LowerFirst, actors.Method("Wave", actors.Limit(1, time.Hour)))
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	p := actorstest.Connect(t, a)
	p.WantReply("a request", p.Request("lobby.joinRoom", `{"n":1}`), `{"n":2}`)
	p.WantReply("no reply is an empty object", p.Request("lobby.joinRoom", ``), `{}`)
	p.WantCode("an error", p.Request("lobby.joinRoom", `{"n":-1}`), protocol.CodeRefused)
	p.WantCode("a bad body", p.Request("lobby.joinRoom", `{`), protocol.CodeBadRequest)
	p.WantReply("answered by the handler itself", p.Request("lobby.answer", `{"n":5}`), `{"n":5}`)
	p.WantCode("an error without a reply", p.Request("lobby.fail", ``), protocol.CodeInternal)
	p.WantReply("raw", p.Request("lobby.echo", `x`), `x`)
	p.WantReply("raw without a reply", p.Request("lobby.blob", `x`), `{}`)
	p.WantCode("a panic", p.Request("lobby.panic", ``), protocol.CodeInternal)
	p.Notify("lobby.wave", `{"n":9}`)
	p.WantPush("a notify", "onWave", `{"n":9}`)
	p.WantCode("with options of its own", p.Request("lobby.wave", ``), protocol.CodeLimited)
	p.WantCode("what takes no *Ctx is no handler", p.Request("lobby.count", ``), protocol.CodeNoRoute)
}

func TestComponentNames(t *testing.T) {
	a := actors.New(actors.Config{})
	defer a.Close()
	quiet := func(string) {}
	a.Component(&Lobby{tell: quiet})
	a.Component(&Lobby{tell: quiet}, actors.Named("area.hall"), actors.NameFunc(strings.ToUpper), actors.EachRoute(actors.Internal()))
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	if got := a.Routes(); !slices.Contains(got, "Lobby.JoinRoom") || len(got) != 7 {
		t.Errorf("routes %v", got)
	}
	i := slices.IndexFunc(a.RouteTable(), func(r actors.RouteInfo) bool { return r.Route == "area.hall.JOINROOM" })
	if i < 0 {
		t.Fatalf("no route area.hall.JOINROOM in %v", a.RouteTable())
	}
	r := a.RouteTable()[i]
	if !r.Internal || r.Form != actors.FormRequest || r.Owner != "area.hall" || r.Request.Type != "actors_test.value" || r.Request.Fields[0].Name != "n" {
		t.Errorf("row %+v", r)
	}
}

type (
	empty   struct{}
	byValue struct{}
	wrong   struct{}
	onlyHk  struct{}
)

func (*byValue) Do(*actors.Ctx, *value) error              { return nil }
func (*wrong) NoPointer(*actors.Ctx, value) error          { return nil }
func (*wrong) NoError(*actors.Ctx, *value) *value          { return nil }
func (*wrong) NoPtrReply(*actors.Ctx, *value) (int, error) { return 0, nil }
func (*wrong) TooMany(*actors.Ctx, *value, int) error      { return nil }
func (*wrong) CtxValue(actors.Ctx, *value) error           { return nil }
func (*wrong) Init(int)                                    {}
func (onlyHk) Init()                                       {}

// "A component without handlers, a duplicate route, a wrong signature are start-up
// errors that name the method", and the fix.
func TestComponentErrors(t *testing.T) {
	a := actors.New(actors.Config{})
	defer a.Close()
	a.Component(nil)
	a.Component(empty{})
	a.Component(byValue{})
	a.Component(&wrong{}, actors.Method("Nothing", actors.Internal()))
	a.Component(&byValue{}, actors.Named("twice"))
	a.Component(&byValue{}, actors.Named("twice"))
	a.Component(&byValue{}, actors.Named("x."))
	a.Component(&byValue{}, actors.Named("both"), actors.Serial, actors.EachRoute(actors.Blocking()))
	a.Component(onlyHk{}, actors.HooksOnly)
	err := a.Start()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"component nil: pass a pointer",
		"component actors_test.empty has no handlers: export a method such as func(*actors.Ctx, *Req) (*Rep, error)",
		"component actors_test.byValue has no handlers: its methods belong to the pointer, pass &byValue{}",
		"method NoPointer is func(*actors.Ctx, actors_test.value) (error): take a *actors.Ctx and a pointer",
		"method NoError is func(*actors.Ctx, *actors_test.value) (*actors_test.value): return (*Rep, error)",
		"method NoPtrReply is func(*actors.Ctx, *actors_test.value) (int, error): return a pointer",
		"method TooMany", "method CtxValue takes a Ctx: take a *actors.Ctx",
		"the hook Init is func(int): make it func(context.Context) error",
		`actors.Method("Nothing"): it has no such handler`,
		`route "twice.Do" registered twice`,
		`the name "x." is no first part of a route: use actors.Named`,
		`route "both.Do": Blocking and a Serial component exclude each other`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("errors do not mention %s", want)
		}
	}
	if strings.Contains(err.Error(), "onlyHk") {
		t.Errorf("hooks alone are fine: %v", err)
	}
	if t.Failed() {
		t.Log(err)
	}
}

// "all Init before any AfterInit, shutdown in reverse; no request reaches a handler
// before AfterInit; each hook has … an error".
func TestLifeCycleOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var diary []string
		a := actors.New(actors.Config{})
		defer a.Close()
		for _, name := range []string{"a", "b"} {
			a.Component(&Lobby{tell: func(what string) { diary = append(diary, name+" "+what) }}, actors.Named(name))
		}
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		p := actorstest.Connect(t, a)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := a.Shutdown(ctx); err != nil {
			t.Fatal(err)
		}
		p.WantClosed("sessions end before Shutdown", protocol.ReasonShutdown)
		diary = append(diary, "-")
		err := a.Finish(ctx)
		for _, want := range []string{"component a: Shutdown: disk full", "component b: Shutdown: disk full"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not mention %s", err, want)
			}
		}
		want := "a init, b init, a after init, b after init, b before shutdown, a before shutdown, -, b shutdown, a shutdown"
		if got := strings.Join(diary, ", "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if err := a.Finish(ctx); err != nil || len(diary) != 9 {
			t.Errorf("the second Finish did something: %v", err)
		}
	})
}

// hooks is a component of hooks alone.
type hooks struct {
	init, after func(context.Context) error
	shut        func()
}

func (h *hooks) Init(ctx context.Context) error      { return h.init(ctx) }
func (h *hooks) AfterInit(ctx context.Context) error { return h.after(ctx) }
func (h *hooks) Shutdown()                           { h.shut() }

// "each hook has a deadline and an error": what has come up is taken down again.
func TestHookThatFails(t *testing.T) {
	fine := func(context.Context) error { return nil }
	stuck := func(ctx context.Context) error { time.Sleep(time.Minute); return nil }
	heeds := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	boom := func(context.Context) error { panic("on purpose") }
	for name, test := range map[string]struct {
		init, after func(context.Context) error
		want, shut  string
	}{
		"init fails":        {func(context.Context) error { return errors.New("no database") }, fine, "component b: Init: no database", "a"},
		"init is stuck":     {stuck, fine, "component b: Init: context deadline exceeded", "a"},
		"after init heeds":  {fine, heeds, "component b: AfterInit: context deadline exceeded", "c b a"},
		"after init panics": {fine, boom, "component b: AfterInit: panic: on purpose", "c b a"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var shut []string
				down := func(name string) func() { return func() { shut = append(shut, name) } }
				a := actors.New(actors.Config{HookTimeout: time.Second})
				defer a.Close()
				a.Component(&hooks{fine, fine, down("a")}, actors.Named("a"), actors.HooksOnly)
				a.Component(&hooks{test.init, test.after, down("b")}, actors.Named("b"), actors.HooksOnly)
				a.Component(&hooks{fine, fine, down("c")}, actors.Named("c"), actors.HooksOnly)
				begin := time.Now()
				err := a.Start()
				if err == nil || !strings.Contains(err.Error(), test.want) || time.Since(begin) > time.Second {
					t.Errorf("after %v: %v, want %s", time.Since(begin), err, test.want)
				}
				if got := strings.Join(shut, " "); got != test.shut {
					t.Errorf("shut down %s, want %s", got, test.shut)
				}
				if err := errors.Join(a.Shutdown(t.Context()), a.Finish(t.Context())); err != nil || len(shut) != len(strings.Fields(test.shut)) {
					t.Errorf("shut down twice: %v %v", shut, err)
				}
				time.Sleep(time.Minute) // until the stuck one has returned
			})
		})
	}
}

// Tally has state that all sessions share.
type Tally struct{ n, inside int }

func (s *Tally) Add(c *actors.Ctx, v *value) (*value, error) {
	s.inside++
	if s.inside != 1 {
		return nil, fmt.Errorf("%d handlers at once", s.inside)
	}
	time.Sleep(time.Duration(v.N))
	s.n++
	s.inside--
	return &value{s.n}, nil
}

func (s *Tally) Bump(_ *actors.Ctx, v *value) (*value, error) { s.n += v.N; return v, nil }

func (s *Tally) Panic(*actors.Ctx, *value) error { panic("on purpose") }

func (s *Tally) Login(c *actors.Ctx, v *value) (*value, error) {
	c.Bind(fmt.Sprint("user", v.N))
	gold.Set(c, v.N)
	c.Push("onLogin", &value{gold.Get(c)})
	return &value{s.n}, nil
}

// nano ran all handlers on one goroutine; a Serial component has that, by itself.
func TestSerialComponent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{NewAudience: actorstest.NewAudience})
		defer a.Close()
		tally := new(Tally)
		a.Component(tally, actors.Serial, actors.LowerFirst)
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		var probes []*actorstest.Probe
		for range 50 {
			probes = append(probes, actorstest.Connect(t, a))
		}
		for range 4 {
			for _, p := range probes {
				p.Request("tally.add", `{"n":1000}`)
			}
		}
		synctest.Wait()
		for _, p := range probes {
			for range 4 {
				if m := p.Message("an answer"); m.Error {
					t.Fatalf("%s", m.Body)
				}
			}
		}
		p := probes[0]
		p.WantReply("none was lost", p.Request("tally.add", ``), `{"n":201}`)
		p.WantCode("a panic", p.Request("tally.panic", ``), protocol.CodeInternal)
		id := p.Request("tally.login", `{"n":3}`)
		p.WantPush("its own attribute, at once", "onLogin", `{"n":3}`)
		p.WantReply("it lives on", id, `{"n":201}`)
		if uid := p.Session.UID(); uid != "user3" {
			t.Errorf("bound to %q, want user3", uid)
		}
		for _, p := range probes {
			p.Drop()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := errors.Join(a.Shutdown(ctx), a.Finish(ctx)); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second) // the runtime's throttle of dead letters
	})
}
