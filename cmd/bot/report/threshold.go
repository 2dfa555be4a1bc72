package report

import (
	"errors"
	"fmt"
	"strings"
)

// Threshold is a condition under which a run has failed.
//
//	threshold = value operator limit
//	value     = "lost" | "server.cpu_per_op" | metric "." statistic | …
//	metric    = "push" | "request[room.join]" | …
//	operator  = ">" | ">=" | "<" | "<=" | "==" | "!="
//	limit     = "100ms" | "1%" | "2KB" | "0" | …
//
// Spaces are free. A limit has the unit of its value: a latency without one is
// refused.
type Threshold struct {
	Text  string // as it was given
	Value Value
	op    string
	limit float64
}

// operators, longest first: ">" is also the beginning of ">=".
var operators = []string{">=", "<=", "==", "!=", ">", "<"}

// ParseThreshold reads a threshold. The error quotes it and, for an unknown
// metric, lists those known.
func ParseThreshold(text string, k Known) (Threshold, error) {
	name, op, limit, ok := cutOperator(text)
	if !ok {
		return Threshold{}, fmt.Errorf("threshold %q is not of the form 'push.p99>100ms' or 'lost>0'", text)
	}
	v, err := k.Lookup(name)
	if err != nil {
		return Threshold{}, fmt.Errorf("threshold %q: %w", text, err)
	}
	t := Threshold{Text: text, Value: v, op: op}
	if t.limit, err = v.Unit.parse(limit); err != nil {
		return Threshold{}, fmt.Errorf("threshold %q: %w", text, err)
	}
	return t, nil
}

// ParseThresholds reads several and joins their errors.
func ParseThresholds(texts []string, k Known) ([]Threshold, error) {
	var out []Threshold
	var errs []error
	for _, text := range texts {
		t, err := ParseThreshold(text, k)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, t)
	}
	return out, errors.Join(errs...)
}

func cutOperator(text string) (name, op, limit string, ok bool) {
	// A route may hold anything but a bracket: look behind it.
	route := strings.LastIndexByte(text, ']') + 1
	at := strings.IndexAny(text[route:], "<>=!")
	if at < 0 {
		return "", "", "", false
	}
	at += route
	for _, op := range operators {
		if limit, ok := strings.CutPrefix(text[at:], op); ok {
			name = strings.TrimSpace(text[:at])
			return name, op, limit, name != "" && strings.TrimSpace(limit) != ""
		}
	}
	return "", "", "", false
}

// Breach says whether t was breached and by what. A value that does not exist
// breaches every threshold on it: a run in which nothing arrived has not kept
// its latency.
func (t Threshold) Breach(r *Result) (why string, breached bool) {
	v, err := t.Value.Of(r)
	if err != nil {
		return fmt.Sprintf("%s: %v", t.Text, err), true
	}
	return fmt.Sprintf("%s: it was %s", t.Text, t.Value.Unit.Format(v)), t.holds(v)
}

func (t Threshold) holds(v float64) bool {
	switch t.op {
	case ">":
		return v > t.limit
	case ">=":
		return v >= t.limit
	case "<":
		return v < t.limit
	case "<=":
		return v <= t.limit
	case "==":
		return v == t.limit
	default:
		return v != t.limit
	}
}

// Breaches lists what was breached, in the order of the thresholds.
func Breaches(r *Result, all []Threshold) (why []string) {
	for _, t := range all {
		if text, breached := t.Breach(r); breached {
			why = append(why, text)
		}
	}
	return why
}

// DefaultThresholds are those of a run that names none: whatever was lost,
// doubled, reordered, refused or cut off is a failure.
func DefaultThresholds() []string {
	return []string{"lost>0", "duplicated>0", "out_of_order>0", "errors>0", "dropped>0"}
}
