package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Value is one number of a result that has a name: what thresholds test and
// comparisons put side by side.
type Value struct {
	Name string
	Unit Unit
	of   func(*Result) (float64, error)
}

// Of returns the value in r. ErrNothing: nothing was measured that could have
// one.
func (v Value) Of(r *Result) (float64, error) { return v.of(r) }

// ErrNothing says that a value does not exist: a quantile of nothing, the memory
// of a server that nobody pointed at.
var ErrNothing = errNothing{}

type errNothing struct{}

func (errNothing) Error() string { return "nothing was measured" }

func counter(name string, of func(*Result) int64) Value {
	return Value{name, Count, func(r *Result) (float64, error) { return float64(of(r)), nil }}
}

func number(name string, unit Unit, of func(*Result) float64) Value {
	return Value{name, unit, func(r *Result) (float64, error) { return of(r), nil }}
}

func ofServer(name string, unit Unit, of func(*Server) float64) Value {
	return Value{name, unit, func(r *Result) (float64, error) {
		if r.Server == nil {
			return 0, ErrNothing
		}
		return of(r.Server), nil
	}}
}

// plain are the values that every result has, in the order in which they are
// listed.
var plain = []Value{
	counter("expected", func(r *Result) int64 { return r.Deliveries.Expected }),
	counter("received", func(r *Result) int64 { return r.Deliveries.Received }),
	counter("lost", func(r *Result) int64 { return r.Deliveries.Lost }),
	counter("duplicated", func(r *Result) int64 { return r.Deliveries.Duplicated }),
	counter("out_of_order", func(r *Result) int64 { return r.Deliveries.OutOfOrder }),
	counter("strangers", func(r *Result) int64 { return r.Deliveries.Strangers }),
	counter("errors", (*Result).Failures),
	counter("opened", func(r *Result) int64 { return r.Sessions.Opened }),
	counter("dropped", func(r *Result) int64 { return r.Sessions.Dropped }),
	counter("reconnects", func(r *Result) int64 { return r.Sessions.Reconnects }),
	counter("planned", func(r *Result) int64 { return r.Schedule.Planned }),
	counter("sent", func(r *Result) int64 { return r.Schedule.Sent }),
	counter("skipped", func(r *Result) int64 { return r.Schedule.Skipped }),
	counter("late", func(r *Result) int64 { return r.Schedule.Late }),
	number("late_ratio", Ratio, func(r *Result) float64 { return per(float64(r.Schedule.Late), float64(r.Schedule.Planned)) }),
	number("worst_lag", Latency, func(r *Result) float64 { return r.Schedule.WorstLag }),
	number("bytes_in", Flow, func(r *Result) float64 { return r.Traffic.BytesInPerSecond }),
	number("bytes_out", Flow, func(r *Result) float64 { return r.Traffic.BytesOutPerSecond }),
	number("packages_in", Rate, func(r *Result) float64 { return r.Traffic.PackagesInPerSecond }),
	number("packages_out", Rate, func(r *Result) float64 { return r.Traffic.PackagesOutPerSecond }),
	number("bot.cores", Cores, func(r *Result) float64 { return r.Generator.Cores }),
	number("bot.rss", Bytes, func(r *Result) float64 { return float64(r.Generator.RSS) }),
	number("bot.cpu_per_push", Micros, func(r *Result) float64 { return r.Generator.CPUPerPushUS }),
	ofServer("server.cores", Cores, func(s *Server) float64 { return s.Cores }),
	ofServer("server.cpu_per_op", Micros, func(s *Server) float64 { return s.CPUPerOpUS }),
	ofServer("server.rss", Bytes, func(s *Server) float64 { return float64(s.RSSEnd) }),
	ofServer("server.rss_per_session", Bytes, func(s *Server) float64 { return s.RSSPerSession }),
}

// Known is what a threshold may name, as it stands before a run.
type Known struct {
	Metrics []string // of the scenario
	Server  bool     // the server's process is known
}

