package report

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestThresholds(t *testing.T) {
	r := example(1, 1)
	// request: 599 answers, 3 errors; push: p50 5.9 ms, p99 25.9 ms, max 40.5 ms.
	for _, test := range []struct {
		text     string
		breached bool
	}{
		{"lost>0", true},
		{"lost > 9", true},
		{"lost>=10", true},
		{"lost>10", false},
		{"lost==10", true},
		{"lost!=10", false},
		{"lost<=10", true},
		{"received<4990", false},
		{"errors>3", true},
		{"errors>4", false},
		{"dropped>0", true},
		{"push.p50>5ms", true},
		{"push.p50 > 6 ms", false},
		{"push.p99>25ms", true},
		{"push.p99>0.025s", true},
		{"push.p99>26ms", false},
		{"push.p99.9>36ms", true},
		{"push.p999>36ms", true},
		{"push.p99.9>37ms", false},
		{"push.p100>40ms", true},
		{"push[onMessage].p99>25ms", true},
		{"push.max>1m", false},
		{"push.mean<7ms", false},
		{"request.count<599", false},
		{"request.count<600", true},
		{"request[room.join].count<100", true},
		{"request[room.join].errors>0", false},
		{"request.errors>2", true},
		{"request.error_ratio>1%", false},
		{"request.error_ratio>0.4%", true},
		{"request.error_ratio>0.004", true},
		{"late_ratio>0.3%", true},
		{"worst_lag>7ms", true},
		{"packages_in<600/s", false},
		{"packages_in<601", true},
		{"bytes_in>97KB/s", true},
		{"bytes_in>98KB", false},
		{"bot.cores>0.2", true},
		{"server.cpu_per_op>1003us", false}, // 5 s over 4990 deliveries
		{"server.cpu_per_op>1003", false},
		{"server.cpu_per_op>1001µs", true},
		{"server.rss>11MB", true},
		{"server.rss>12MB", false},
		{"server.rss_per_session>10KB", true},
	} {
		th, err := ParseThreshold(test.text, KnownTo(r))
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if why, breached := th.Breach(r); breached != test.breached {
			t.Errorf("%s breached = %t, want %t (%s)", test.text, breached, test.breached, why)
		}
	}
}

func TestThresholdsThatMakeNoSense(t *testing.T) {
	known := Known{Metrics: []string{"connect", "request[room.join]", "request[a>b]", "push[onMessage]"}}
	for text, want := range map[string]string{
		"":                          "not of the form",
		"lost":                      "not of the form",
		"lost>":                     "not of the form",
		">0":                        "not of the form",
		"lost=0":                    "not of the form",
		"losses>0":                  "unknown metric",
		"push":                      "not of the form",
		"push>3":                    "unknown statistic",
		"push.p>3ms":                "unknown statistic",
		"push.p0>3ms":               "unknown statistic",
		"push.p101.5>3ms":           "unknown statistic",
		"push.median>3ms":           "unknown statistic",
		"push.p99>100":              "give one such as 100ms",
		"push.p99>fast":             "give one such as 100ms",
		"push.count>3ms":            "plain numbers",
		"lost>0ms":                  "plain numbers",
		"lost>NaN":                  "plain numbers",
		"request.error_ratio>x%":    "no share",
		"request[room.leave].p99>1": "unknown metric",
		"heartbeat.p99>1ms":         "unknown metric",
		"server.rss>1MB":            "say which process",
	} {
		_, err := ParseThreshold(text, known)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseThreshold(%q) = %v, want an error with %q", text, err, want)
		}
	}
	if _, err := ParseThreshold("request[a>b].p99>1ms", known); err != nil {
		t.Errorf("a route with an operator in it: %v", err)
	}
}

func TestAnUnknownMetricListsTheKnownOnes(t *testing.T) {
	_, err := ParseThreshold("pushes.p99>1ms", Known{Metrics: []string{"connect", "push[onMessage]"}})
	for _, want := range []string{"lost", "connect", "push,", "push[onMessage]", "p99", "bot.cores"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "server.") {
		t.Errorf("the error offers what is not measured: %v", err)
	}
}

func TestNothingMeasuredIsABreach(t *testing.T) {
	r := example(1, 1)
	r.Server = nil
	th, err := ParseThresholds([]string{"heartbeat.p99>1s", "heartbeat.max<1h", "heartbeat.errors>0"}, KnownTo(r))
	if err != nil {
		t.Fatal(err)
	}
	if got := Breaches(r, th); len(got) != 2 || !strings.Contains(got[0], ErrNothing.Error()) {
		t.Errorf("breaches %q, want the two latencies: an empty metric keeps none of them", got)
	}
	v, err := Known{Server: true}.Lookup("server.rss")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Of(r); !errors.Is(err, ErrNothing) {
		t.Errorf("memory of no server: %v, want ErrNothing", err)
	}
}

func TestAllErrorsOfThresholdsAreToldAtOnce(t *testing.T) {
	_, err := ParseThresholds([]string{"a>1", "lost>0", "b>1"}, Known{})
	if err == nil || !strings.Contains(err.Error(), `"a>1"`) || !strings.Contains(err.Error(), `"b>1"`) {
		t.Errorf("got %v, want both", err)
	}
}

func TestDefaultThresholdsParseForAnyScenarioAndPassACleanRun(t *testing.T) {
	th, err := ParseThresholds(DefaultThresholds(), Known{})
	if err != nil {
		t.Fatal(err)
	}
	r := New()
	r.Metrics["push[x]"] = metricOf(latencies(1, 10, time.Millisecond), nil)
	if got := Breaches(r, th); got != nil {
		t.Errorf("a clean run breaches %q", got)
	}
	r.Metrics["push[x]"] = metricOf(nil, map[string]int64{"timeout": 1})
	if got := Breaches(r, th); !slices.Equal(got, []string{"errors>0: it was 1"}) {
		t.Errorf("breaches %q, want the error", got)
	}
}
