package actors_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

type value struct {
	N int `json:"n"`
}

// newApp starts an application with the routes that these tests call.
func newApp(t *testing.T, cfg actors.Config) *actors.App {
	t.Helper()
	cfg.NewAudience = actorstest.NewAudience
	a := actors.New(cfg)
	actors.Handle(a, "t.add", func(_ *actors.Ctx, v *value) (*value, error) { return &value{v.N + 1}, nil })
	actors.HandleRaw(a, "t.echo", func(_ *actors.Ctx, b []byte) ([]byte, error) { return b, nil })
	actors.Handle(a, "t.none", func(*actors.Ctx, *value) (*value, error) { return nil, nil })
	actors.Handle(a, "t.own", func(*actors.Ctx, *value) (*value, error) { return nil, protocol.Errorf(1234, "mine") })
	actors.Handle(a, "t.plain", func(*actors.Ctx, *value) (*value, error) { return nil, errors.New("secret") })
	actors.Handle(a, "t.panic", func(*actors.Ctx, *value) (*value, error) { panic("on purpose") })
	actors.Handle(a, "t.chan", func(*actors.Ctx, *value) (*chan int, error) { return new(chan int), nil })
	actors.Handle(a, "t.push", func(c *actors.Ctx, v *value) (*value, error) {
		c.Push("onPush", v)
		return v, nil
	})
	actors.HandleNotify(a, "t.note", func(_ *actors.Ctx, v *value) error {
		if v.N < 0 {
			return errors.New("negative")
		}
		return nil
	})
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// "every request gets exactly one response"
func TestEveryRequestIsAnswered(t *testing.T) {
	a := newApp(t, actors.Config{})
	p := actorstest.Connect(t, a)
	p.WantReply("typed", p.Request("t.add", `{"n":1}`), `{"n":2}`)
	p.WantReply("raw", p.Request("t.echo", `anything`), `anything`)
	p.WantReply("no reply is an empty object", p.Request("t.none", `{}`), `{}`)
	p.WantReply("an empty body is the zero value", p.Request("t.add", ``), `{"n":1}`)
	p.WantCode("unknown route", p.Request("t.nothing", `{}`), protocol.CodeNoRoute)
	p.WantCode("undecodable body", p.Request("t.add", `{"n":`), protocol.CodeBadRequest)
	p.WantCode("a code of the handler's own", p.Request("t.own", `{}`), 1234)
	p.WantCode("any other error", p.Request("t.plain", `{}`), protocol.CodeInternal)
	p.WantCode("a panic", p.Request("t.panic", `{}`), protocol.CodeInternal)
	p.WantCode("a reply that cannot be written", p.Request("t.chan", `{}`), protocol.CodeInternal)
	p.WantReply("a notify route called as a request", p.Request("t.note", `{}`), `{}`)
	id := p.Request("t.push", `{"n":7}`)
	p.WantPush("a push of the handler comes first", "onPush", `{"n":7}`)
	p.WantReply("then the answer", id, `{"n":7}`)
	p.WantIdle("and nothing more")
	if s := a.Stats(); s.Panics != 1 || s.Requests["404"] != 1 || s.Requests["other"] != 1 {
		t.Errorf("stats %+v", s)
	}
}

// "id 0 means no answer wanted", and notifies have none; their failures are counted.
func TestNotifyFailuresAreCounted(t *testing.T) {
	a := newApp(t, actors.Config{})
	p := actorstest.Connect(t, a)
	for _, body := range []string{`{"n":-1}`, `{"n"`, `{"n":1}`} {
		p.Notify("t.note", body)
	}
	p.Notify("t.panic", `{}`)
	p.Notify("t.nothing", `{}`)
	p.WantReply("the session goes on", p.Request("t.add", `{}`), `{"n":1}`)
	if s := a.Stats(); s.NotifyErrors != 3 || s.NoRoute != 1 || s.Panics != 1 {
		t.Errorf("notify errors %d, no route %d, panics %d; want 3, 1, 1", s.NotifyErrors, s.NoRoute, s.Panics)
	}
}

// "Order is enforced: data or ack before the handshake closes the connection; a
// repeated handshake or ack is a protocol error answered by closing".
func TestConversationOrder(t *testing.T) {
	const hello, ack, beat, msg = protocol.Handshake, protocol.HandshakeAck, protocol.Heartbeat, protocol.Data
	for _, order := range [][]protocol.PacketType{
		{msg}, {ack}, {beat}, {hello, hello}, {hello, msg}, {hello, ack, ack}, {hello, ack, hello},
	} {
		t.Run(fmt.Sprintf("%v", order), func(t *testing.T) {
			p := actorstest.Open(t, newApp(t, actors.Config{}))
			for _, typ := range order {
				if typ == msg {
					p.Packet(typ, "\x00\x01\x06t.echo")
				} else {
					p.Packet(typ, "")
				}
			}
			p.WantClosed("out of order", protocol.ReasonProtocol)
		})
	}
}

// FEATURES 6, "handshake validator bypassed by sending only the ack".
func TestValidator(t *testing.T) {
	a := newApp(t, actors.Config{Validate: func(h *actors.Hello) (any, error) {
		switch string(h.User) {
		case `"old"`:
			return nil, protocol.Errorf(protocol.CodeClientTooOld, "update")
		case `"boom"`:
			panic("in the validator")
		case `"ok"`:
			return map[string]string{"name": "ann"}, nil
		}
		return nil, errors.New("no")
	}})
	for user, want := range map[string]string{`"old"`: `"code":501`, `"bad"`: `"code":500`, `"boom"`: `"code":500`} {
		p := actorstest.Open(t, a)
		p.Packet(protocol.Handshake, `{"user":`+user+`}`)
		if got := p.Recv("a refusal"); !contains(got.Body, want) {
			t.Errorf("user %s: got %s, want %s", user, got.Body, want)
		}
		p.WantClosed("behind it", protocol.ReasonHandshakeRefused)
	}
	p := actorstest.Open(t, a)
	p.Packet(protocol.HandshakeAck, "")
	p.Notify("t.note", `{}`)
	p.WantClosed("an ack alone opens nothing", protocol.ReasonProtocol)

	p = actorstest.Open(t, a)
	p.Packet(protocol.Handshake, `{"user":"ok"}`)
	if got := p.Recv("the answer"); !contains(got.Body, `"user":{"name":"ann"}`) {
		t.Errorf("got %s, want the validator's user", got.Body)
	}
}

// The heartbeat rule for three client families, in fake time.
func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{Heartbeat: time.Second})
		p := actorstest.Connect(t, a)
		p.Want("one right after the ack", protocol.Heartbeat, "")
		p.Packet(protocol.Heartbeat, "")
		p.Want("every one received is answered", protocol.Heartbeat, "")
		start := time.Now()
		p.Want("one whenever an interval has passed without", protocol.Heartbeat, "")
		if d := time.Since(start); d < 900*time.Millisecond || d > 1100*time.Millisecond {
			t.Errorf("the interval was %v, want 1s", d)
		}
		p.Packet(protocol.Heartbeat, "")
		for range 10 { // family A answers about every two intervals: that is alive
			time.Sleep(2 * time.Second)
			p.Packet(protocol.Heartbeat, "")
		}
		synctest.Wait()
		if p.Reason() != protocol.ReasonNone {
			t.Fatalf("closed with %v", p.Reason())
		}
		start = time.Now()
		p.WantClosed("three silent intervals", protocol.ReasonIdle)
		if d := time.Since(start); d < 2900*time.Millisecond || d > 3100*time.Millisecond {
			t.Errorf("closed after %v, want 3s", d)
		}
	})
}

func TestHandshakeDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{HandshakeTimeout: 2 * time.Second})
		silent, halfway := actorstest.Open(t, a), actorstest.Open(t, a)
		halfway.Packet(protocol.Handshake, "")
		silent.WantClosed("nothing said", protocol.ReasonHandshakeTimeout)
		halfway.WantClosed("no ack", protocol.ReasonHandshakeTimeout)
	})
}

// An idle hour with a client that keeps the heartbeat leaves the session as it was.
func TestIdleHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		p := actorstest.Connect(t, a)
		for range 120 {
			time.Sleep(30 * time.Second)
			p.Packet(protocol.Heartbeat, "")
		}
		synctest.Wait()
		p.WantReply("still served", p.Request("t.add", `{}`), `{"n":1}`)
		if n := a.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

// "1,000 pipelined requests on one connection (exactly one answer each, right id,
// in order)"; a run of many costs few writes.
func TestPipelinedRequests(t *testing.T) {
	a := newApp(t, actors.Config{Rate: -1})
	p := actorstest.Connect(t, a)
	for range 1000 {
		p.Request("t.echo", `{}`)
	}
	for i := range uint64(1000) {
		p.WantReply("answer "+strconv.FormatUint(i+1, 10), i+1, `{}`)
	}
	p.WantIdle("one each")
}

