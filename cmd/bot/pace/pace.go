// Package pace plans when things happen: an open schedule, which does not wait
// for answers, as real players do not. A schedule is a pure value: the same
// seed gives the same moments.
package pace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Arrivals says how acts are spread around the wanted rate.
type Arrivals string

// The kinds of arrivals.
const (
	Constant Arrivals = "constant" // evenly spaced
	Poisson  Arrivals = "poisson"  // independent of each other, as players are
)

// Stage is a stretch of time with a rate that is constant or changes linearly.
type Stage struct {
	Name     string
	For      time.Duration
	From, To float64 // acts per second at its begin and its end
	Arrivals Arrivals
	WarmUp   bool // driven like any other, but not measured
}

// acts returns how many acts the stage plans for, not rounded.
func (s Stage) acts() float64 { return (s.From + s.To) / 2 * s.For.Seconds() }

// when returns the time into the stage at which n acts are due.
func (s Stage) when(n float64) time.Duration {
	// n(t) = from·t + slope·t²/2; the stable form of its root, also for slope 0.
	slope := (s.To - s.From) / s.For.Seconds()
	root := math.Sqrt(max(0, s.From*s.From+2*slope*n))
	return time.Duration(2 * n / (s.From + root) * float64(time.Second))
}

// Total returns the length of all stages, and of the warm-up ones before the
// measured ones.
func Total(stages []Stage) (all, warmUp time.Duration) {
	for _, s := range stages {
		all += s.For
		if s.WarmUp {
			warmUp += s.For
		}
	}
	return all, warmUp
}

// Schedule yields the moments of one process. It has one owner and no locks.
type Schedule struct {
	stages []Stage
	share  float64
	rand   *rand.Rand

	stage int
	begin time.Duration // of the stage
	next  float64       // acts of this process into the stage
}

// New returns the schedule of process worker of workers: their schedules
// together are the one of a single process, for constant arrivals moment by
// moment. Without stages nothing is ever due.
func New(stages []Stage, seed uint64, worker, workers int) *Schedule {
	s := &Schedule{
		stages: stages,
		share:  1 / float64(workers),
		rand:   rand.New(rand.NewPCG(seed, uint64(worker))),
		next:   (float64(worker) + 0.5) / float64(workers),
	}
	if len(stages) > 0 && stages[0].Arrivals == Poisson {
		s.next = s.rand.ExpFloat64()
	}
	return s
}

// Next returns the moment of the next act, counted from the beginning of the
// first stage, in ascending order; false when there are no more.
func (s *Schedule) Next() (at time.Duration, ok bool) {
	for s.stage < len(s.stages) {
		st := s.stages[s.stage]
		if due := s.next / s.share; due < st.acts() {
			at = s.begin + st.when(due)
			s.next += s.gap(st.Arrivals)
			return at, true
		}
		// What is left over of the gap goes on in the next stage.
		s.next -= st.acts() * s.share
		s.begin += st.For
		s.stage++
	}
	return 0, false
}

func (s *Schedule) gap(a Arrivals) float64 {
	if a == Poisson {
		return s.rand.ExpFloat64()
	}
	return 1
}

// ParseRate reads "200", "200/s", or "200..2000" for a rate that changes.
func ParseRate(text string) (from, to float64, err error) {
	lo, hi, ramp := strings.Cut(strings.TrimSuffix(text, "/s"), "..")
	if from, err = parseRate(lo); err != nil {
		return 0, 0, err
	}
	if !ramp {
		return from, from, nil
	}
	to, err = parseRate(hi)
	return from, to, err
}

func parseRate(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "/s"), 64)
	if err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf("rate %q is not a number of acts per second, nor two such as 200..2000", text)
	}
	return v, nil
}
