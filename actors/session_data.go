package actors

import (
	"fmt"
	"net/netip"
	"reflect"
	"runtime/debug"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Hello is what a handshake validator gets to see.
type Hello struct {
	protocol.HandshakeRequest
	Remote netip.AddrPort // zero for an in-memory client
}

// handshake answers the first package of a client. The validator may block: it
// runs on the session's own goroutine.
func (s *Session) handshake(t *turn, body []byte) {
	hello := Hello{Remote: s.wire.RemoteAddr()}
	var err error
	if hello.HandshakeRequest, err = protocol.ParseHandshake(body); err != nil {
		s.turnAway(t, &hello, protocol.CodeBadRequest, "bad handshake")
		return
	}
	if validate := s.app.cfg.Validate; validate != nil {
		user, err := s.validate(validate, &hello)
		if err != nil {
			code, e := protocol.CodeHandshakeRefused, protocol.AsError(err)
			if e.Code == protocol.CodeClientTooOld {
				code = e.Code
			}
			s.turnAway(t, &hello, code, e.Msg)
			return
		}
		if user != nil {
			s.rare().user = user
		}
	}
	s.compress = hello.MayCompress()
	cfg := &s.app.cfg
	s.greet(t, &hello, protocol.HandshakeResponse{
		Heartbeat: cfg.Heartbeat, ServerTime: time.Now(), Serializer: cfg.Serializer.Name(),
		Routes: s.app.table, User: s.validated(),
	})
}

func (s *Session) validate(f func(*Hello) (any, error), hello *Hello) (user any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked("handshake validator", p)
		}
	}()
	return f(hello)
}

func (s *Session) turnAway(t *turn, hello *Hello, code protocol.Code, msg string) {
	s.greet(t, hello, protocol.HandshakeResponse{Code: code, Msg: msg})
	t.flush(s)
	s.state.close(protocol.ReasonHandshakeRefused)
	s.wire.Close(protocol.ReasonHandshakeRefused)
}

func (s *Session) greet(t *turn, hello *Hello, res protocol.HandshakeResponse) {
	start := len(t.out)
	out, mark := protocol.BeginPacket(t.out, protocol.Handshake)
	out, err := protocol.AppendHandshakeResponse(out, &hello.HandshakeRequest, res)
	if err != nil { // what the validator returned cannot be written
		s.log().Error("handshake could not be answered", "error", err)
		s.state.close(protocol.ReasonInternal)
		s.wire.Close(protocol.ReasonInternal)
		return
	}
	t.out = out
	_ = t.end(s, start, mark) // small
}

// data handles one message of the client.
func (s *Session) data(t *turn, body []byte) {
	if !t.parsed {
		t.parse(s, body)
	}
	m, err := t.message, t.broken
	t.parsed = false
	if err != nil || (m.Type != protocol.Request && m.Type != protocol.Notify) {
		s.app.stats.Malformed.Add(1)
		s.log().Debug("message refused", "error", err, "type", m.Type)
		s.state.close(protocol.ReasonProtocol)
		s.farewell(t, protocol.ReasonProtocol, "")
		return
	}
	if m.Type == protocol.Notify {
		m.ID = 0
	}
	if err := s.admit(t, len(body)); err != nil {
		s.reject(t, &m, err, &s.app.stats.Limited)
		return
	}
	r := s.find(t, &m)
	if r == nil {
		return
	}
	if m.Deflated {
		if m.Body, err = protocol.Inflate(nil, m.Body, maxInflated); err != nil {
			s.reject(t, &m, protocol.Errorf(protocol.CodeBadRequest, "bad zlib body"), &s.app.stats.NotifyErrors)
			return
		}
	}
	s.call(t, r, &m, true)
}

// find returns the route that a client's message may reach; else nil, and the
// message is rejected.
func (s *Session) find(t *turn, m *protocol.Message) *route {
	r := s.app.routes[m.Route]
	switch {
	case r == nil || r.internal:
		s.reject(t, m, protocol.Errorf(protocol.CodeNoRoute, "no route %s", routeName(m)), &s.app.stats.NoRoute)
		return nil
	case r.limit.n > 0 && !s.within(r):
		s.reject(t, m, protocol.Errorf(protocol.CodeLimited, "too many messages for %s", r.name), &s.app.stats.Limited)
		return nil
	}
	return r
}

// maxInflated bounds what a compressed body may grow to.
const maxInflated = 64 << 10

// admit spends the client's allowance of messages and bytes.
func (s *Session) admit(t *turn, size int) error {
	now, cfg := s.app.since(), &s.app.cfg
	ok, abused := true, false
	if cfg.Rate > 0 {
		ok, abused = s.rate.take(now, float32(cfg.Rate), 1)
	}
	if ok && cfg.ByteRate > 0 {
		ok, abused = s.bytes.take(now, float32(cfg.ByteRate), float32(size))
	}
	if abused && s.state.close(protocol.ReasonRateLimited) == actClose {
		s.farewell(t, protocol.ReasonRateLimited, "")
	}
	if !ok {
		return protocol.Errorf(protocol.CodeLimited, "too many messages")
	}
	return nil
}

// reject answers a request that reaches no handler; a notify is counted by cause.
func (s *Session) reject(t *turn, m *protocol.Message, err error, cause counter) {
	cause.Add(1)
	if m.ID != 0 && s.state.phase == phaseWorking {
		t.refuse(s, m.Route, m.ID, err)
	}
}

// call runs the handler, behind the inbound stages for what a client has sent. A
// panic answers 500 and the session lives on.
func (s *Session) call(t *turn, r *route, m *protocol.Message, staged bool) {
	c := &t.ctx
	*c = Ctx{turn: t, s: s, route: r, id: m.ID, now: time.Now()}
	defer func() {
		if c.scope != nil {
			c.scope.cancel()
		}
		if p := recover(); p != nil {
			err := s.panicked(r.name, p)
			if s.waiting.pending {
				s.answer(t, &Answer{Token: Token{s.waiting.token}, Err: err})
				return
			}
			c.ReplyError(err)
		}
	}()
	in := Inbound{Request: m.ID != 0, Body: m.Body}
	if staged && len(s.app.pipeline.Inbound.list) > 0 {
		var ok bool
		if in, ok = c.pass(in); !ok {
			return
		}
	}
	r.handle(c, in)
	if !c.answered {
		c.Reply(nil)
	}
}

// panicked logs a panic where it happened and makes it an error for the player.
func (s *Session) panicked(where string, p any) error {
	s.app.stats.Panics.Add(1)
	s.log().Error("handler panicked", "where", where, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return protocol.Errorf(protocol.CodeInternal, "internal error")
}

func routeName(m *protocol.Message) string {
	if m.Route == "" {
		return fmt.Sprintf("with code %d", m.Code)
	}
	return m.Route
}

func typeName(v any) string {
	if v == nil {
		return "nil"
	}
	return reflect.TypeOf(v).String()
}
