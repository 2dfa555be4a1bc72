package swarm

import (
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
	"github.com/shaddock-game/shaddock/protocol"
)

// step begins one operation. What takes time sets s.wait.
func (s *session) step(h *hand, op *scenario.Op, now int64) {
	switch op.Kind {
	case scenario.OpConnect:
		s.dial(h, op, now)
	case scenario.OpLoop:
		s.loops[op.Depth] = int32(op.Times)
	case scenario.OpNext:
		if left := &s.loops[op.Depth]; op.Times == 0 || *left > 1 {
			*left--
			s.pc = int32(op.Jump)
		}
	case scenario.OpThink:
		s.wait, s.until = forTime, s.due+h.span(op)
		if s.until <= now { // behind its plan: no pause makes up for it
			s.wait, s.due, s.until = forNothing, s.until, 0
		}
	case scenario.OpHTTP:
		s.call(h, op, now)
	case scenario.OpClose:
		s.hangUp(h)
	case scenario.OpExpectEnd:
		if s.link != nil {
			s.wait, s.until = forEnd, now+int64(op.Timeout)
		}
	default:
		if s.link == nil {
			s.fail(h, op, "not connected", now)
			return
		}
		s.speak(h, op, now)
	}
}

// fault counts a failure, of sessions that behave.
func (s *session) fault(h *hand, metric int, code string) {
	if !s.kind.Outlaw {
		h.sheet.Metrics[metric].Fail(code)
	}
}

// fail accounts for a step that could not be done.
func (s *session) fail(h *hand, op *scenario.Op, code string, now int64) {
	metric := op.Metric
	if metric < 0 {
		metric = scenario.MetricDrop
	}
	s.fault(h, metric, code)
	s.abort(h, now)
}

// speak begins an operation that needs the connection.
func (s *session) speak(h *hand, op *scenario.Op, now int64) {
	switch op.Kind {
	case scenario.OpRequest:
		s.ask(h, op, now)
	case scenario.OpNotify:
		s.say(h, op, 0, now)
		if op.Enter {
			s.enter(h, now)
		}
		if op.Leave {
			s.inbox.Leave()
		}
	case scenario.OpExpect:
		s.expect(h, op, now)
	case scenario.OpStall:
		s.inbox.Leave() // who does not listen has no claim
		s.link.stalled = true
		if d := h.span(op); d > 0 {
			s.wait, s.until = forReading, now+d
		}
	case scenario.OpRaw:
		h.begin()
		h.buf = append(h.buf, op.Raw...)
		h.send(s)
	}
}

// span draws the length of a pause, in nanoseconds.
func (h *hand) span(op *scenario.Op) int64 {
	if op.Max <= op.Min {
		return int64(op.Min)
	}
	return int64(op.Min) + h.env.Rand.Int64N(int64(op.Max-op.Min)+1)
}

// ask sends a request. The last one of an act is not waited for: the session is
// free for the next act, as a client that pipelines is.
func (s *session) ask(h *hand, op *scenario.Op, now int64) {
	s.lastID++
	id := s.lastID
	s.say(h, op, id, now)
	s.asked = append(s.asked, asked{op: op, id: id, due: s.due, until: now + int64(op.Timeout)})
	h.sums.asked++
	if s.stage == inAct && int(s.pc) == len(s.ops) {
		return
	}
	s.wait, s.waitID = forAnswer, id
}

// say sends the message of op; id is 0 for a notify.
func (s *session) say(h *hand, op *scenario.Op, id uint32, now int64) {
	s.said = s.due
	s.stash = s.stash[:0]
	h.speak(s, now)
	if op.Publish {
		s.mark(h, op)
	}
	if h.worker.scen.Text {
		h.body = op.Body.Append(h.body[:0], &h.env)
		h.sheet.Add(measure.PackagesOut, 1)
		h.sheet.Add(measure.BytesOut, len(h.body))
		s.link.conn.WriteText(h.body)
		return
	}
	m := protocol.Message{Type: protocol.Notify, Route: op.Route, Code: h.worker.code(op.Route)}
	if id != 0 {
		m.Type, m.ID = protocol.Request, uint64(id)
	}
	h.begin()
	var at int
	h.buf, at = protocol.BeginPacket(h.buf, protocol.Data)
	h.buf, _ = protocol.AppendMessage(h.buf, m) // the loader has refused routes that are too long
	if codec := h.worker.bodies; codec != nil {
		h.body = op.Body.Append(h.body[:0], &h.env)
		s.encode(h, codec, op)
	} else {
		h.buf = op.Body.Append(h.buf, &h.env)
	}
	h.buf = protocol.EndPacket(h.buf, at)
	h.send(s)
}

// encode appends the body as protobuf.
func (s *session) encode(h *hand, codec *bodies, op *scenario.Op) {
	b, err := codec.encode(h.buf, op.Route, h.body)
	if err != nil {
		h.worker.report(err.Error())
		s.fault(h, scenario.MetricDrop, "not encodable")
	}
	h.buf = b
}

// mark makes the message a publication of s in its room.
func (s *session) mark(h *hand, op *scenario.Op) {
	w := h.worker
	m := measure.Mark{Run: w.run, Worker: uint8(w.index), Sender: s.number, Room: s.room, Planned: s.due - w.epoch}
	if op.Sampled {
		m.Seq = s.acts
	} else {
		m.Seq = w.ledger.Publish(s.room)
		h.sheet.Add(measure.Published, 1)
		h.sums.expected += int64(w.members[s.room])
	}
	h.env.Mark = m
}

// enter opens the session's account of its room.
func (s *session) enter(h *hand, now int64) {
	w := h.worker
	if s.inbox.Member() && !w.layout.shared() {
		b := s.inbox.Settle(w.ledger, nil) // dropped and back: what was missed stays missed
		w.banked.Lock()
		w.banked.Owed += b.Owed
		w.banked.Received += b.Received
		w.banked.Unlock()
	}
	s.inbox.Join(w.ledger, s.room, now)
	if w.beginAt.Load() == 0 && !w.early {
		s.inbox.Fresh()
	}
}

// dial opens the connection.
func (s *session) dial(h *hand, op *scenario.Op, now int64) {
	if s.link != nil {
		return
	}
	l := &link{session: s, began: s.due, bare: op.Bare}
	conn, err := s.shard.client.Dial(s.url, h.worker.dialOptions(), l)
	if err != nil {
		h.worker.report(err.Error())
		s.fail(h, &scenario.Op{Metric: scenario.MetricConnect}, "address", now)
		return
	}
	// The callbacks of l wait for the lock of s.
	l.conn, s.link = conn, l
	s.wait, s.until = forOpen, now+int64(h.worker.Dial+time.Second)
}
