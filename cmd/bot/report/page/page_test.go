package page

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// result is a run of four seconds, of which the middle two are measured.
func result() *report.Result {
	r := report.New()
	r.Run.Target, r.Run.Scenario = "ws://127.0.0.1:3250/nano", "chat"
	r.Run.Begin = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	r.Run.End = r.Run.Begin.Add(2 * time.Second)
	push := measure.Metric{Errors: map[string]int64{"malformed": 2}}
	for i := range 1000 {
		push.Record(int64(i+1) * 1e5) // 0.1 to 100 ms
	}
	r.Metrics["push[onMessage]"] = report.NewMetric(&push)
	r.Metrics["handshake"] = report.NewMetric(&measure.Metric{})
	second := map[string]report.Moment{"push[onMessage]": {Count: 500, Errors: 1, P50: 50, P90: 90, P99: 99, Max: 100}}
	r.Series = []report.Sample{
		{At: 1, Seconds: 1, Phase: report.Connecting},
		{At: 2, Seconds: 1, Phase: report.Measuring, Sent: 5, Delivered: 500, Metrics: second},
		{At: 3, Seconds: 1, Phase: report.Measuring, Sent: 5, Delivered: 500, Metrics: second},
		{At: 3.5, Seconds: 0.5, Phase: report.Draining, Delivered: 10},
	}
	r.Seal()
	return r
}

func write(t *testing.T, r *report.Result, breaches ...string) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, breaches); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// data returns what the page's script will read.
func data(t *testing.T, html string) (c charts) {
	t.Helper()
	text := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(html)
	if text == nil {
		t.Fatal("the page carries no data")
	}
	if err := json.Unmarshal([]byte(text[1]), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// A page that is mailed around must not ask anybody for anything.
func TestThePageNamesNoAddressButTheTarget(t *testing.T) {
	r := result()
	html := write(t, r, "lost>0: it was 3")
	addresses := regexp.MustCompile(`\w+://[^\s"'<)]*`).FindAllString(html, -1)
	for _, a := range addresses {
		if a != r.Run.Target {
			t.Errorf("the page names %s", a)
		}
	}
	if len(addresses) == 0 {
		t.Error("not even the target is named: does this test look at anything?")
	}
	for _, ask := range []string{"src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest", "<link", "<iframe"} {
		if strings.Contains(html, ask) {
			t.Errorf("the page has %q", ask)
		}
	}
	if !strings.Contains(html, "default-src 'none'") {
		t.Error("no policy forbids the page to load anything")
	}
}

func TestThePageShowsTheRun(t *testing.T) {
	html := write(t, result(), "push.p99>1ms: it was 99 ms")
	for _, want := range []string{
		"<b>Breached</b> push.p99&gt;1ms: it was 99 ms", "push[onMessage]", "malformed: 2", "var uPlot=", "prefers-color-scheme: dark",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(html, "ZgotmplZ") {
		t.Error("the template filtered something out")
	}
}

func TestChartsOfARun(t *testing.T) {
	c := data(t, write(t, result()))
	if !slices.Equal(c.At, []float64{1, 2, 3, 3.5}) || *c.From != 1 || *c.Until != 3 || c.Main != "push[onMessage]" {
		t.Errorf("at %v, measured from %v to %v, main %q", c.At, *c.From, *c.Until, c.Main)
	}
	p50 := c.Latency["push[onMessage]"].P50
	if len(p50) != 4 || p50[0] != nil || *p50[1] != 50 || p50[3] != nil {
		t.Errorf("p50 over time %v: want nothing where nothing came", p50)
	}
	if got := c.Throughput[0]; got.Name != "deliveries" || !slices.Equal(got.Values, []float64{0, 500, 500, 20}) {
		t.Errorf("throughput %v, want deliveries per second", got)
	}
	if len(c.Errors) != 1 || c.Errors[0].Name != "errors" || c.Errors[0].Values[1] != 1 {
		t.Errorf("errors %v, want those of pushes and no empty series", c.Errors)
	}
}

// A thousand latencies, evenly from 0.1 to 100 ms: half lie below 50, a tenth
// above 90, and nothing is known beyond the 99.9th percentile.
func TestTheCurveGoesAsFarAsItsCount(t *testing.T) {
	curves := data(t, write(t, result())).Curves
	if len(curves) != 1 {
		t.Fatalf("%d curves, want the one with latencies", len(curves))
	}
	c := curves[0]
	if last := c.X[len(c.X)-1]; last < 2.999 || last > 3.001 {
		t.Errorf("the curve ends at %g nines, want 3", last)
	}
	for i, x := range c.X {
		if x == 1 && (c.Y[i] < 89 || c.Y[i] > 91) {
			t.Errorf("p90 is drawn at %g ms", c.Y[i])
		}
	}
	if !slices.IsSorted(c.Y) || c.Y[len(c.Y)-1] < 99 {
		t.Errorf("the curve does not rise to the maximum: %v", c.Y)
	}
}

func TestNamesCannotBreakOutOfThePage(t *testing.T) {
	r := result()
	r.Run.Scenario = `</script><script>alert(1)</script>`
	r.Run.Command = []string{"bot", "--user", `{"a":"it's"}`}
	evil := `push[</script><script>alert(2)]`
	r.Metrics[evil] = r.Metrics["push[onMessage]"]
	r.Series[1].Metrics = map[string]report.Moment{evil: {Count: 1, P50: 1}}
	html := write(t, r)
	if strings.Contains(html, "<script>alert") {
		t.Error("a name became a script")
	}
	if _, ok := data(t, html).Latency[evil]; !ok {
		t.Error("the odd name got lost on its way to the charts")
	}
	if !strings.Contains(html, `bot --user &#39;{&#34;a&#34;:&#34;it&#39;\&#39;&#39;s&#34;}&#39;`) {
		t.Error("the command line is not quoted for a shell")
	}
}

func TestAnEmptyRunHasAPage(t *testing.T) {
	r := report.New()
	r.Seal()
	if c := data(t, write(t, r)); c.From != nil || len(c.Curves) != 0 {
		t.Errorf("charts of nothing: %+v", c)
	}
}
