package main

import (
	"fmt"
	"slices"
)

// spread is what the rounds of one measurement came to.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	N      int     `json:"rounds"`
}

// spreadOf sorts a copy of v; an empty v gives the zero spread, which prints as
// a dash. The median of an even number is the mean of the middle two.
func spreadOf(v []float64) spread {
	if len(v) == 0 {
		return spread{}
	}
	s := slices.Sorted(slices.Values(v))
	mid := s[len(s)/2]
	if len(s)%2 == 0 {
		mid = (s[len(s)/2-1] + mid) / 2
	}
	return spread{Median: mid, Min: s[0], Max: s[len(s)-1], N: len(s)}
}

// text prints the median and, of several rounds, the range.
func (s spread) text(decimals int) string {
	switch s.N {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf("%.*f", decimals, s.Median)
	}
	return fmt.Sprintf("%.*f (%.*f–%.*f)", decimals, s.Median, decimals, s.Min, decimals, s.Max)
}

// ratios divides round by round: drift that both servers saw cancels. Rounds
// that only one of them finished are left out.
func ratios(over, under map[int]float64) []float64 {
	var out []float64
	for round, a := range over {
		if b := under[round]; b > 0 {
			out = append(out, a/b)
		}
	}
	return out
}
