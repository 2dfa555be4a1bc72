package swarm

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
	"github.com/shaddock-game/shaddock/protocol"
)

// heard is a push that an expect may ask for.
type heard struct {
	route string
	body  []byte
	at    int64
}

// stashMax bounds what is kept for a later expect: the oldest go first.
const stashMax = 8

func (s *session) message(h *hand, body []byte, now int64) {
	m, err := protocol.ParseMessage(body, h.worker.routes.Load())
	switch {
	case err != nil:
		s.fault(h, scenario.MetricDrop, "malformed")
	case m.Type == protocol.Response:
		s.answer(h, &m, now)
	case m.Type == protocol.Push:
		s.pushed(h, m.Route, m.Body, now)
	}
}

// pushed takes one push. It runs for every message to every member.
func (s *session) pushed(h *hand, route string, body []byte, now int64) {
	h.sheet.Add(measure.Pushes, 1)
	push, known := h.worker.scen.Pushes[route]
	marked := false
	if known {
		for rest := body; ; {
			mark, after, ok := measure.CutMark(rest)
			if !ok {
				break
			}
			marked, rest = true, after
			s.delivered(h, push, mark, now)
		}
	}
	if !marked {
		h.sums.noise++ // who came and who went
		if route == protocol.AwayRoute {
			s.goAway(h, body, now)
		}
	}
	if len(h.worker.awaited) > 0 {
		s.listen(h, heard{route, body, now}, now)
	}
}

// delivered accounts for one publication.
func (s *session) delivered(h *hand, push scenario.Push, mark measure.Mark, now int64) {
	w := h.worker
	if mark.Run != w.run || mark.Room != s.room {
		h.sheet.Add(measure.Strangers, 1)
		return
	}
	if !push.Sampled {
		if !s.inbox.Member() {
			return // on its way while we joined or left
		}
		switch s.inbox.Receive(mark, uint8(w.index)) {
		case measure.Repeated:
			h.sheet.Add(measure.Duplicated, 1)
			return // must not stand in for one that is still on its way
		case measure.Reordered:
			h.sheet.Add(measure.OutOfOrder, 1)
		}
		h.sheet.Add(measure.Delivered, 1)
		h.sums.delivered++
	}
	if planned := mark.Planned + w.epoch; planned >= w.measureFrom.Load() {
		h.sheet.Metrics[push.Metric].Record(now - planned)
	}
}

// answer takes the response to a request.
func (s *session) answer(h *hand, m *protocol.Message, now int64) {
	i := 0
	for i < len(s.asked) && uint64(s.asked[i].id) != m.ID {
		i++
	}
	if i == len(s.asked) {
		h.sheet.Add(measure.Strangers, 1) // nobody asked, or it was given up
		return
	}
	a := s.asked[i]
	s.forget(i)
	h.sums.answered++
	awaited := s.wait == forAnswer && s.waitID == a.id
	body, code := m.Body, ""
	if codec := h.worker.bodies; codec != nil && !m.Error && (a.op.Checks != nil || a.op.Binds != nil) {
		body, code = codec.decode(a.op.Route, body)
	}
	if m.Error {
		code = errorCode(body)
	} else if code == "" {
		code = s.judge(h, a.op, body)
	}
	if code != "" {
		s.fault(h, a.op.Metric, code)
		if s.stage == inSetup {
			h.worker.report("request " + a.op.Route + " in the setup: " + code + " " + string(body[:min(len(body), 200)]))
		}
		if awaited {
			s.abort(h, now)
		}
		return
	}
	s.record(h, a.op.Metric, a.due, now)
	s.took(h, a.op, now)
	if awaited {
		s.resume(h, now)
	}
}

// took does what success means for the membership.
func (s *session) took(h *hand, op *scenario.Op, now int64) {
	if op.Enter {
		s.enter(h, now)
	}
	if op.Leave {
		s.inbox.Leave()
	}
}

// judge compares a body with what the step expects and binds what it asks for.
// "" is well.
func (s *session) judge(h *hand, op *scenario.Op, body []byte) string {
	for _, c := range op.Checks {
		raw, ok := lookup(body, c.Path)
		var got any
		if !ok || json.Unmarshal(raw, &got) != nil || !reflect.DeepEqual(got, c.Want) {
			return "unexpected"
		}
	}
	for _, b := range op.Binds {
		raw, ok := lookup(body, b.Path)
		if !ok {
			return "unexpected"
		}
		if s.vars == nil {
			s.vars = make([][]byte, len(h.worker.scen.Vars))
		}
		s.vars[b.Slot] = bytes.Clone(raw)
	}
	return ""
}

// lookup finds the value at a path: members by name, elements by number.
func lookup(body []byte, path []string) (json.RawMessage, bool) {
	at := json.RawMessage(body)
	for _, name := range path {
		if n, err := strconv.Atoi(name); err == nil && len(at) > 0 && at[0] == '[' {
			var list []json.RawMessage
			if json.Unmarshal(at, &list) != nil || n < 0 || n >= len(list) {
				return nil, false
			}
			at = list[n]
			continue
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(at, &members) != nil {
			return nil, false
		}
		var ok bool
		if at, ok = members[name]; !ok {
			return nil, false
		}
	}
	return at, json.Valid(at)
}

// errorCode is the number in an error answer.
func errorCode(body []byte) string {
	var e struct{ Code json.Number }
	if json.Unmarshal(body, &e) != nil || e.Code == "" {
		return "error"
	}
	return e.Code.String()
}

// expect waits for a push, which may have come already: behind the session's
// last message, and before the step.
func (s *session) expect(h *hand, op *scenario.Op, now int64) {
	s.wait, s.until = forPush, now+int64(op.Timeout)
	for i := range s.stash {
		if got := s.stash[i]; got.route == op.Route && s.judge(h, op, got.body) == "" {
			s.stash = s.stash[:0]
			s.met(h, op, got.at, now)
			return
		}
	}
}

// met ends an expect that was met at the moment at.
func (s *session) met(h *hand, op *scenario.Op, at, now int64) {
	s.record(h, op.Metric, s.said, at)
	s.took(h, op, now)
	s.wait, s.until, s.due = forNothing, 0, now
}

// listen shows a push to the step that waits for one, or keeps it.
func (s *session) listen(h *hand, got heard, now int64) {
	if s.wait == forPush {
		op := &s.ops[s.pc-1]
		if got.route == op.Route && s.judge(h, op, got.body) == "" {
			s.met(h, op, now, now)
			s.advance(h, now)
		}
		return
	}
	if s.ops == nil || !h.worker.awaited[got.route] {
		return
	}
	if len(s.stash) == stashMax {
		s.stash = append(s.stash[:0], s.stash[1:]...)
	}
	got.body = bytes.Clone(got.body)
	s.stash = append(s.stash, got)
}
