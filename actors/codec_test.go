package actors_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

// lines is a codec for tests: "route body" calls, "?" is answered with "!".
type lines struct{ actors.Codec }

func (lines) Hello() actors.TextCall { return actors.TextCall{Answer: []byte("hello")} }

func (lines) Decode(text []byte) (actors.TextCall, error) {
	switch {
	case string(text) == "?":
		return actors.TextCall{Answer: []byte("!")}, nil
	case len(text) < 2 || text[0] != 't':
		return actors.TextCall{}, errors.New("not a line")
	}
	route, body, _ := strings.Cut(string(text), " ")
	return actors.TextCall{Route: route, Body: []byte(body)}, nil
}

func (lines) AppendReply(dst []byte, route string, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(append(dst, route+" = "...), b...), err
}

func (lines) AppendError(dst []byte, e *protocol.Error) []byte { return append(dst, e.Msg...) }

func (lines) AppendPush(dst []byte, route string, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(append(dst, route+" : "...), b...), err
}

func (lines) AppendKick(dst []byte, why protocol.Reason, text string) []byte {
	return append(dst, why.Name()+": "+text...)
}

// A text session has the handlers, the order and the errors of all others.
func TestTextSession(t *testing.T) {
	a := newApp(t, actors.Config{})
	p := actorstest.OpenText(t, a, lines{})
	p.Want("what the codec says first", "hello")
	p.Say("?")
	p.Want("an answer of the codec's own", "!")
	p.Say(`t.add {"n":1}`)
	p.Want("a typed route", `t.add = {"n":2}`)
	p.Say(`t.echo as it is`)
	p.Want("a raw route", `as it is`)
	p.Say(`t.push {"n":3}`)
	p.Want("a push goes ahead of the answer", `onPush : {"n":3}`)
	p.Want("the answer", `t.push = {"n":3}`)
	p.Say(`t.chan {}`)
	p.Want("a reply that cannot be written", `internal error`)
	p.Say(`t.nothing {}`)
	p.Want("an unknown route", `no route t.nothing`)
	p.Say(`t.panic {}`)
	p.Want("a panic", `internal error`)
	p.Session.Push("onNews", 7)
	p.Want("a push from elsewhere", `onNews : 7`)
	p.Say(`nonsense`)
	p.Want("the reason in words", `protocol: not a line`)
	p.WantClosed("what cannot be read ends the session", protocol.ReasonProtocol)
	if s := a.Stats(); s.Malformed != 1 || s.NoRoute != 1 || s.Panics != 1 {
		t.Errorf("stats %+v, want one malformed, one without route, one panic", s)
	}
}

// The rate limit is the same, and every message over it is answered.
func TestTextSessionRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{Rate: 2, Heartbeat: -1})
		p := actorstest.OpenText(t, a, lines{})
		p.Want("hello", "hello")
		for range 3 {
			p.Say("?")
		}
		p.Want("within the rate", "!")
		p.Want("within the rate", "!")
		p.Want("over the rate", "too many messages")
		time.Sleep(time.Second)
		p.Say("?")
		p.Want("a second later", "!")
	})
}

// "any traffic keeps the connection alive", and silence ends it.
func TestTextSessionSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{Heartbeat: 10 * time.Second})
		p := actorstest.OpenText(t, a, lines{})
		p.Want("hello", "hello")
		for range 5 {
			time.Sleep(29 * time.Second)
			p.Say("?")
			p.Want("alive, and no heartbeat in between", "!")
		}
		start := time.Now()
		time.Sleep(29 * time.Second)
		p.WantIdle("not yet")
		p.Want("the reason", "idle: ")
		p.WantClosed("three silent intervals", protocol.ReasonIdle)
		if d := time.Since(start); d < 30*time.Second || d > 31*time.Second {
			t.Errorf("closed after %v, want 30s", d)
		}
	})
}
