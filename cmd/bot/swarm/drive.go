package swarm

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/pace"
	"github.com/shaddock-game/shaddock/cmd/bot/report"
	"github.com/shaddock-game/shaddock/protocol"
)

// paced is what the schedule came to.
type paced struct {
	planned, sent, late int64
	worst               time.Duration // behind the plan
	expect              int64         // deliveries or answers that are owed
}

// lateAfter is how far behind its plan an act may begin before it counts as late.
const lateAfter = 5 * time.Millisecond

// drive acts as the schedule says until it ends.
func (w *swarm) drive(ctx context.Context) (p paced) {
	if w.cfg.Scenario == "idle" {
		w.wait(ctx, w.cfg.Duration)
		return p
	}
	plan := pace.New([]pace.Stage{{For: w.cfg.Duration, From: w.cfg.Rate, To: w.cfg.Rate, Arrivals: pace.Constant}}, w.cfg.Seed, 0, 1)
	rng := rand.New(rand.NewPCG(w.cfg.Seed, 0))
	perRoom := make([]int64, w.cfg.Rooms)
	for _, s := range w.sessions {
		perRoom[s.room]++
	}
	start, buf := time.Now(), make([]byte, 0, 512)
	live := newLive(w, start)
	for ctx.Err() == nil {
		at, ok := plan.Next()
		if !ok {
			return p
		}
		p.planned++
		due := start.Add(at)
		if d := time.Until(due); d > 0 {
			live.show(&p)
			time.Sleep(d)
		}
		behind := time.Since(due)
		if p.worst = max(p.worst, behind); behind > lateAfter {
			p.late++
		}
		s := w.sessions[rng.IntN(len(w.sessions))]
		buf = w.act(s, buf[:0], due)
		p.sent++
		if w.cfg.Scenario == "chat" {
			p.expect += perRoom[s.room]
		} else {
			p.expect++
		}
	}
	return p
}

// act sends one message of s, planned for due.
func (w *swarm) act(s *session, buf []byte, due time.Time) []byte {
	mark := measure.Mark{Run: w.run, Sender: s.number, Room: s.room, Planned: w.clock.Of(due) - w.born}
	buf = protocol.AppendHeadroom(buf)
	m := protocol.Message{Type: protocol.Request, ID: 2, Route: "room.echo"}
	body := make([]byte, 0, 96)
	if w.cfg.Scenario == "chat" {
		m = protocol.Message{Type: protocol.Notify, Route: "room.message"}
		mark.Seq = w.ledger.Publish(s.room)
		body = append(body, `{"name":"bot","content":"`...)
	} else {
		body = append(body, `{"content":"`...)
	}
	m.Body = append(measure.AppendMark(body, mark), `"}`...)
	buf = appendMessage(buf, m)
	s.conn.Write(buf)
	return buf
}

// drain waits for what is still on its way.
func (w *swarm) drain(ctx context.Context, p paced) {
	deadline := time.Now().Add(w.cfg.Grace)
	for w.arrived() < p.expect && time.Now().Before(deadline) && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
}

// live tells the watcher, about once a second.
type live struct {
	swarm       *swarm
	start, last time.Time
	before      int64
	own         paced
	cpu         time.Duration
}

func newLive(w *swarm, start time.Time) *live {
	return &live{swarm: w, start: start, last: start, cpu: usage(selfPID).CPU()}
}

func (l *live) show(p *paced) {
	now := time.Now()
	since := now.Sub(l.last)
	if since < time.Second || l.swarm.cfg.Watch == nil {
		return
	}
	n, own := l.swarm.arrived(), usage(selfPID)
	l.swarm.cfg.Watch(report.Sample{
		At: now.Sub(l.start).Seconds(), Seconds: since.Seconds(), Phase: report.Measuring, Sessions: l.swarm.ready.Load(),
		Planned: p.planned - l.own.planned, Sent: p.sent - l.own.sent, Late: p.late - l.own.late,
		Delivered: n - l.before, Outstanding: p.expect - n,
		BotCores: (own.CPU() - l.cpu).Seconds() / since.Seconds(), BotRSS: own.RSS,
	})
	l.last, l.before, l.own, l.cpu = now, n, *p, own.CPU()
}
