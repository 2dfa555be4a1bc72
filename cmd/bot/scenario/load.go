package scenario

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/pace"
)

// loader compiles one file.
type loader struct {
	reader
	compiler compiler
	out      *Scenario
}

// Open loads the built-in scenario of that name or, when name has a file
// extension or a directory, the file.
func Open(name string) (*Scenario, error) {
	if filepath.Ext(name) == "" && !strings.ContainsRune(name, filepath.Separator) {
		data, err := Builtin(name)
		if err != nil {
			return nil, err
		}
		return Load(name+".yaml", data)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("open scenario: %w", err)
	}
	return Load(name, data)
}

// Load compiles a file. The error joins a *Problem for every mistake found.
func Load(file string, data []byte) (*Scenario, error) {
	l := &loader{reader: reader{file: file}, out: &Scenario{
		Metrics: slices.Clone(fixedMetrics[:]),
		Pushes:  make(map[string]Push),
	}}
	if root, ok := l.parse(data); ok {
		l.root(root)
	}
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	l.out.Vars = l.compiler.vars
	return l.out, nil
}

func (l *loader) root(v value) {
	var behaviours value
	for _, f := range l.fields(v, "name", "about", "protocol", "sessions", "rooms", "rate", "phases", "fail_if", "behaviours") {
		switch f.key {
		case "name":
			l.out.Name = l.text(f.value)
		case "about":
			l.out.About = l.text(f.value)
		case "protocol":
			l.protocol(f.value)
		case "sessions":
			l.out.Sessions = l.whole(f.value, 1, measure.MaxSenders)
		case "rooms":
			l.out.Rooms = l.whole(f.value, 1, measure.MaxRooms)
		case "rate":
			l.out.Rate, _ = l.rate(f.value)
		case "phases":
			l.phases(f.value)
		case "fail_if":
			for _, item := range l.items(f.value) {
				l.out.FailIf = append(l.out.FailIf, l.text(item))
			}
		case "behaviours":
			behaviours = f.value
		}
	}
	if behaviours.node == nil {
		l.fail(value{line: 1, path: "behaviours"}, "a scenario needs at least one behaviour")
		return
	}
	for _, b := range l.items(behaviours) {
		l.behaviour(b)
	}
	if l.out.Name == "" {
		l.fail(value{line: 1, path: "name"}, "a scenario needs a name")
	}
}

func (l *loader) protocol(v value) {
	switch text := l.text(v); text {
	case "pomelo":
	case "text":
		l.out.Text = true
	default:
		l.fail(v, "%q is not pomelo or text", text)
	}
}

func (l *loader) rate(v value) (from, to float64) {
	from, to, err := pace.ParseRate(l.text(v))
	if err != nil {
		l.fail(v, "%v", err)
	}
	return from, to
}

func (l *loader) phases(v value) {
	measured := false
	for _, item := range l.items(v) {
		st := pace.Stage{Arrivals: pace.Constant}
		for _, f := range l.fields(item, "name", "for", "rate", "arrivals", "measure") {
			switch f.key {
			case "name":
				st.Name = l.text(f.value)
			case "for":
				st.For = l.duration(f.value)
			case "rate":
				st.From, st.To = l.rate(f.value)
			case "arrivals":
				st.Arrivals = pace.Arrivals(l.text(f.value))
				if st.Arrivals != pace.Constant && st.Arrivals != pace.Poisson {
					l.fail(f.value, "%q is not constant or poisson", string(st.Arrivals))
				}
			case "measure":
				st.WarmUp = !l.boolean(f.value)
			}
		}
		if st.For == 0 {
			l.fail(item, `a phase needs "for", its length`)
		}
		if st.WarmUp && measured {
			l.fail(item, "phases that are not measured come first: what they send would mix with what is measured")
		}
		measured = measured || !st.WarmUp
		l.out.Stages = append(l.out.Stages, st)
	}
	if len(l.out.Stages) > 0 && !measured {
		l.fail(v, "no phase is measured")
	}
}

func (l *loader) behaviour(v value) {
	b := Behaviour{Weight: 1}
	var setup, act, run value
	for _, f := range l.fields(v, "name", "weight", "user", "outlaw", "setup", "act", "run") {
		switch f.key {
		case "name":
			b.Name = l.text(f.value)
		case "weight":
			b.Weight = l.whole(f.value, 1, 1_000_000)
		case "user":
			b.User = l.body(f.value)
		case "outlaw":
			b.Outlaw = l.boolean(f.value)
		case "setup":
			setup = f.value
		case "act":
			act = f.value
		case "run":
			run = f.value
		}
	}
	if b.Name == "" {
		l.fail(v, "a behaviour needs a name")
	}
	b.Setup = l.program(setup)
	b.Act = l.program(act)
	b.Run = l.program(run)
	if len(b.Act) > 0 && len(b.Run) > 0 {
		l.fail(v, "act and run exclude each other: a session follows the schedule or its own pace")
	}
	if !connects(b.Setup) && !connects(b.Act) && !connects(b.Run) {
		b.Setup = append([]Op{{Kind: OpConnect, Metric: -1}}, shift(b.Setup, 1)...)
	}
	l.out.Behaviours = append(l.out.Behaviours, b)
}

// program compiles a list of steps; no list is an empty program.
func (l *loader) program(v value) []Op {
	if v.node == nil {
		return nil
	}
	return l.steps(nil, v, 0)
}

// shift moves a program by n places.
func shift(ops []Op, n int) []Op {
	out := slices.Clone(ops)
	for i := range out {
		if out[i].Kind == OpLoop || out[i].Kind == OpNext {
			out[i].Jump += n
		}
	}
	return out
}

// metric returns the number of a metric and adds it when it is new.
func (l *loader) metric(kind, name string) int {
	full := kind + "[" + name + "]"
	if i := slices.Index(l.out.Metrics, full); i >= 0 {
		return i
	}
	l.out.Metrics = append(l.out.Metrics, full)
	return len(l.out.Metrics) - 1
}

// Body compiles JSON text with holes, such as --user gives; what names it in
// errors.
func Body(what, text string) (*Template, error) {
	l := &loader{reader: reader{file: what}}
	var t *Template
	if v, ok := l.parse([]byte(text)); ok {
		t = l.body(v)
	}
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	return t, nil
}
