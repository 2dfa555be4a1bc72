package measure

import (
	"encoding/json"
	"maps"
	"testing"
	"time"
)

func TestSheetsMergeOverTheWire(t *testing.T) {
	a, b := NewSheet(3), NewSheet(3)
	for i := range 1000 {
		a.Metrics[1].Record(int64(i) * int64(time.Microsecond))
		b.Metrics[1].Record(int64(i+1000) * int64(time.Microsecond))
	}
	a.Metrics[0].Fail("404")
	b.Metrics[0].Fail("404")
	b.Metrics[0].Fail("timeout")
	a.Add(Delivered, 7)
	b.Add(Delivered, 5)

	sum := NewSheet(3)
	for _, s := range []*Sheet{a, b} {
		wire, err := s.Wire()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(wire)
		if err != nil {
			t.Fatal(err)
		}
		var back WireSheet
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if err := sum.MergeWire(back); err != nil {
			t.Fatal(err)
		}
	}
	direct := NewSheet(3)
	direct.Merge(a)
	direct.Merge(b)
	for i := range sum.Metrics {
		got, want := &sum.Metrics[i], &direct.Metrics[i]
		if got.Count() != want.Count() || !maps.Equal(got.Errors, want.Errors) {
			t.Errorf("metric %d: over the wire %d %v, directly %d %v", i, got.Count(), got.Errors, want.Count(), want.Errors)
		}
	}
	if got, want := sum.Metrics[1].Hist.ValueAtPercentile(50), direct.Metrics[1].Hist.ValueAtPercentile(50); got != want {
		t.Errorf("median %d, want %d", got, want)
	}
	if sum.Counts != direct.Counts {
		t.Errorf("counters %v, want %v", sum.Counts, direct.Counts)
	}
}

func TestMergeWireRefusesForeignMetrics(t *testing.T) {
	for _, w := range []WireSheet{
		{Errors: map[int]map[string]int64{3: {"x": 1}}},
		{Hists: map[int][]byte{0: []byte("no histogram")}},
	} {
		if err := NewSheet(3).MergeWire(w); err == nil {
			t.Errorf("MergeWire(%+v) took it", w)
		}
	}
}

func TestRecordClampsInsteadOfLosing(t *testing.T) {
	var m Metric
	m.Record(-5)
	m.Record(int64(time.Hour))
	if m.Count() != 2 {
		t.Fatalf("count %d, want 2: a latency out of range must still count", m.Count())
	}
}

func TestRecordAllocatesNothing(t *testing.T) {
	s := NewSheet(1)
	s.Metrics[0].Record(1)
	if got := testing.AllocsPerRun(1000, func() { s.Metrics[0].Record(12345); s.Add(Delivered, 1) }); got != 0 {
		t.Fatalf("recording allocates %v times, want 0", got)
	}
}
