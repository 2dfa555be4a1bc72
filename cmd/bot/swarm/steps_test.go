package swarm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// file writes a scenario file.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// want compares the count and the errors of a metric.
func want(t *testing.T, res *report.Result, metric string, count int64, errs map[string]int64) {
	t.Helper()
	m, ok := res.Metrics[metric]
	if !ok {
		t.Errorf("there is no metric %s", metric)
	}
	if m.Count != count {
		t.Errorf("%s: %d times, want %d (errors %v)", metric, m.Count, count, m.Errors)
	}
	for code, n := range errs {
		if m.Errors[code] != n {
			t.Errorf("%s: errors %v, want %d of %q", metric, m.Errors, n, code)
		}
	}
	if len(m.Errors) != len(errs) {
		t.Errorf("%s: errors %v, want %v", metric, m.Errors, errs)
	}
}

// Six sessions, two rooms, every kind of step: each number below is counted by
// hand from the file.
func TestStepsAreCarriedOutAsWritten(t *testing.T) {
	t.Parallel()
	d := newDouble(t, func(int, int) fate { return fate{copies: 1} })
	res := d.run(t, Config{Sessions: 6, Rooms: 2, Duration: 3 * time.Second, Scenario: file(t, `
name: steps
behaviours:
  - name: all
    setup: [connect]
    run:
      - request: {route: room.echo, as: named, body: {who: {name: "n{{session}}"}, list: [1, 7]}, bind: {who: who.name, seven: list.1}}
      - loop:
          times: 3
          steps:
            - request: {route: room.echo, as: checked, body: {name: "{{who}}", nr: "{{seven}}"}, expect: {nr: 7}}
            - loop:
                times: 2
                steps:
                  - think: 10ms
                  - request: {route: room.echo, as: wrong, body: {nr: 8}, expect: {nr: "{{seven}}"}}
      - request: {route: no.such, body: {}, timeout: 100ms}
      - close
      - connect
      - request: {route: room.join, body: {room: "{{room}}"}, enter: true}
      - notify: {route: room.message, body: {content: "hello from {{who}}"}}
      - expect: {push: onMessage}
      - expect: {push: never, timeout: 50ms}
`)})
	want(t, res, "request[named]", 6, nil)
	want(t, res, "request[checked]", 18, nil)
	want(t, res, "request[wrong]", 0, map[string]int64{"unexpected": 36})
	want(t, res, "request[no.such]", 0, map[string]int64{"timeout": 6})
	want(t, res, "request[room.join]", 6, nil)
	want(t, res, "expect[onMessage]", 6, nil)
	want(t, res, "expect[never]", 0, map[string]int64{"timeout": 6})
	want(t, res, "connect", 12, nil)
	want(t, res, "drop", 0, nil)
	if s := res.Sessions; s != (report.Sessions{Opened: 12, Reconnects: 6}) {
		t.Errorf("sessions %+v, want 12 opened, 6 of them reconnects, none dropped", s)
	}
}

func TestActsWaitForTheOneUnderWayAndAreChargedForIt(t *testing.T) {
	t.Parallel()
	d := newDouble(t, nil)
	res := d.run(t, Config{Sessions: 1, Rooms: 1, Rate: "20", Duration: time.Second, Scenario: file(t, `
name: slow acts
behaviours:
  - name: one
    act:
      - request: {route: room.echo, as: first, body: {}}
      - think: 100ms
      - request: {route: room.echo, as: second, body: {}}
`)})
	// Twenty acts of a tenth of a second each take two; the grace period is over
	// before that, and what was not begun until then is not sent.
	first := res.Metrics["request[first]"]
	if res.Schedule.Planned != 20 || res.Schedule.Skipped != 0 || first.Count < 10 || first.Count > 16 {
		t.Fatalf("%d acts planned, %d skipped, %d begun; want 20, 0, about 14", res.Schedule.Planned, res.Schedule.Skipped, first.Count)
	}
	if first.Max < 300 || res.Metrics["request[second]"].P50 > 0.5*first.P50 {
		t.Errorf("first at most %.0f ms, second %.0f ms at the median: the wait belongs to the first alone", first.Max, res.Metrics["request[second]"].P50)
	}
}

func TestTheWarmUpIsDrivenAndNotTimed(t *testing.T) {
	t.Parallel()
	d := newDouble(t, func(int, int) fate { return fate{copies: 1} })
	res := d.run(t, Config{Scenario: "chat", Sessions: 4, Rooms: 2, Rate: "100", Duration: time.Second, WarmUp: time.Second})
	if res.Schedule.Planned != 100 || res.Schedule.Sent != 100 || res.Metrics["push[onMessage]"].Count != 200 {
		t.Errorf("%d planned, %d sent, %d pushes timed; want 100, 100, 200: only the measured second", res.Schedule.Planned, res.Schedule.Sent, res.Metrics["push[onMessage]"].Count)
	}
	if dl := res.Deliveries; dl.Expected != 400 || dl.Lost != 0 {
		t.Errorf("%+v: what was said while warming up is owed too, 400 in all", dl)
	}
}

