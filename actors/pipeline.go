package actors

import (
	"github.com/shaddock-game/shaddock/protocol"
)

// Pipeline is what messages pass on their way between client and handler. Its
// stages are called in order, each on the goroutine that handles the message, for
// different sessions at the same time; they must not wait. An empty list of stages
// costs nothing. Fill it before App.Start.
type Pipeline struct {
	// Inbound stages see a message before its handler. One may change in.Body (not
	// its bytes: they are shared), refuse the message with an error, which is the
	// answer of a request, or answer it itself with Ctx.Reply; then neither later
	// stages nor the handler see it. They see what the rate limits and the routes
	// have let through, and no Ref.Invoke.
	Inbound Stages[func(c *Ctx, in *Inbound) error]

	// Decoded stages see the typed request of a handler, a component or a room, a
	// pointer, before it does. One may refuse, or change what it points to; a room
	// on another node gets the request as it came.
	Decoded Stages[func(c *Ctx, req any) error]

	// Outbound stages see what the session says to its client: each response,
	// error answers included, and each push for this session alone. What a room, a
	// group or a user is sent is encoded once for many sessions and passes none.
	Outbound Stages[func(out *Outgoing) error]
}

// Stages is an ordered list of stages. The zero value is empty.
type Stages[F any] struct{ list []F }

// PushBack adds a stage behind the others.
func (s *Stages[F]) PushBack(f F) { s.list = append(s.list, f) }

// PushFront adds a stage ahead of the others.
func (s *Stages[F]) PushFront(f F) { s.list = append([]F{f}, s.list...) }

// Outgoing is a message on its way to the client, in an outbound stage, which may
// replace Body (not change its bytes). A stage that returns an error drops a push,
// which is counted, and turns a response into that error. An error answer, where
// Err is set, is sent whatever the stage returns.
type Outgoing struct {
	Session *Ref
	Push    bool            // else a response
	Route   string          // of a response the request's; for an unknown one as the client sent it
	ID      uint64          // of the request, 0 for a push
	Body    []byte          // encoded; valid until the stage returns
	Err     *protocol.Error // of an error answer, nil otherwise
}

// Pipeline returns the application's pipeline, to be filled before Start.
func (a *App) Pipeline() *Pipeline {
	if a.started {
		panic("actors: App.Pipeline after Start: register stages first")
	}
	return &a.pipeline
}

// pass runs the inbound stages; false means that the message goes no further.
func (c *Ctx) pass(in Inbound) (Inbound, bool) {
	for _, stage := range c.s.app.pipeline.Inbound.list {
		if err := stage(c, &in); err != nil {
			c.ReplyError(err)
			return in, false
		}
		if c.answered {
			return in, false
		}
	}
	return in, true
}

// Checks reports whether there is a stage that looks at decoded requests.
func (c *Ctx) Checks() bool { return len(c.s.app.pipeline.Decoded.list) > 0 }

// Check runs the decoded stages on a request that a raw handler has decoded by
// itself; typed handlers need not call it.
func (c *Ctx) Check(req any) error {
	for _, stage := range c.s.app.pipeline.Decoded.list {
		if err := stage(c, req); err != nil {
			return err
		}
	}
	return nil
}

// leave runs the outbound stages on v and returns what is to be sent instead.
func (s *Session) leave(out Outgoing, ser protocol.Serializer, v any) (any, error) {
	out.Session = &s.Ref
	var err error
	if v == nil && ser == protocol.JSON {
		out.Body = emptyObject
	} else if v != nil {
		if out.Body, err = appendBody(ser, nil, v); err != nil {
			return nil, err
		}
	}
	if err := s.guarded(&out); err != nil {
		return nil, refusal{err}
	}
	return Raw(out.Body), nil
}

func (s *Session) stages(out *Outgoing) error {
	for _, stage := range s.app.pipeline.Outbound.list {
		if err := stage(out); err != nil {
			return err
		}
	}
	return nil
}

// refusal is the error of a stage, to be told from a failed encoding.
type refusal struct{ error }

// Unwrap implements the interface of errors.
func (r refusal) Unwrap() error { return r.error }

// guarded keeps a stage that panics from ending the session: call does so for
// inbound ones.
func (s *Session) guarded(out *Outgoing) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked("outbound stage", p)
		}
	}()
	return s.stages(out)
}

// errorBody passes an error answer through the outbound stages.
func (s *Session) errorBody(id uint64, route string, e *protocol.Error) []byte {
	out := Outgoing{Session: &s.Ref, Route: route, ID: id, Body: protocol.AppendErrorBody(nil, e), Err: e}
	if err := s.guarded(&out); err != nil {
		s.log().Debug("outbound stage cannot refuse an error", "error", err)
	}
	return out.Body
}
