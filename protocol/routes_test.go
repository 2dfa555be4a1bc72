package protocol

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	dict := map[string]uint16{"a.b": 1, "last": 65535}
	r, err := NewRoutes([]string{"a.b", "known", "known"}, dict)
	if err != nil {
		t.Fatal(err)
	}
	version := r.Version()
	dict["later"] = 2 // "Neither argument is kept"
	r.Dict()["later"] = 2

	for route, want := range map[string]uint16{"a.b": 1, "last": 65535, "known": 0, "unknown": 0, "later": 0, "": 0} {
		if got := r.Code(route); got != want {
			t.Errorf("code of %q: got %d, want %d", route, got, want)
		}
	}
	for code, want := range map[uint16]string{0: "", 1: "a.b", 2: "", 65534: "", 65535: "last"} {
		if got := r.Route(code); got != want {
			t.Errorf("route of %d: got %q, want %q", code, got, want)
		}
	}
	if want := map[string]uint16{"a.b": 1, "last": 65535}; !maps.Equal(r.Dict(), want) || r.Version() != version {
		t.Errorf("dictionary: got %v, want %v", r.Dict(), want)
	}
}

// "nil is the empty set", and so is one that knows routes but gives no codes.
func TestRoutesWithoutDictionary(t *testing.T) {
	for name, r := range map[string]*Routes{"nil": nil, "zero": {}, "no codes": mustRoutes([]string{"a"}, nil)} {
		if r.Code("a") != 0 || r.Route(0) != "" || r.Route(1) != "" || r.Dict() != nil || r.Version() != "" {
			t.Errorf("%s: has a dictionary", name)
		}
		b, err := AppendMessage(nil, Message{Type: Notify, Route: "a"})
		if err != nil {
			t.Fatal(err)
		}
		if m, err := ParseMessage(b, r); err != nil || m.Route != "a" {
			t.Errorf("%s: parse: got %q, %v", name, m.Route, err)
		}
	}
}

// "Route dictionary: bijective check at start, codes ≥ 1." Every offender is
// named, so that one start shows all there is to mend.
func TestRoutesRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		known []string
		dict  map[string]uint16
		want  []string
	}{
		{"code 0", nil, map[string]uint16{"zero": 0}, []string{`"zero"`, "code 0"}},
		{"code given twice", nil, map[string]uint16{"a": 7, "b": 7, "c": 7}, []string{`"b": code 7 already stands for "a"`, `"c": code 7 already stands for "a"`}},
		{"empty route", []string{""}, nil, []string{"empty"}},
		{"empty route with a code", nil, map[string]uint16{"": 1}, []string{"empty"}},
		{"long route", []string{longRoute + "r"}, nil, []string{"256 bytes"}},
		{"not UTF-8", []string{"a\xff"}, nil, []string{`"a\xff"`}},
		{"several", []string{"", "\xff"}, map[string]uint16{"zero": 0}, []string{"empty", `"\xff"`, `"zero"`}},
	} {
		r, err := NewRoutes(tt.known, tt.dict)
		if err == nil || r != nil {
			t.Errorf("%s: got %v, no error", tt.name, r)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error does not say %s: %v", tt.name, want, err)
			}
		}
	}
}

// The version names the contents: it must differ when anything differs, and be
// the same on every node, whatever the order of a map there.
func TestRoutesVersion(t *testing.T) {
	base := map[string]uint16{"a": 1, "b": 2}
	version := mustRoutes(nil, base).Version()
	for range 20 {
		if got := mustRoutes([]string{"x"}, maps.Clone(base)).Version(); got != version {
			t.Fatalf("the same dictionary: got version %s, then %s", version, got)
		}
	}
	for _, other := range []map[string]uint16{
		{"a": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3}, {"a": 1, "c": 2}, {"a": 1, "b": 2, "c": 3}, {`a":1,"b`: 2},
	} {
		if mustRoutes(nil, other).Version() == version {
			t.Errorf("%v has the version of %v", other, base)
		}
	}
}

// What is rendered into handshakes says the same in both directions, whatever
// the routes contain.
func TestRoutesRendered(t *testing.T) {
	dict := map[string]uint16{`quote"\`: 1, "line\n\u2028": 2, "emoji😀": 3, "我们": 4}
	r := mustRoutes(nil, dict)
	var to map[string]uint16
	var from map[uint16]string
	if err := json.Unmarshal(r.routeToCode, &to); err != nil || !maps.Equal(to, dict) {
		t.Errorf("routeToCode: got %v, %v; want %v", to, err, dict)
	}
	if err := json.Unmarshal(r.codeToRoute, &from); err != nil || len(from) != len(dict) {
		t.Errorf("codeToRoute: got %v, %v", from, err)
	}
	for code, route := range from {
		if dict[route] != code {
			t.Errorf("codeToRoute: %d stands for %q, want %d", code, route, dict[route])
		}
	}
}
