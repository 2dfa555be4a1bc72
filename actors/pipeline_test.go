package actors_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

// "Pipeline: inbound and outbound stages, PushFront/PushBack … a stage may change
// or refuse a message; a refusal answers the request with its error".
func TestInboundStages(t *testing.T) {
	var seen []string
	note := func(who string) func(*actors.Ctx, *actors.Inbound) error {
		return func(c *actors.Ctx, in *actors.Inbound) error {
			seen = append(seen, fmt.Sprintf("%s %s %s %v", who, c.Route(), in.Body, in.Request))
			return nil
		}
	}
	a := actors.New(actors.Config{})
	defer a.Close()
	in := &a.Pipeline().Inbound
	in.PushBack(func(c *actors.Ctx, in *actors.Inbound) error {
		switch string(in.Body) {
		case "no":
			return protocol.Errorf(protocol.CodeRefused, "no")
		case "boom":
			panic("in a stage")
		case "mine":
			c.Reply(value{42})
		case "other":
			in.Body = []byte("replaced")
		}
		return nil
	})
	in.PushBack(note("back"))
	in.PushFront(note("front"))
	calls := 0
	actors.HandleRaw(a, "t.echo", func(_ *actors.Ctx, b []byte) ([]byte, error) { calls++; return b, nil })
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	p := actorstest.Connect(t, a)
	p.WantReply("untouched", p.Request("t.echo", "same"), "same")
	p.WantReply("replaced", p.Request("t.echo", "other"), "replaced")
	p.WantReply("answered by the stage", p.Request("t.echo", "mine"), `{"n":42}`)
	p.WantCode("refused", p.Request("t.echo", "no"), protocol.CodeRefused)
	p.WantCode("a stage that panics", p.Request("t.echo", "boom"), protocol.CodeInternal)
	p.Notify("t.echo", "no")
	if err := p.Session.Invoke("t.echo", []byte("inside")); err != nil {
		t.Fatal(err)
	}
	p.WantReply("the end", p.Request("t.echo", "end"), "end")
	want := []string{
		"front t.echo same true", "back t.echo same true", "front t.echo other true", "back t.echo replaced true",
		"front t.echo mine true", "front t.echo no true", "front t.echo boom true", "front t.echo no false",
		"front t.echo end true", "back t.echo end true",
	}
	if !slices.Equal(seen, want) || calls != 4 || a.Stats().NotifyErrors != 1 {
		t.Errorf("%d calls, %d refused notifies, want 4, 1; seen\n%q, want\n%q", calls, a.Stats().NotifyErrors, seen, want)
	}
}

func TestDecodedStages(t *testing.T) {
	a := actors.New(actors.Config{})
	defer a.Close()
	a.Pipeline().Decoded.PushBack(func(_ *actors.Ctx, req any) error {
		if v := req.(*value); v.N < 0 {
			return protocol.Errorf(protocol.CodeBadRequest, "negative")
		} else if v.N == 0 {
			v.N = 7
		}
		return nil
	})
	actors.Handle(a, "t.add", func(_ *actors.Ctx, v *value) (*value, error) { return v, nil })
	a.Component(&Tally{}, actors.LowerFirst)
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	p := actorstest.Connect(t, a)
	p.WantReply("changed", p.Request("t.add", ``), `{"n":7}`)
	p.WantCode("refused", p.Request("t.add", `{"n":-1}`), protocol.CodeBadRequest)
	p.WantCode("in a component", p.Request("tally.add", `{"n":-1}`), protocol.CodeBadRequest)
}

func TestOutboundStages(t *testing.T) {
	var seen []string
	a := actors.New(actors.Config{Serializer: protocol.JSON})
	defer a.Close()
	a.Pipeline().Outbound.PushBack(func(out *actors.Outgoing) error {
		line := fmt.Sprintf("%s push=%v %s", out.Route, out.Push, out.Body)
		if out.Err != nil {
			line += fmt.Sprint(" ", out.Err.Code)
		}
		seen = append(seen, line)
		if bytes.Contains(out.Body, []byte("boom")) {
			panic("in a stage")
		}
		if bytes.Contains(out.Body, []byte("secret")) {
			return protocol.Errorf(protocol.CodeRefused, "not for you")
		}
		out.Body = bytes.ReplaceAll(out.Body, []byte("damn"), []byte("****"))
		return nil
	})
	actors.HandleRaw(a, "t.echo", func(c *actors.Ctx, b []byte) ([]byte, error) {
		if bytes.Contains(b, []byte("push")) {
			c.Push("onText", string(b))
		}
		return b, nil
	})
	actors.HandleNotify(a, "t.fail", func(*actors.Ctx, *value) error { return errors.New("x") }, actors.Blocking())
	actors.Handle(a, "t.none", func(*actors.Ctx, *value) (*value, error) { return nil, nil })
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	p := actorstest.Connect(t, a)
	p.WantReply("changed", p.Request("t.echo", `"damn"`), `"****"`)
	p.WantCode("a reply refused", p.Request("t.echo", `"secret"`), protocol.CodeRefused)
	p.WantCode("a stage that panics", p.Request("t.echo", `"boom"`), protocol.CodeInternal)
	id := p.Request("t.echo", `push damn`)
	p.WantPush("a push changed", "onText", `"push ****"`)
	p.WantReply("behind it", id, `push ****`)
	p.WantCode("a push refused is dropped", p.Request("t.echo", `push secret`), protocol.CodeRefused)
	p.WantCode("an error answer passes", p.Request("t.fail", ``), protocol.CodeInternal)
	p.WantReply("no reply is an empty object", p.Request("t.none", ``), `{}`)
	p.WantCode("no such route", p.Request("t.nothing", ``), protocol.CodeNoRoute)
	want := []string{
		`t.echo push=false "damn"`,
		`t.echo push=false "secret"`, `t.echo push=false {"code":403,"msg":"not for you"} 403`,
		`t.echo push=false "boom"`, `t.echo push=false {"code":500,"msg":"internal error"} 500`,
		`onText push=true "push damn"`, `t.echo push=false push damn`,
		`onText push=true "push secret"`, `t.echo push=false push secret`, `t.echo push=false {"code":403,"msg":"not for you"} 403`,
		`t.fail push=false {"code":500,"msg":"internal error"} 500`,
		`t.none push=false {}`,
		`t.nothing push=false {"code":404,"msg":"no route t.nothing"} 404`,
	}
	if !slices.Equal(seen, want) {
		t.Errorf("seen\n%q\nwant\n%q", seen, want)
	}
	if n := a.Stats().Unwritable; n != 1 {
		t.Errorf("%d pushes dropped, want 1", n)
	}
}

func TestPipelineAfterStart(t *testing.T) {
	a := newApp(t, actors.Config{})
	defer func() {
		if recover() == nil {
			t.Error("a stage was added while messages flow")
		}
	}()
	a.Pipeline()
}