// A session that awaits an answer handles nothing else of its client; a late
// answer is dropped and counted, and can never meet another request.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{RequestTimeout: time.Second, NewAudience: actorstest.NewAudience})
		defer a.Close()
		waiting := make(chan actors.Token, 1)
		a.Route("t.later", func(c *actors.Ctx, _ actors.Inbound) { waiting <- c.Await() })
		actors.HandleRaw(a, "t.echo", func(_ *actors.Ctx, b []byte) ([]byte, error) { return b, nil })
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		p := actorstest.Connect(t, a)
		first := p.Request("t.later", `{}`)
		second := p.Request("t.echo", `"behind"`)
		token := <-waiting
		p.WantIdle("nothing overtakes the first request")
		p.Session.Answer(actors.Answer{Token: token, Value: value{1}})
		p.WantReply("the late answer", first, `{"n":1}`)
		p.WantReply("then the next request", second, `"behind"`)

		p.Session.Answer(actors.Answer{Token: token, Value: value{2}})
		third := p.Request("t.later", `{}`)
		stale := <-waiting
		time.Sleep(1100 * time.Millisecond)
		p.WantCode("no answer in time", third, protocol.CodeTimeout)
		p.Session.Answer(actors.Answer{Token: stale, Value: value{3}})
		p.WantReply("the session goes on", p.Request("t.echo", `"on"`), `"on"`)

		fourth := p.Request("t.later", `{}`)
		token = <-waiting
		p.Session.Answer(actors.Answer{Token: stale, Value: value{4}})
		p.WantIdle("a late answer while another is awaited is not taken for that")
		p.Session.Answer(actors.Answer{Token: token, Value: value{5}})
		p.WantReply("which gets its own", fourth, `{"n":5}`)
		if n := a.Stats().LateAnswers; n != 3 {
			t.Errorf("%d late answers, want 3", n)
		}
	})
}

// "ghost members after quick login/close": whoever seats a session that has ended is
// told so, though the session knew nothing of the seat when it ended.
func TestSeatedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waiting := make(chan actors.Token, 1)
		a := start(t, actors.Config{}, func(a *actors.App) {
			a.Route("t.later", func(c *actors.Ctx, _ actors.Inbound) { waiting <- c.Await() })
		})
		told := make(chan *actors.SessionEnded, 1)
		seat := actors.Membership{Kind: "table", Room: "7", PID: a.System().Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if m, is := c.Message().(*actors.SessionEnded); is {
				told <- m
			}
		}))}
		p := actorstest.Connect(t, a)
		p.Request("t.later", `{}`)
		token := <-waiting
		p.Session.Close(protocol.ReasonClientGone)
		synctest.Wait()
		p.Session.Answer(actors.Answer{Token: token, Joined: &seat})
		if m := <-told; m.ID != p.Session.ID() || m.Room != "7" {
			t.Errorf("told %+v", m)
		}
		a.System().Root.Stop(seat.PID)
		synctest.Wait()
	})
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{Rate: 10})
		p := actorstest.Connect(t, a)
		for i := range 15 {
			id := p.Request("t.add", `{}`)
			if i < 10 {
				p.WantReply("within the rate", id, `{"n":1}`)
			} else {
				p.WantCode("over it", id, protocol.CodeLimited)
			}
		}
		time.Sleep(time.Second)
		p.WantReply("after a pause", p.Request("t.add", `{}`), `{"n":1}`)
		for range 200 {
			p.Request("t.add", `{}`)
		}
		p.WantClosed("abuse", protocol.ReasonRateLimited)
	})
}

// A kick is JSON, flushed before the close; a second reason changes nothing.
func TestKick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		p := actorstest.Connect(t, a)
		p.WantReply("works", p.Request("t.add", `{}`), `{"n":1}`)
		ref, ok := a.Session(p.Session.ID())
		if !ok || ref.ID() == 0 || ref.ID() >= 1<<53 {
			t.Fatalf("session %v %v", ref, ok)
		}
		ref.Kick(protocol.ReasonKicked, "be nice")
		ref.Kick(protocol.ReasonShutdown, "")
		p.Want("why", protocol.Kick, `{"reason":"be nice","code":9}`)
		p.WantClosed("then the end", protocol.ReasonKicked)
		synctest.Wait()
		if _, ok := a.Session(ref.ID()); ok {
			t.Error("the session is still registered")
		}
		ref.Push("onPush", value{1}) // to one that is gone: nothing happens
	})
}

// Every packet is reported back and its bytes released, also those that came after
// the end or waited for an answer.
func TestPacketsAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{NewAudience: actorstest.NewAudience})
		defer a.Close()
		a.Route("t.never", func(c *actors.Ctx, _ actors.Inbound) { c.Await() })
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		p := actorstest.Connect(t, a)
		for range 10 {
			p.Request("t.never", `{}`)
		}
		synctest.Wait()
		p.Drop()
		synctest.Wait()
		p.Request("t.never", `{}`)
		synctest.Wait()
		if got, want := p.Handled(), 2+10+1; got != want {
			t.Errorf("%d packets reported as done, want %d", got, want)
		}
	})
}

func TestRegistrationErrors(t *testing.T) {
	a := actors.New(actors.Config{Dict: map[string]uint16{"t.ok": 0}})
	defer a.Close()
	a.Route("t.nil", nil)
	a.Route("", func(*actors.Ctx, actors.Inbound) {})
	a.Route("t.ok", func(*actors.Ctx, actors.Inbound) {})
	a.Route("t.ok", func(*actors.Ctx, actors.Inbound) {})
	err := a.Start()
	for _, want := range []string{`"t.nil"`, `""`, `"t.ok" registered twice`, "dictionary"} {
		if err == nil || !contains([]byte(err.Error()), want) {
			t.Errorf("errors %v do not mention %s", err, want)
		}
	}
}
