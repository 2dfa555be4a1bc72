package stages_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/stages"
	"github.com/shaddock-game/shaddock/protocol"
)

type hero struct {
	Name string `json:"name" validate:"required,max=8"`
	Bag  struct {
		Gold int `json:"gold" validate:"min=0"`
	} `json:"bag"`
}

// start starts an application whose pipeline fill has filled.
func start(t *testing.T, fill func(*actors.Pipeline)) *actors.App {
	t.Helper()
	a := actors.New(actors.Config{NewAudience: actorstest.NewAudience})
	t.Cleanup(a.Close)
	fill(a.Pipeline())
	actors.Handle(a, "hero.make", func(c *actors.Ctx, h *hero) (*hero, error) {
		c.Push("onMade", "!")
		return h, nil
	})
	actors.HandleRaw(a, "gate.login", func(c *actors.Ctx, b []byte) ([]byte, error) { c.Bind(string(b)); return b, nil })
	actors.HandleRaw(a, "news.read", func(*actors.Ctx, []byte) ([]byte, error) { return []byte("news"), nil }, actors.Public())
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestGate(t *testing.T) {
	for _, open := range []string{"gate.login", "gate.*"} {
		a := start(t, func(p *actors.Pipeline) { p.Inbound.PushFront(stages.Gate(open)) })
		p := actorstest.Connect(t, a)
		p.WantCode("before the login", p.Request("hero.make", `{}`), protocol.CodeUnauthenticated)
		p.WantReply("a public route", p.Request("news.read", ``), `news`)
		p.WantReply("the login", p.Request("gate.login", `ann`), `ann`)
		id := p.Request("hero.make", `{"name":"a","bag":{"gold":0}}`)
		p.WantPush("it is open", "onMade", `"!"`)
		p.WantReply("now", id, `{"name":"a","bag":{"gold":0}}`)
	}
}

func TestValidate(t *testing.T) {
	a := start(t, func(p *actors.Pipeline) { p.Decoded.PushBack(stages.Validate(nil)) })
	p := actorstest.Connect(t, a)
	for body, want := range map[string]string{
		`{}`:                             `{"code":400,"msg":"name: required"}`,
		`{"name":"far too long"}`:        `{"code":400,"msg":"name: max=8"}`,
		`{"name":"a","bag":{"gold":-1}}`: `{"code":400,"msg":"bag.gold: min=0"}`,
	} {
		p.Request("hero.make", body)
		if m := p.Message("a refusal"); !m.Error || string(m.Body) != want {
			t.Errorf("%s: got %s, want %s", body, m.Body, want)
		}
	}
	id := p.Request("hero.make", `{"name":"a"}`)
	p.WantPush("one that fits", "onMade", `"!"`)
	p.WantReply("passes", id, `{"name":"a","bag":{"gold":0}}`)
}

// "traffic counters are the shipped example, and they really print and are really
// per direction".
func TestTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var traffic *stages.Traffic
		a := start(t, func(p *actors.Pipeline) {
			p.Inbound.PushBack(func(c *actors.Ctx, in *actors.Inbound) error {
				if string(in.Body) == "no" {
					return protocol.Errorf(protocol.CodeRefused, "no")
				}
				return nil
			})
			traffic = stages.Count(p)
		})
		var out bytes.Buffer
		ctx, stop := context.WithCancel(t.Context())
		var printing sync.WaitGroup
		printing.Go(func() { traffic.Print(ctx, &out, 10*time.Second) })
		synctest.Wait() // it counts from its start

		p := actorstest.Connect(t, a)
		id := p.Request("hero.make", `{}`)
		p.WantPush("a push", "onMade", `"!"`)
		p.WantReply("a reply", id, `{"name":"","bag":{"gold":0}}`)
		p.WantCode("a refusal", p.Request("news.read", `no`), protocol.CodeRefused)
		p.Notify("news.read", `abc`)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got, want := traffic.In(), (stages.Flow{Messages: 3, Bytes: 2 + 2 + 3}); got != want {
			t.Errorf("in %+v, want %+v", got, want)
		}
		time.Sleep(10 * time.Second)
		stop()
		printing.Wait()
		want := "traffic 10s: in 3 messages 7 bytes, out 3 messages 54 bytes\n" +
			"traffic 10s: in 0 messages 0 bytes, out 0 messages 0 bytes\n"
		if out.String() != want {
			t.Errorf("printed\n%s, want\n%s", out.String(), want)
		}
		if got, want := gather(t, traffic), map[string]float64{
			"in notify": 1, "in request": 2, "out error": 1, "out push": 1, "out response": 1,
		}; !maps.Equal(got, want) {
			t.Errorf("exported %v, want %v", got, want)
		}
	})
}

// gather returns the exported message counters by their labels.
func gather(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		if f.GetName() != "shaddock_traffic_messages_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			got[m.GetLabel()[0].GetValue()+" "+m.GetLabel()[1].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return got
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		a := start(t, func(p *actors.Pipeline) { stages.Log(p, log, slog.LevelDebug) })
		p := actorstest.Connect(t, a)
		p.WantReply("a login", p.Request("gate.login", `ann`), `ann`)
		p.WantCode("a bad request", p.Request("hero.make", `{`), protocol.CodeBadRequest)
		for _, want := range []string{
			`msg=received route=gate.login request=true bytes=3`, `msg=sent route=gate.login push=false bytes=3`,
			`route=hero.make request=true bytes=1`, `uid=ann code=400`,
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the log lacks %s:\n%s", want, out.String())
			}
		}
	})
}
