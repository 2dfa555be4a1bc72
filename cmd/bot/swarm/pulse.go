package swarm

import (
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
	"github.com/shaddock-game/shaddock/protocol"
)

// pulse keeps a connection alive and times the answers. Servers differ: some
// answer every heartbeat, some send theirs by the clock whatever arrives. Ours go
// out half an interval after the server's clock began to run, and an answer must
// come within a quarter: what comes later was not one.
type pulse struct {
	every   time.Duration
	next    int64
	sent    int64 // 0: answered, or given up
	answers bool  // this server has answered before
}

// textPulse is how often a JSON text session says PING.
const textPulse = 25 * time.Second

// begin starts the pulse of a connection that has opened.
func (p *pulse) begin(every time.Duration, now int64) {
	if p.every = every; every > 0 {
		p.next = now + int64(every)/2
	}
}

// tick beats when it is time.
func (p *pulse) tick(h *hand, s *session, now int64) {
	if p.next == 0 || p.next > now {
		return
	}
	if p.sent != 0 && p.answers {
		s.fault(h, scenario.MetricHeartbeat, "unanswered")
	}
	p.sent = now
	p.next = max(p.next+int64(p.every), now+int64(p.every)/2)
	if h.worker.scen.Text {
		const ping = `{"type":"PING"}`
		h.sheet.Add(measure.PackagesOut, 1)
		h.sheet.Add(measure.BytesOut, len(ping))
		s.link.conn.WriteText([]byte(ping))
		return
	}
	h.packet(s, protocol.Heartbeat, nil)
}

// heard takes a heartbeat of the server.
func (p *pulse) heard(h *hand, now int64) {
	if p.sent == 0 {
		return
	}
	if took := now - p.sent; took < int64(p.every)/4 {
		p.answers = true
		h.sheet.Metrics[scenario.MetricHeartbeat].Record(took)
	}
	p.sent = 0
}
