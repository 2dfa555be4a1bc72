package actors

import (
	"errors"
	"sync"

	"github.com/shaddock-game/shaddock/protocol"
)

// turn is one run of a session through its inbox: what it says in the meantime
// gathers in one buffer and leaves in one write. Turns are pooled, so that a
// session at rest holds none.
type turn struct {
	out  []byte // protocol.Headroom, then whole packages
	ctx  Ctx
	loop bool // it runs on the connection's loop, which must not wait

	// What the data package at hand says, when parsed.
	parsed  bool
	message protocol.Message
	broken  error
	answer  []byte // of a text message: what the codec answers by itself
}

// parse reads the message in a data package, for mayWait and then for data.
func (t *turn) parse(s *Session, body []byte) {
	t.parsed = true
	if s.codec != nil {
		t.parseText(s, body)
		return
	}
	t.message, t.broken = protocol.ParseMessage(body, s.app.table)
}

// mergeLimit is how many bytes gather before they are written: JavaScript clients
// break on much larger WebSocket messages.
const mergeLimit = 48 << 10

// keepLimit is how large a buffer may be to go back to the pool.
const keepLimit = 64 << 10

var turns = sync.Pool{New: func() any { return &turn{out: protocol.AppendHeadroom(make([]byte, 0, 1024))} }}

// flush writes what has gathered.
func (t *turn) flush(s *Session) {
	if len(t.out) > protocol.Headroom {
		s.wire.Write(t.out)
		t.out = t.out[:protocol.Headroom]
	}
}

// free flushes and gives the turn back.
func (t *turn) free(s *Session) {
	t.flush(s)
	t.ctx, t.parsed, t.message, t.broken, t.answer = Ctx{}, false, protocol.Message{}, nil, nil
	if cap(t.out) <= keepLimit {
		turns.Put(t)
	}
}

// end seals the package begun at mark, or takes it back when it is too large, and
// keeps the buffer below the merge limit.
func (t *turn) end(s *Session, start, mark int) error {
	if len(t.out)-start-protocol.HeadLen > protocol.MaxPacketBody {
		t.out = t.out[:start]
		return protocol.Errorf(protocol.CodeInternal, "answer is too large")
	}
	t.out = protocol.EndPacket(t.out, mark)
	if start > protocol.Headroom && len(t.out) > mergeLimit {
		t.split(s, start)
	}
	return nil
}

// split writes the packages before start ahead of the last one.
func (t *turn) split(s *Session, start int) {
	last := t.out[start:]
	s.wire.Write(t.out[:start])
	n := copy(t.out[protocol.Headroom:], last)
	t.out = t.out[:protocol.Headroom+n]
}

func (t *turn) packet(s *Session, typ protocol.PacketType, body []byte) {
	if s.codec != nil {
		return // text clients are kept alive by their own traffic
	}
	start := len(t.out)
	out, mark := protocol.BeginPacket(t.out, typ)
	t.out = append(out, body...)
	_ = t.end(s, start, mark) // packages of the session's own are small
}

// data appends a data package whose body write appends.
func (t *turn) data(s *Session, m protocol.Message, write func(dst []byte) ([]byte, error)) error {
	start := len(t.out)
	out, mark := protocol.BeginPacket(t.out, protocol.Data)
	out, err := protocol.AppendMessage(out, m)
	if err == nil && write != nil {
		out, err = write(out)
	}
	if err != nil {
		t.out = t.out[:start]
		return err
	}
	t.out = out
	return t.end(s, start, mark)
}

func (t *turn) respond(s *Session, r *route, id uint64, v any) {
	if len(s.app.pipeline.Outbound.list) > 0 {
		var err error
		if v, err = s.leave(Outgoing{Route: r.name, ID: id}, r.serializer, v); err != nil {
			t.unsaid(s, r, id, err)
			return
		}
	}
	if s.codec != nil {
		if err := s.sayText(s.codec.AppendReply(nil, r.name, v)); err != nil {
			t.unsaid(s, r, id, err)
		}
		return
	}
	m, ser := protocol.Message{Type: protocol.Response, ID: id}, r.serializer
	var err error
	switch {
	case v != nil:
		err = t.data(s, m, func(dst []byte) ([]byte, error) { return appendBody(ser, dst, v) })
	case ser == protocol.JSON: // JSON.parse("") throws in JavaScript clients
		m.Body = emptyObject
		err = t.data(s, m, nil)
	default:
		err = t.data(s, m, nil)
	}
	if err != nil {
		t.unsaid(s, r, id, err)
	}
}

var emptyObject = []byte("{}")

// unsaid answers for a reply that could not be written, or that a stage refused.
func (t *turn) unsaid(s *Session, r *route, id uint64, err error) {
	if no, is := errors.AsType[refusal](err); is {
		t.refuse(s, r.name, id, no.error)
		return
	}
	s.log().Error("reply could not be written", "route", r.name, "error", err)
	t.refuse(s, r.name, id, protocol.Errorf(protocol.CodeInternal, "internal error"))
}

func (t *turn) respondRaw(s *Session, r *route, id uint64, body []byte) {
	if len(s.app.pipeline.Outbound.list) > 0 {
		t.respond(s, r, id, Raw(body))
		return
	}
	if s.codec != nil {
		s.wire.WriteText(body)
		return
	}
	if err := t.data(s, protocol.Message{Type: protocol.Response, ID: id, Body: body}, nil); err != nil {
		t.refuse(s, r.name, id, err)
	}
}

// refuse answers a request with an error, in the body for clients that do not
// look at the flag.
func (t *turn) refuse(s *Session, route string, id uint64, err error) {
	e := protocol.AsError(err)
	if e.Code == protocol.CodeInternal {
		s.log().Warn("request failed", "error", err)
	}
	s.app.stats.outcome(e.Code)
	if s.codec != nil {
		s.wire.WriteText(s.codec.AppendError(nil, e))
		return
	}
	m := protocol.Message{Type: protocol.Response, ID: id, Error: true}
	if len(s.app.pipeline.Outbound.list) > 0 {
		m.Body = s.errorBody(id, route, e)
		_ = t.data(s, m, nil)
		return
	}
	_ = t.data(s, m, func(dst []byte) ([]byte, error) { return protocol.AppendErrorBody(dst, e), nil }) // short, and nothing to get wrong
}

func (t *turn) push(s *Session, route string, v any) {
	if len(s.app.pipeline.Outbound.list) > 0 {
		var err error
		if v, err = s.leave(Outgoing{Push: true, Route: route}, s.app.cfg.Serializer, v); err != nil {
			s.app.stats.Unwritable.Add(1)
			s.log().Debug("push was not written", "route", route, "error", err)
			return
		}
	}
	if s.codec != nil {
		if err := s.sayText(s.codec.AppendPush(nil, route, v)); err != nil {
			s.app.stats.Unwritable.Add(1)
			s.log().Error("push could not be written", "route", route, "error", err)
		}
		return
	}
	m := protocol.Message{Type: protocol.Push, Route: route}
	if s.compress {
		m.Code = s.app.table.Code(route)
	}
	ser := s.app.cfg.Serializer
	if err := t.data(s, m, func(dst []byte) ([]byte, error) { return appendBody(ser, dst, v) }); err != nil {
		s.app.stats.Unwritable.Add(1)
		s.log().Error("push could not be written", "route", route, "error", err)
	}
}

func appendBody(ser protocol.Serializer, dst []byte, v any) ([]byte, error) {
	if raw, ok := v.(Raw); ok {
		return append(dst, raw...), nil
	}
	return ser.Append(dst, v)
}
