package tests

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// alertRules are the rules that OPERATIONS.md suggests, as far as they matter here.
type alertRules struct {
	Groups []struct {
		Rules []struct{ Alert, Expr string }
	}
}

// measured is a metric of ours in an expression, with what it is to be labelled.
var (
	measured = regexp.MustCompile(`\b(shaddock_\w+)(?:\{([^}]*)\})?`)
	labelled = regexp.MustCompile(`(\w+)(=|!=|=~|!~)("[^"]*")`)
)

// An alert on a metric that nobody emits never fires: those of alerts.yaml, and what
// OPERATIONS.md names, must be among the metrics of a gate and a host, with these labels.
func wantAlertsMeasured(t *testing.T, metrics string) {
	t.Helper()
	text, err := os.ReadFile("../alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file alertRules
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatalf("alerts.yaml: %v", err)
	}
	n := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			n++
			wantMeasured(t, r.Alert, r.Expr, metrics)
		}
	}
	if n < 20 {
		t.Errorf("alerts.yaml has %d rules, want all of them", n)
	}
	guide, err := os.ReadFile("../OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(string(guide), "`") {
		if strings.HasPrefix(name, "shaddock_") && !strings.Contains(name, "*") {
			wantMeasured(t, "OPERATIONS.md", name, metrics)
		}
	}
}

func wantMeasured(t *testing.T, where, expr, metrics string) {
	t.Helper()
	for _, m := range measured.FindAllStringSubmatch(expr, -1) {
		if !hasSample(metrics, m[1], labelled.FindAllStringSubmatch(m[2], -1)) {
			t.Errorf("%s: there is no %s among the metrics", where, m[0])
		}
	}
}

func hasSample(metrics, name string, labels [][]string) bool {
	for line := range strings.Lines(metrics) {
		rest, is := strings.CutPrefix(line, name)
		if !is || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		all := true
		for _, l := range labels {
			want := l[1] + "="
			if l[2] == "=" {
				want += l[3]
			}
			all = all && strings.Contains(rest, want)
		}
		if all {
			return true
		}
	}
	return false
}
