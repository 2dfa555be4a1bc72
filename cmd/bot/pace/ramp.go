package pace

import (
	"fmt"
	"strings"
	"time"
)

// Ramp is how fast connections are opened: so many a second, or all of them
// within a time. The zero value opens all at once.
type Ramp struct {
	PerSecond float64
	Within    time.Duration // wins when it is not zero
}

// ParseRamp reads "2000" or "2000/s", arrivals a second, or "30s".
func ParseRamp(text string) (Ramp, error) {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return Ramp{Within: d}, nil
	}
	rate, err := parseRate(text)
	if err != nil || rate <= 0 {
		return Ramp{}, fmt.Errorf("ramp %q is neither connections a second, such as 2000, nor a time, such as 30s", text)
	}
	return Ramp{PerSecond: rate}, nil
}

// Over returns how long n connections take.
func (r Ramp) Over(n int) time.Duration {
	switch {
	case r.Within > 0:
		return r.Within
	case r.PerSecond > 0:
		return time.Duration(float64(n) / r.PerSecond * float64(time.Second))
	}
	return 0
}

// ParseStages reads stages such as "10s@100,30s@100..2000": a length and a rate
// each, one after the other.
func ParseStages(text string, arrivals Arrivals) ([]Stage, error) {
	var out []Stage
	for item := range strings.SplitSeq(text, ",") {
		length, rate, ok := strings.Cut(strings.TrimSpace(item), "@")
		d, err := time.ParseDuration(length)
		if !ok || err != nil || d <= 0 {
			return nil, fmt.Errorf("stage %q is not a length and a rate, such as 30s@100..2000", item)
		}
		st := Stage{For: d, Arrivals: arrivals}
		if st.From, st.To, err = ParseRate(rate); err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}
