package report

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCSVIsTheRecordedForm(t *testing.T) {
	var b bytes.Buffer
	if err := example(1, 1).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "series.csv", b.Bytes())
}

func TestTableIsTheRecordedForm(t *testing.T) {
	var b bytes.Buffer
	example(1, 1).WriteTable(&b)
	golden(t, "table.txt", b.Bytes())
}

func TestComparisonIsTheRecordedForm(t *testing.T) {
	c, err := Compare(example(1, 1), example(1, 2), [2]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	c.Write(&b)
	c.WriteMarkdown(&b)
	golden(t, "compare.txt", b.Bytes())
}

func TestComparisonRatios(t *testing.T) {
	a, b := example(1, 1), example(1, 3) // the same draw of latencies, three times as long
	b.Deliveries.Lost = 0
	b.Deliveries.OutOfOrder = 4
	delete(b.Metrics, "request[room.echo]")
	c, err := Compare(a, b, [2]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]Row)
	for _, row := range c.Rows {
		rows[row.Value.Name] = row
	}
	for name, want := range map[string]float64{
		"push[onMessage].p50": 3, "push[onMessage].p99": 3, "push[onMessage].max": 3, "connect.p99.9": 3,
		"push[onMessage].count": 1, "server.cpu_per_op": 3, "server.rss_per_session": 1, "bot.cores": 3,
		"lost": 0, "out_of_order": 2,
	} {
		// Histograms keep three digits.
		if row := rows[name]; !row.HasRatio || math.Abs(row.Ratio-want) > want/500 {
			t.Errorf("%s: %+v, want a ratio of %g", name, row, want)
		}
	}
	if row := rows["request[room.echo].p50"]; row.HasB || !row.HasA || row.HasRatio {
		t.Errorf("a metric that only a has: %+v", row)
	}
	if len(c.Differences()) != 0 {
		t.Errorf("differences %q of runs alike", c.Differences())
	}
	b.Run.Sessions, b.Run.Machine.Cores = 5, 64
	if d := c.Differences(); len(d) != 2 || !strings.Contains(d[0], "sessions differs: 100, 5") {
		t.Errorf("differences %q, want sessions and machine", d)
	}
}

func TestAComparisonOfAFew(t *testing.T) {
	c, err := Compare(example(1, 1), example(1, 2), [2]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	c.Keep([]string{"push", "request[room.echo].p50", "server", "lo"})
	var got []string
	for _, row := range c.Rows {
		got = append(got, row.Value.Name)
	}
	want := []string{
		"request[room.echo].p50",
		"push[onMessage].count", "push[onMessage].p50", "push[onMessage].p99", "push[onMessage].p99.9", "push[onMessage].max",
		"server.cores", "server.cpu_per_op", "server.rss", "server.rss_per_session",
	}
	if !slices.Equal(got, want) {
		t.Errorf("kept %q, want %q", got, want)
	}
}

func TestMergedResultsAreTheHistogramOfAll(t *testing.T) {
	const centre = 4 * time.Millisecond
	parts := make([]*Result, 5)
	var all []int64
	for i := range parts {
		// Shares of different size and speed: averaged quantiles would be far off.
		values := latencies(uint64(i), 100*(i+1)*(i+1), centre*time.Duration(i+1))
		all = append(all, values...)
		parts[i] = example(uint64(i), 1)
		parts[i].Metrics["push[onMessage]"] = metricOf(values, map[string]int64{"malformed": int64(i)})
	}
	delete(parts[0].Metrics, "connect") // one that the first does not have
	before := example(0, 1)
	got, err := Merge(parts...)
	if err != nil {
		t.Fatal(err)
	}
	if want := metricOf(all, map[string]int64{"malformed": 10}); !reflect.DeepEqual(got.Metrics["push[onMessage]"], want) {
		t.Errorf("merged\n%+v\nall values\n%+v", got.Metrics["push[onMessage]"], want)
	}
	if got.Metrics["connect"].Count != 400 || got.Metrics["handshake"].Errors["400"] != 5 {
		t.Errorf("connect %+v, handshake %+v; want 400 connections, 5 refused", got.Metrics["connect"], got.Metrics["handshake"])
	}
	if got.Deliveries.Lost != 50 || got.Generator.Processes != 10 || got.Generator.CPUSeconds != 15 || got.Run.Sessions != 500 {
		t.Errorf("sums: %+v %+v %d sessions", got.Deliveries, got.Generator, got.Run.Sessions)
	}
	if got.Server.CPUSeconds != 5 {
		t.Errorf("one server, watched five times, used %g s, want 5", got.Server.CPUSeconds)
	}
	if parts[0].Metrics["handshake"].Count != before.Metrics["handshake"].Count || parts[0].Server.CPUSeconds != 5 ||
		!reflect.DeepEqual(parts[0].Series, before.Series) {
		t.Error("merging changed the first input")
	}
}

func TestMergedSeriesAddUpSecondBySecond(t *testing.T) {
	a, b := example(1, 1), example(1, 2)
	b.Series[1].At = 2.03 // clocks of two processes
	b.Run.Target, b.Server.RSSEnd = "ws://other/", 1<<20
	got, err := Merge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Series) != 2 || got.Series[1].Delivered != 960 || got.Series[1].BotCores != 0.6 {
		t.Fatalf("series %+v", got.Series)
	}
	if m := got.Series[1].Metrics["push[onMessage]"]; m.Count != 960 || m.P99 != 24.5 {
		t.Errorf("moment %+v, want all 960 and the worse p99", m)
	}
	if got.Server.CPUSeconds != 15 || got.Server.RSSEnd != 13<<20 {
		t.Errorf("two servers used %+v, want the sum", got.Server)
	}
}

func TestMergeOfNothing(t *testing.T) {
	if _, err := Merge(); err == nil {
		t.Error("nothing was merged into something")
	}
}

func TestWarningsOfAGeneratorThatMeasuredItself(t *testing.T) {
	r := example(1, 1)
	r.Schedule.Late, r.Generator.Cores = 100, 1.9
	r.Schedule.Skipped = 0
	got := strings.Join(r.Warnings(), "\n")
	if !strings.Contains(got, "could not keep up: 20.0 %") || !strings.Contains(got, "1.90 cores of 2") {
		t.Errorf("warnings %q", got)
	}
}
