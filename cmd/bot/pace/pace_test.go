package pace

import (
	"math"
	"slices"
	"testing"
	"time"
)

func all(s *Schedule) (at []time.Duration) {
	for {
		t, ok := s.Next()
		if !ok {
			return at
		}
		at = append(at, t)
	}
}

func TestConstantArrivalsAreEvenlySpaced(t *testing.T) {
	got := all(New([]Stage{{For: 2 * time.Second, From: 5, To: 5}}, 1, 0, 1))
	if len(got) != 10 {
		t.Fatalf("%d acts, want 10", len(got))
	}
	for i, at := range got {
		want := time.Duration((float64(i) + 0.5) / 5 * float64(time.Second))
		if d := at - want; d.Abs() > time.Microsecond {
			t.Errorf("act %d at %v, want %v", i, at, want)
		}
	}
}

func TestWorkersTogetherMakeTheSameSchedule(t *testing.T) {
	stages := []Stage{{For: time.Second, From: 10, To: 100}, {For: 3 * time.Second, From: 100, To: 7}}
	one := all(New(stages, 1, 0, 1))
	var three []time.Duration
	for w := range 3 {
		three = append(three, all(New(stages, 1, w, 3))...)
	}
	slices.Sort(three)
	if math.Abs(float64(len(one)-len(three))) > 3 {
		t.Fatalf("one process plans %d acts, three together %d", len(one), len(three))
	}
	if want := 55 + 160; math.Abs(float64(len(one)-want)) > 1 {
		t.Errorf("%d acts, want about %d", len(one), want)
	}
}

func TestRampPutsHalfOfTheRateInTheMiddle(t *testing.T) {
	at := all(New([]Stage{{For: 10 * time.Second, From: 0, To: 100}}, 1, 0, 1))
	if len(at) != 500 {
		t.Fatalf("%d acts, want 500", len(at))
	}
	early := 0
	for _, t := range at {
		if t < 5*time.Second {
			early++
		}
	}
	if early != 125 {
		t.Errorf("%d acts in the first half, want a quarter of 500", early)
	}
	if !slices.IsSorted(at) {
		t.Error("moments do not ascend")
	}
}

func TestPoissonKeepsTheRateAndScattersTheGaps(t *testing.T) {
	const seed = 42
	stages := []Stage{{For: 100 * time.Second, From: 100, To: 100, Arrivals: Poisson}}
	at := all(New(stages, seed, 0, 1))
	if n := float64(len(at)); math.Abs(n-10000) > 400 { // four standard deviations
		t.Errorf("seed %d: %v acts, want 10000 ± 400", seed, n)
	}
	var sum, squares float64
	for i := 1; i < len(at); i++ {
		gap := (at[i] - at[i-1]).Seconds()
		sum += gap
		squares += gap * gap
	}
	mean := sum / float64(len(at)-1)
	deviation := math.Sqrt(squares/float64(len(at)-1) - mean*mean)
	if r := deviation / mean; r < 0.95 || r > 1.05 {
		t.Errorf("seed %d: gaps deviate by %.2f of their mean, want 1 for independent arrivals", seed, r)
	}
	if again := all(New(stages, seed, 0, 1)); !slices.Equal(at, again) {
		t.Errorf("seed %d does not give the same schedule again", seed)
	}
}

func TestNothingIsDueWithoutARate(t *testing.T) {
	for _, stages := range [][]Stage{nil, {{For: time.Second}}, {{From: 5, To: 5}}} {
		if at := all(New(stages, 1, 0, 1)); len(at) != 0 {
			t.Errorf("stages %v plan %d acts, want none", stages, len(at))
		}
	}
}

func TestParseRate(t *testing.T) {
	for _, c := range []struct {
		text     string
		from, to float64
		ok       bool
	}{
		{"200", 200, 200, true}, {"0.5/s", 0.5, 0.5, true}, {"200..2000", 200, 2000, true}, {"1/s..2/s", 1, 2, true},
		{"", 0, 0, false}, {"-1", 0, 0, false}, {"NaN", 0, 0, false}, {"1..", 0, 0, false}, {"1..x", 0, 0, false},
	} {
		from, to, err := ParseRate(c.text)
		if (err == nil) != c.ok || c.ok && (from != c.from || to != c.to) {
			t.Errorf("ParseRate(%q) = %v, %v, %v; want %v, %v, ok %t", c.text, from, to, err, c.from, c.to, c.ok)
		}
	}
}