// KnownTo lists what a finished result has.
func KnownTo(r *Result) Known { return Known{Metrics: r.Names(), Server: r.Server != nil} }

// Lookup finds a value by its name: a plain one ("lost", "server.cores") or a
// metric with a statistic ("push.p99", "request[room.join].errors"). The error
// lists what there is.
func (k Known) Lookup(name string) (Value, error) {
	if i := slices.IndexFunc(plain, func(v Value) bool { return v.Name == name }); i >= 0 {
		if strings.HasPrefix(name, "server.") && !k.Server {
			return Value{}, fmt.Errorf("%s is not measured: say which process the server is", name)
		}
		return plain[i], nil
	}
	metric, stat := cutStat(name)
	if !slices.Contains(k.all(), metric) {
		return Value{}, fmt.Errorf("unknown metric %q; there are %s, and %s with %s",
			name, strings.Join(k.plainNames(), ", "), strings.Join(k.all(), ", "), statNames)
	}
	return statOf(name, metric, stat)
}

// cutStat splits "request[room.join].p99.9" behind the metric's name.
func cutStat(name string) (metric, stat string) {
	route := strings.LastIndexByte(name, ']') + 1
	metric, stat, _ = strings.Cut(name[route:], ".")
	return name[:route] + metric, stat
}

// all lists metrics and the families they belong to.
func (k Known) all() []string {
	out := slices.Clone(k.Metrics)
	for _, m := range k.Metrics {
		out = append(out, Family(m))
	}
	slices.SortFunc(out, ByLife)
	return slices.Compact(out)
}

func (k Known) plainNames() []string {
	var out []string
	for _, v := range plain {
		if k.Server || !strings.HasPrefix(v.Name, "server.") {
			out = append(out, v.Name)
		}
	}
	return out
}

// statNames documents what may stand behind a metric's name.
const statNames = ".count, .errors, .error_ratio, .mean, .max or a percentile such as .p50, .p99, .p99.9"

func statOf(name, metric, stat string) (Value, error) {
	of := func(unit Unit, f func(Metric) (float64, error)) (Value, error) {
		return Value{name, unit, func(r *Result) (float64, error) {
			m, ok, err := r.Metric(metric)
			if err != nil {
				return 0, err
			}
			if !ok {
				return 0, ErrNothing
			}
			return f(m)
		}}, nil
	}
	switch stat {
	case "count":
		return of(Count, func(m Metric) (float64, error) { return float64(m.Count), nil })
	case "errors":
		return of(Count, func(m Metric) (float64, error) { return float64(m.Failures()), nil })
	case "error_ratio":
		return of(Ratio, func(m Metric) (float64, error) {
			return per(float64(m.Failures()), float64(m.Count+m.Failures())), nil
		})
	case "mean":
		return of(Latency, func(m Metric) (float64, error) { return m.Mean, m.some() })
	case "max":
		return of(Latency, func(m Metric) (float64, error) { return m.Max, m.some() })
	}
	q, ok := parsePercentile(stat)
	if !ok {
		return Value{}, fmt.Errorf("unknown statistic in %q; a metric has %s", name, statNames)
	}
	return of(Latency, func(m Metric) (float64, error) {
		h, err := m.Hist()
		if err != nil {
			return 0, err
		}
		return quantile(h, q), m.some()
	})
}

// some is the error of statistics that need at least one latency.
func (m Metric) some() error {
	if m.Count == 0 {
		return ErrNothing
	}
	return nil
}

// parsePercentile reads p50, p99.9 and, as it is often written, p999.
func parsePercentile(stat string) (q float64, ok bool) {
	digits, ok := strings.CutPrefix(stat, "p")
	if !ok || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	if len(digits) > 2 && digits != "100" && !strings.Contains(digits, ".") {
		digits = digits[:2] + "." + digits[2:]
	}
	q, err := strconv.ParseFloat(digits, 64)
	return q, err == nil && q > 0 && q <= 100
}
