package main

import (
	"slices"
	"testing"
)

func TestSpreadOf(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want spread
		text string
	}{
		{nil, spread{}, "–"},
		{[]float64{4}, spread{4, 4, 4, 1}, "4.0"},
		{[]float64{9, 1, 2}, spread{2, 1, 9, 3}, "2.0 (1.0–9.0)"},
		{[]float64{9, 1, 2, 4}, spread{3, 1, 9, 4}, "3.0 (1.0–9.0)"},
	} {
		got := spreadOf(c.in)
		if got != c.want || got.text(1) != c.text {
			t.Errorf("spreadOf(%v) = %+v, %q, want %+v, %q", c.in, got, got.text(1), c.want, c.text)
		}
	}
}

func TestRatiosPairRounds(t *testing.T) {
	over := map[int]float64{0: 10, 1: 30, 2: 5}
	under := map[int]float64{0: 5, 1: 10, 3: 1}
	got := slices.Sorted(slices.Values(ratios(over, under)))
	if want := []float64{2, 3}; !slices.Equal(got, want) {
		t.Errorf("ratios = %v, want %v: rounds 2 and 3 have no partner", got, want)
	}
}

func TestTurnsGoBackAndForth(t *testing.T) {
	order := func(round int) string {
		s := ""
		for _, v := range turns([]server{{name: "a"}, {name: "b"}, {name: "c"}}, round) {
			s += v.name
		}
		return s
	}
	if got := order(0) + " " + order(1) + " " + order(2); got != "abc cba abc" {
		t.Errorf("turns went %s, want abc cba abc", got)
	}
}
