package app

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/rooms"
)

// "server routes prints every route with its kind and types, and --json for tools".
func TestRoutesCommand(t *testing.T) {
	run := func(args ...string) string {
		t.Helper()
		cfg, err := Parse(args)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		cfg.Out = &out
		cfg.Setup = func(a *actors.App, _ *rooms.Host) error {
			actors.HandleRaw(a, "my.own", echo, actors.Internal(), actors.Blocking(), actors.Deadline(time.Minute), actors.Limit(2, time.Second))
			return nil
		}
		if err := cfg.Do(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	text := run("routes")
	lines := strings.Split(text, "\n")
	for _, want := range []string{"ROUTE", "my.own", "room.echo", "room.join", "room.message"} {
		if !strings.Contains(text, "\n"+want+" ") && !strings.HasPrefix(text, want) {
			t.Errorf("no line for %s in\n%s", want, text)
		}
	}
	for _, l := range lines {
		if strings.HasPrefix(l, "my.own") && !strings.HasSuffix(l, "internal, blocking, limit 2 per 1s, deadline 1m0s") {
			t.Errorf("got %s", l)
		}
		if strings.HasPrefix(l, "room.message") && (!strings.Contains(l, "notify") || !strings.Contains(l, "content string")) {
			t.Errorf("got %s", l)
		}
	}
	var table []actors.RouteInfo
	if err := json.Unmarshal([]byte(run("routes", "--json")), &table); err != nil || len(table) < 4 {
		t.Fatalf("%v: %v", err, table)
	}
	for _, r := range table {
		if r.Route == "room.join" && (r.Form != actors.FormRequest || r.Request == nil || r.Reply == nil) {
			t.Errorf("row %+v", r)
		}
	}
	for _, args := range [][]string{nil, {"serve"}, {"--listen", ":1"}} {
		if cfg, err := Parse(args); err != nil || cfg.Task != nil {
			t.Errorf("%v does not serve: %v", args, err)
		}
	}
}
