package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what is recorded; run with -update and look at the change:\n%s", name, got)
	}
}

// latencies returns n latencies around centre, the same for the same seed.
func latencies(seed uint64, n int, centre time.Duration) []int64 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(float64(centre) * (0.5 + r.ExpFloat64()))
	}
	return out
}

func metricOf(values []int64, errs map[string]int64) Metric {
	m := measure.Metric{Errors: errs}
	for _, v := range values {
		m.Record(v)
	}
	return NewMetric(&m)
}

// example is a result with something in every field. scale multiplies its
// latencies and costs.
func example(seed uint64, scale float64) *Result {
	ms := func(v float64) time.Duration { return time.Duration(v * scale * 1e6) }
	begin := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	r := &Result{
		Schema: Schema,
		Run: Run{
			Target: "ws://127.0.0.1:3250/nano", Scenario: "chat", Command: []string{"bot", "--sessions", "100"}, Seed: 7,
			Sessions: 100, Rooms: 10, Rate: 50, Begin: begin, End: begin.Add(10 * time.Second),
			Machine: Machine{OS: "linux", Arch: "amd64", CPU: "Example 3000", Cores: 2, Kernel: "6.1", Go: "go1.26"},
			Commit:  "0123456789ab",
		},
		Metrics: map[string]Metric{
			"connect":            metricOf(latencies(seed, 100, ms(1)), nil),
			"handshake":          metricOf(latencies(seed+1, 99, ms(2)), map[string]int64{"400": 1}),
			"request[room.join]": metricOf(latencies(seed+2, 99, ms(3)), nil),
			"request[room.echo]": metricOf(latencies(seed+3, 500, ms(1)), map[string]int64{"503": 2, "timeout": 1}),
			"push[onMessage]":    metricOf(latencies(seed+4, 4990, ms(5)), nil),
			"heartbeat":          metricOf(nil, nil),
		},
		Deliveries: Deliveries{Expected: 5000, Received: 4990, Lost: 10, Duplicated: 3, OutOfOrder: 2, Strangers: 1},
		Traffic:    Traffic{BytesIn: 1_000_000, BytesOut: 50_000, PackagesIn: 6000, PackagesOut: 700},
		Sessions:   Sessions{Opened: 99, Reconnects: 4, Dropped: 1},
		Schedule:   Schedule{Planned: 500, Sent: 499, Skipped: 1, Late: 2, WorstLag: 7.5},
		Generator:  Generator{Processes: 2, CPUSeconds: 3 * scale, RSS: 40 << 20},
		Server: &Server{
			CPUSeconds: 5 * scale, RSSBefore: 10 << 20, RSSConnected: 11 << 20, RSSEnd: 12 << 20, RSSPerSession: 10485.76,
		},
		Series: []Sample{
			{At: 1, Seconds: 1, Phase: Connecting, Sessions: 60, BotCores: 0.5, BotRSS: 30 << 20},
			{
				At: 2, Seconds: 1, Phase: Measuring, Sessions: 99, Planned: 50, Sent: 49, Skipped: 1, Late: 2,
				Delivered: 480, Outstanding: 10, Duplicated: 3, OutOfOrder: 2, Dropped: 1, Reconnects: 4,
				BytesIn: 100_000, BytesOut: 5000, PackagesIn: 600, PackagesOut: 70,
				BotCores: 0.3, BotRSS: 40 << 20, ServerCores: 0.5, ServerRSS: 11 << 20,
				Metrics: map[string]Moment{
					"push[onMessage]":    {Count: 480, P50: 4 * scale, P90: 8 * scale, P99: 12.25 * scale, Max: 20 * scale},
					"request[room.echo]": {Count: 50, Errors: 3, P50: 1 * scale, P90: 2 * scale, P99: 3 * scale, Max: 4 * scale},
				},
			},
		},
	}
	r.Seal()
	return r
}

func TestJSONIsTheRecordedSchema(t *testing.T) {
	var b bytes.Buffer
	if err := example(1, 1).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	// The compressor may change with Go; the round trip looks after histograms.
	golden(t, "result.json", regexp.MustCompile(`"hdr": "HIST[^"]+"`).ReplaceAll(b.Bytes(), []byte(`"hdr": "HIST…"`)))
}

func TestJSONRoundTrip(t *testing.T) {
	want := example(1, 1)
	var b bytes.Buffer
	if err := want.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%+v\nwrote\n%+v", got, want)
	}
}

// A field that the example leaves at zero would not be noticed missing.
func TestExampleFillsEveryField(t *testing.T) {
	var b bytes.Buffer
	if err := example(1, 1).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var doc map[string]map[string]any
	all := json.NewDecoder(&b)
	var raw map[string]json.RawMessage
	if err := all.Decode(&raw); err != nil {
		t.Fatal(err)
	}
	delete(raw, "schema")
	delete(raw, "series")
	doc = make(map[string]map[string]any)
	for name, text := range raw {
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		doc[name] = fields
	}
	for name, fields := range doc {
		for field, v := range fields {
			if v == nil || reflect.ValueOf(v).IsZero() {
				t.Errorf("%s.%s is zero in the example", name, field)
			}
		}
	}
}

func TestOtherSchemasAreRefused(t *testing.T) {
	for _, text := range []string{`{"schema":2}`, `{}`, `{"addr":"ws://x","metrics":{}}`} {
		if _, err := ReadJSON(strings.NewReader(text)); !errors.Is(err, ErrSchema) {
			t.Errorf("ReadJSON(%s) = %v, want ErrSchema", text, err)
		}
	}
	if _, err := ReadJSON(strings.NewReader("chat")); err == nil {
		t.Error("what is no JSON was read")
	}
}

func TestAFamilyIsTheHistogramOfAllItsRoutes(t *testing.T) {
	r := example(1, 1)
	got, ok, err := r.Metric("request")
	if err != nil || !ok {
		t.Fatalf("Metric(request) = %t, %v", ok, err)
	}
	want := metricOf(append(latencies(3, 99, 3*time.Millisecond), latencies(4, 500, time.Millisecond)...), map[string]int64{"503": 2, "timeout": 1})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the family has %+v, all values together %+v", got, want)
	}
	if _, ok, _ := r.Metric("nothing"); ok {
		t.Error("a family without members was found")
	}
}
