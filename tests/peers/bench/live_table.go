package main

import (
	"fmt"
	"io"
)

// liveSample is what one live load came to.
type liveSample struct {
	Name       string  `json:"name"`
	Deliveries int64   `json:"deliveries"`
	Lost       int64   `json:"lost"`
	Causes     string  `json:"causes,omitempty"` // what the server says of losses
	Faults     int64   `json:"faults"`           // out of order, or in another order than others heard
	Seconds    float64 `json:"seconds"`
	CPUNanos   float64 `json:"cpu_ns_per_delivery"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	Max        float64 `json:"max_ms"`
	PerWrite   float64 `json:"messages_per_write"`
	ResidentMB float64 `json:"resident_mb"`
	Shares     shares  `json:"share_of_machine"`

	load liveLoad
}

func (s *liveSample) perSecond() float64 { return float64(s.Deliveries) / s.Seconds }

// printLive prints the live table.
func printLive(w io.Writer, samples []liveSample) {
	group := ""
	var t table
	flush := func() {
		if t.w != nil {
			t.flush()
		}
	}
	for _, s := range samples {
		if s.load.group != group {
			flush()
			group = s.load.group
			fmt.Fprintf(w, "\n%s\n", group)
			t = newTable(w, "members", "window", "msgs/s in", "deliveries/s", "CPU ns each", "msgs/write", "p50 ms", "p99 ms", "max ms", "server", "bots", "RSS MB", "")
		}
		note := ""
		if goal := s.load.within; goal > 0 {
			note = verdict(s.P99, float64(goal.Milliseconds()), "p99 %.0f ms")
		}
		if s.load.stalled > 0 {
			note += fmt.Sprintf("%d stalled", s.load.stalled)
		}
		if s.Lost+s.Faults > 0 {
			note += fmt.Sprintf(" LOST %d, out of order %d", s.Lost, s.Faults)
		}
		t.row(thousands(s.load.members), s.load.window.String(), thousands(s.load.rate), thousands(int(s.perSecond())),
			fmt.Sprintf("%.0f", s.CPUNanos), perWriteText(spreadOf([]float64{s.PerWrite})),
			fmt.Sprintf("%.1f", s.P50), fmt.Sprintf("%.1f", s.P99), fmt.Sprintf("%.0f", s.Max),
			fmt.Sprintf("%.0f %%", 100*s.Shares.Server), fmt.Sprintf("%.0f %%", 100*s.Shares.Bot), fmt.Sprintf("%.0f", s.ResidentMB), note)
	}
	flush()
}

// liveOutcome is an error when a message was lost or heard out of order.
func liveOutcome(samples []liveSample) error {
	for _, s := range samples {
		if s.Lost+s.Faults > 0 {
			return fmt.Errorf("live, %s: %d deliveries lost, %d out of order; the server counts: %s", s.Name, s.Lost, s.Faults, s.Causes)
		}
	}
	return nil
}
