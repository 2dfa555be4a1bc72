package scenario

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/pace"
)

func TestBuiltinsLoad(t *testing.T) {
	for _, name := range Builtins() {
		s, err := Open(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Name != name || s.About == "" {
			t.Errorf("%s calls itself %q, about %q", name, s.Name, s.About)
		}
	}
	if _, err := Open("nosuch"); err == nil || !strings.Contains(err.Error(), "chat") {
		t.Errorf("an unknown name is answered %v, want the list of names", err)
	}
}

func TestEveryMistakeIsToldWithLineAndField(t *testing.T) {
	const file = `name: broken
sessions: many
rate: 1..x
nonsense: 1
phases:
  - {name: a, for: 1x, rate: 5}
  - {name: b, for: 1s, rate: 5, measure: false}
behaviours:
  - name: one
    act:
      - request: {rout: a.b, timeout: soon}
      - jump: {}
      - publish: {route: r, body: {text: "no mark"}}
      - notify: {route: r, body: "{{nobody}}"}
      - request: {route: r, body: {a: "{{rand 5}}"}}
      - think: {min: 2s, max: 1s}
      - loop: {steps: [notify: {route: x}]}
      - request:
          route: r
          bind: {room: x}
          expect: {a: [1]}
    run:
      - think: 1s
`
	_, err := Load("broken.yaml", []byte(file))
	if err == nil {
		t.Fatal("it loads")
	}
	for _, want := range []string{
		"broken.yaml:2: sessions: want a whole number",
		"broken.yaml:3: rate: rate \"x\"",
		"broken.yaml:4: nonsense: unknown field",
		"broken.yaml:6: phases[0].for: \"1x\" is not a duration",
		"broken.yaml:7: phases[1]: phases that are not measured come first",
		"broken.yaml:11: behaviours[0].act[0].request.rout: unknown field; there are route, body",
		"broken.yaml:11: behaviours[0].act[0].request.timeout: \"soon\" is not a duration",
		"broken.yaml:11: behaviours[0].act[0].request: needs a \"route\"",
		"broken.yaml:12: behaviours[0].act[1].jump: no such step; there are connect",
		"broken.yaml:13: behaviours[0].act[2].publish: needs \"push\"",
		"broken.yaml:14: behaviours[0].act[3].notify.body: {{nobody}}: no such name",
		"broken.yaml:15: behaviours[0].act[4].request.body.a: {{rand}} takes 2 arguments",
		"broken.yaml:16: behaviours[0].act[5].think: max is below min",
		"broken.yaml:17: behaviours[0].act[6].loop: a loop without times needs a step that waits",
		"broken.yaml:20: behaviours[0].act[7].request.bind.room: the name \"room\" is taken",
		"broken.yaml:21: behaviours[0].act[7].request.expect.a: want a plain value",
		"broken.yaml:9: behaviours[0]: act and run exclude each other",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if p, ok := errors.AsType[*Problem](err); !ok || p.File != "broken.yaml" || p.Line == 0 {
		t.Errorf("no *Problem in the chain of %T", err)
	}
	if t.Failed() {
		t.Logf("told:\n%v", err)
	}
}

func TestWhatIsNotYAMLIsToldWithItsLine(t *testing.T) {
	for _, file := range []string{"", "name: [\n", "- a\n- b\n", "name: x\n  bad: [", "a: 1\n---\nb: 2\n"} {
		_, err := Load("f.yaml", []byte(file))
		if p, ok := errors.AsType[*Problem](err); !ok || p.Line < 1 {
			t.Errorf("Load(%q) = %v, want a Problem with a line", file, err)
		}
	}
}

// one loads a scenario of one behaviour with the given steps in its act.
func one(t *testing.T, steps string) *Scenario {
	t.Helper()
	s, err := Load("t.yaml", []byte("name: t\nbehaviours:\n  - name: b\n    act:\n"+steps))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTemplatesRenderJSON(t *testing.T) {
	s := one(t, `
      - request: {route: a, bind: {id: data.id, word: w, obj: o}}
      - request:
          route: b
          body:
            n: "{{session}}"
            text: "player {{session}} of {{sessions}} in {{room}}"
            room: "{{room}}"
            id: "{{id}}"
            said: "he said {{word}}, {{id}}, {{obj}}"
            word: "{{word}}"
            token: "{{token}}"
            pad: "{{pad 3}}"
            list: [1, 2.5, true, null, "q\"uote\n"]
            unset: {}
            dice: "{{rand 3 3}}"
`)
	e := Env{
		Session: 7, Sessions: 9, Room: 2, Token: `a"b`, Rand: rand.New(rand.NewPCG(1, 1)),
		Vars: [][]byte{[]byte("9007199254740993"), []byte(`"hi \"there\""`), []byte(`{"k":"v"}`)},
	}
	got := s.Behaviours[0].Act[1].Body.Append(nil, &e)
	const want = `{"n":7,"text":"player 7 of 9 in room-2","room":"room-2","id":9007199254740993,` +
		`"said":"he said hi \"there\", 9007199254740993, {\"k\":\"v\"}","word":"hi \"there\"","token":"a\"b","pad":"the",` +
		`"list":[1,2.5,true,null,"q\"uote\n"],"unset":{},"dice":3}`
	if string(got) != want {
		t.Errorf("rendered\n%s\nwant\n%s", got, want)
	}
	if !json.Valid(got) {
		t.Error("that is not JSON")
	}
	e.Vars = nil
	if got := s.Behaviours[0].Act[1].Body.Append(nil, &e); !json.Valid(got) {
		t.Errorf("with nothing bound it is not JSON: %s", got)
	}
}

func TestPublicationsCarryTheirMark(t *testing.T) {
	s := one(t, `
      - publish: {route: room.message, body: {content: "hello {{mark}}!"}, push: onMessage}
`)
	want := measure.Mark{Run: 5, Room: 3, Sender: 2, Seq: 9, Planned: 77}
	op := s.Behaviours[0].Act[0]
	got, _, ok := measure.CutMark(op.Body.Append(nil, &Env{Mark: want}))
	if !ok || got != want || !op.Publish {
		t.Errorf("the body carries %+v, %t; want %+v", got, ok, want)
	}
	if m := s.Metrics[s.Pushes["onMessage"].Metric]; m != "push[onMessage]" {
		t.Errorf("the push is metric %q", m)
	}
}

func TestLoopsCompileToJumps(t *testing.T) {
	s := one(t, `
      - loop:
          times: 3
          steps:
            - think: 1s
            - loop: {times: 2, steps: [{notify: {route: a}}]}
      - close
`)
	var kinds []OpKind
	for _, op := range s.Behaviours[0].Act {
		kinds = append(kinds, op.Kind)
	}
	want := []OpKind{OpLoop, OpThink, OpLoop, OpNotify, OpNext, OpNext, OpClose}
	if !slices.Equal(kinds, want) {
		t.Fatalf("compiled to %v, want %v", kinds, want)
	}
	act := s.Behaviours[0].Act
	if act[4].Jump != 3 || act[5].Jump != 1 || act[4].Depth != 1 || act[5].Depth != 0 || act[0].Jump != 6 {
		t.Errorf("jumps lead to %d, %d, depths %d, %d, the end is %d", act[4].Jump, act[5].Jump, act[4].Depth, act[5].Depth, act[0].Jump)
	}
	if setup := s.Behaviours[0].Setup; len(setup) != 1 || setup[0].Kind != OpConnect {
		t.Errorf("setup is %v, want a connect of its own", setup)
	}
}

func TestPhases(t *testing.T) {
	s, err := Load("t.yaml", []byte(`
name: t
rate: 5
rooms: 3
phases:
  - {name: warm, for: 2s, rate: 10, measure: false}
  - {name: surge, for: 1m, rate: 10..200, arrivals: poisson}
behaviours:
  - name: idle
    setup: [connect]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []pace.Stage{
		{Name: "warm", For: 2 * time.Second, From: 10, To: 10, Arrivals: pace.Constant, WarmUp: true},
		{Name: "surge", For: time.Minute, From: 10, To: 200, Arrivals: pace.Poisson},
	}
	if !slices.Equal(s.Stages, want) || s.Rooms != 3 || s.Rate != 5 {
		t.Errorf("stages %+v, rooms %d, rate %v", s.Stages, s.Rooms, s.Rate)
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range Builtins() {
		data, err := Builtin(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("name: x\nbehaviours: [{name: b, act: [think: 1s, loop: {steps: [connect]}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Load("f.yaml", data)
		if err != nil {
			if _, ok := errors.AsType[*Problem](err); !ok {
				t.Fatalf("the error %v names no line", err)
			}
			return
		}
		e := Env{Sessions: 1, Rooms: 1, Rand: rand.New(rand.NewPCG(1, 1))}
		for _, b := range s.Behaviours {
			for _, op := range slices.Concat(b.Setup, b.Act, b.Run) {
				if body := op.Body.Append(nil, &e); op.Body != nil && !json.Valid(body) {
					t.Fatalf("line %d renders %q, which is not JSON", op.Line, body)
				}
			}
		}
	})
}
