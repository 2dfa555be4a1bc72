package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Unit is what a value is counted in.
type Unit uint8

// The units. Values are plain float64s in the base that stands behind each.
const (
	Count   Unit = iota // things
	Latency             // milliseconds
	Ratio               // parts of one
	Bytes
	Cores  // seconds of processor time per second
	Micros // microseconds of processor time per operation
	Rate   // things per second
	Flow   // bytes per second
)

// Format writes v for people, with three significant digits.
func (u Unit) Format(v float64) string {
	switch u {
	case Latency:
		return formatLatency(v)
	case Ratio:
		return significant(v*100) + " %"
	case Bytes:
		return formatBytes(v)
	case Cores:
		return strconv.FormatFloat(v, 'f', 2, 64) + " cores"
	case Micros:
		return significant(v) + " µs"
	case Rate:
		return significant(v) + "/s"
	case Flow:
		return formatBytes(v) + "/s"
	default:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
}

func formatLatency(ms float64) string {
	switch {
	case ms == 0:
		return "0 ms"
	case ms < 0.1:
		return significant(ms*1000) + " µs"
	case ms < 10_000:
		return significant(ms) + " ms"
	default:
		return significant(ms/1000) + " s"
	}
}

func formatBytes(v float64) string {
	const step = 1024
	for _, unit := range []string{"B", "KB", "MB"} {
		if math.Abs(v) < step {
			return significant(v) + " " + unit
		}
		v /= step
	}
	return significant(v) + " GB"
}

// significant keeps three digits, and never rounds away those before the point.
func significant(v float64) string {
	if v == 0 {
		return "0"
	}
	whole := int(math.Floor(math.Log10(math.Abs(v)))) + 1
	return strconv.FormatFloat(v, 'f', max(0, min(3-whole, 6)), 64)
}

// parse reads a limit. Where people would disagree about the base (100 what?)
// the unit is compulsory.
func (u Unit) parse(text string) (float64, error) {
	text = strings.TrimSpace(text)
	switch u {
	case Latency:
		d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			return 0, fmt.Errorf("%q is no time; give one such as 100ms or 1.5s", text)
		}
		return float64(d) / float64(time.Millisecond), nil
	case Ratio:
		number, percent := strings.CutSuffix(text, "%")
		v, err := parseNumber(number)
		if percent {
			v /= 100
		}
		if err != nil {
			return 0, fmt.Errorf("%q is no share; give one such as 1%% or 0.01", text)
		}
		return v, nil
	case Bytes:
		return parseBytes(text)
	case Micros:
		return parseSuffixed(text, "us", "µs", "a number of microseconds, such as 12 or 12us")
	case Flow:
		return parseBytes(strings.TrimSuffix(text, "/s"))
	case Rate:
		return parseSuffixed(text, "/s", "", "a number per second, such as 1000 or 1000/s")
	default:
		v, err := parseNumber(text)
		if err != nil {
			return 0, fmt.Errorf("%q is no number, and this is counted in plain numbers", text)
		}
		return v, nil
	}
}

func parseSuffixed(text, suffix, other, want string) (float64, error) {
	number := strings.TrimSuffix(text, suffix)
	if other != "" {
		number = strings.TrimSuffix(number, other)
	}
	v, err := parseNumber(number)
	if err != nil {
		return 0, fmt.Errorf("%q is not %s", text, want)
	}
	return v, nil
}

func parseBytes(text string) (float64, error) {
	number, size := text, 1.0
	for _, s := range []struct {
		suffix string
		size   float64
	}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}} {
		if n, ok := strings.CutSuffix(strings.ToUpper(text), s.suffix); ok {
			number, size = n, s.size
			break
		}
	}
	v, err := parseNumber(number)
	if err != nil {
		return 0, fmt.Errorf("%q is no size; give one such as 4096, 2KB or 1.5GB", text)
	}
	return v * size, nil
}

func parseNumber(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = strconv.ErrRange
	}
	return v, err
}
