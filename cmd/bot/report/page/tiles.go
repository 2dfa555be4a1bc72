package page

import (
	"fmt"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// tile is one of the numbers on top of the page.
type tile struct {
	Name, Value, Note string
	Bad               bool
}

// mainFamily is the family of metrics that the run is about.
func mainFamily(r *report.Result) string {
	best := ""
	for name, m := range r.Metrics {
		if m.Count > 0 && (best == "" || report.MoreTelling(name, best)) {
			best = name
		}
	}
	return report.Family(best)
}

func newTiles(r *report.Result) (out []tile, err error) {
	if family := mainFamily(r); family != "" {
		m, _, err := r.Metric(family)
		if err != nil {
			return nil, err
		}
		out = append(out,
			tile{Name: family + " p50", Value: report.Latency.Format(m.P50)},
			tile{Name: family + " p99", Value: report.Latency.Format(m.P99), Note: "worst " + report.Latency.Format(m.Max)})
	}
	if d := r.Deliveries; d.Expected > 0 {
		out = append(out, tile{Name: "lost", Value: fmt.Sprint(d.Lost), Bad: d.Lost > 0, Note: fmt.Sprintf("of %d deliveries", d.Expected)})
	}
	n := r.Failures()
	out = append(out, tile{Name: "errors", Value: fmt.Sprint(n), Bad: n > 0, Note: fmt.Sprintf("%d sessions dropped", r.Sessions.Dropped)})
	if s := r.Server; s != nil {
		out = append(out, tile{Name: "server", Value: report.Cores.Format(s.Cores), Note: report.Micros.Format(s.CPUPerOpUS) + " per " + s.Op})
	}
	return append(out, tile{
		Name: "generator", Value: report.Cores.Format(r.Generator.Cores), Bad: len(r.Warnings()) > 0,
		Note: fmt.Sprintf("%d of %d acts late", r.Schedule.Late, r.Schedule.Planned),
	}), nil
}