func TestAnUnreachableServerIsSaidSo(t *testing.T) {
	t.Parallel()
	_, err := Run(context.Background(), Config{Addr: []string{"ws://127.0.0.1:1/"}, Scenario: "idle", Sessions: 100})
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("error %v, want one that says that the connection was refused", err)
	}
}

func TestAnInterruptedRunReportsWhatItHas(t *testing.T) {
	t.Parallel()
	d := newDouble(t, nil)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	cfg := Config{Addr: []string{d.url}, Scenario: "echo", Sessions: 5, Rate: "100", Duration: time.Hour, Settle: 10 * time.Millisecond}
	seconds := 0
	cfg.Watch = func(s report.Sample) {
		if s.Phase == report.Measuring {
			if seconds++; seconds == 2 {
				stop()
			}
		}
	}
	res, err := Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if n := res.Metrics["request[room.echo]"].Count; !res.Run.Interrupted || n < 100 || n != res.Schedule.Sent || res.Failures() != 0 {
		t.Errorf("interrupted %t, %d answers to %d requests, %d errors", res.Run.Interrupted, n, res.Schedule.Sent, res.Failures())
	}
}

func TestInterruptedBeforeTheMeasuringIsNoRun(t *testing.T) {
	t.Parallel()
	d := newDouble(t, nil)
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Run(ctx, Config{Addr: []string{d.url}, Scenario: "echo", Sessions: 50, Ramp: "10s"}); err == nil || errors.Is(err, errLimit) {
		t.Errorf("error %v, want one that says interrupted", err)
	}
}

// What outlaws suffer is their own doing; what they do must not be charged to the
// others, who are counted as ever.
func TestOutlawsAreNotCounted(t *testing.T) {
	t.Parallel()
	d := newDouble(t, func(int, int) fate { return fate{copies: 1} })
	res := d.run(t, Config{Sessions: 8, Rooms: 2, Rate: "40", Duration: 1500 * time.Millisecond, Scenario: file(t, `
name: rude
behaviours:
  - name: member
    weight: 3
    setup:
      - request: {route: room.join, body: {room: "{{room}}"}, enter: true}
    act:
      - publish: {route: room.message, body: {content: "{{mark}}"}, push: onMessage}
  - name: outlaw
    outlaw: true
    run:
      - loop:
          steps:
            - connect
            - raw: {hex: "04 000001 08"}
            - request: {route: room.echo, body: {}}
            - close
`)})
	want(t, res, "push[onMessage]", 180, nil) // 60 messages, three members in a room
	want(t, res, "connect", 6, nil)
	want(t, res, "request[room.echo]", 0, nil)
	if dl, s := res.Deliveries, res.Sessions; dl.Expected != 180 || dl.Lost != 0 || s.Dropped != 0 || res.Failures() != 0 {
		t.Errorf("%+v, %+v, %d errors: outlaws were counted", dl, s, res.Failures())
	}
	if n := res.Sessions.Reconnects; n < 10 {
		t.Errorf("outlaws came back %d times only: they do not go on after being thrown out", n)
	}
}

// Who stalls reads nothing meanwhile, is owed nothing, and may read on.
func TestAStallEndsTheReadingAndTheClaims(t *testing.T) {
	t.Parallel()
	d := newDouble(t, func(int, int) fate { return fate{copies: 1} })
	res := d.run(t, Config{Sessions: 4, Rooms: 1, Rate: "50", Duration: 2 * time.Second, Scenario: file(t, `
name: stall
behaviours:
  - name: member
    setup:
      - request: {route: room.join, body: {room: "{{room}}"}, enter: true}
    act:
      - publish: {route: room.message, body: {content: "{{mark}} {{pad 900}}"}, push: onMessage}
  - name: sleeper
    setup:
      - request: {route: room.join, body: {room: "{{room}}"}, enter: true}
    run:
      - stall: 500ms
      - request: {route: room.echo, as: awake, body: {}}
`)})
	want(t, res, "request[awake]", 2, nil)
	if dl := res.Deliveries; dl.Expected != 200 || dl.Lost != 0 || res.Failures() != 0 {
		t.Errorf("%+v, %d errors; want 200 expected by the two members, none lost", dl, res.Failures())
	}
}
