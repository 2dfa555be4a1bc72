package swarm

import (
	"os"

	"github.com/shaddock-game/shaddock/cmd/bot/report"
)

// Result is the report in the form that leaves the bot.
func (r *Report) Result(cfg *Config) *report.Result {
	out := report.New()
	out.Run.Target, out.Run.Scenario, out.Run.Command = r.Addr, r.Scenario, os.Args
	out.Run.Seed, out.Run.Sessions, out.Run.Rooms, out.Run.Rate = cfg.Seed, r.Sessions, r.Rooms, r.Rate
	out.Run.Begin, out.Run.End = r.Begin, r.End
	out.Take(metricNames[:], r.sheet)
	out.Schedule.Planned, out.Schedule.Sent = r.Planned, r.Planned
	out.Schedule.Late, out.Schedule.WorstLag = r.Late, r.WorstLag
	if r.Scenario == "chat" {
		out.Deliveries.Expected, out.Deliveries.Received, out.Deliveries.Lost = r.Owed, r.Received, r.Lost
	} else if r.Lost > 0 {
		m := out.Metrics["request"]
		if m.Errors == nil {
			m.Errors = make(map[string]int64)
		}
		m.Errors["unanswered"] += r.Lost
		out.Metrics["request"] = m
	}
	out.Generator.CPUSeconds = r.BotCPU
	out.Generator.RSS = usage(selfPID).RSS
	if cfg.PID != 0 {
		out.Server = &report.Server{
			CPUSeconds: r.ServerCPU, RSSBefore: r.RSSBefore, RSSConnected: r.RSSAfter,
			RSSEnd: usage(cfg.PID).RSS, RSSPerSession: r.PerSession,
		}
	}
	out.Seal()
	return out
}
