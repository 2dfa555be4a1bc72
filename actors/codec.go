package actors

import (
	"github.com/shaddock-game/shaddock/protocol"
)

// Codec is how sessions of a text endpoint are spoken with, instead of in pomelo
// packages. A message of the client becomes a call of a route, so that text
// sessions have the same handlers, rooms, limits and metrics as all others. A
// Codec is shared by its sessions and safe for concurrent use.
//
// The methods that append return dst unchanged when there is nothing to say; what
// they append is sent as one text message.
type Codec interface {
	// Hello is called for each session when it opens, and returns what the session
	// calls by itself before anything the client says.
	Hello() TextCall
	// Decode reads one message of the client. An error ends the session with
	// ReasonProtocol; its text is shown to the client.
	Decode(text []byte) (TextCall, error)
	// AppendReply writes what a route answered, AppendError its failure.
	AppendReply(dst []byte, route string, v any) ([]byte, error)
	AppendError(dst []byte, err *protocol.Error) []byte
	// AppendPush writes what a handler pushes to this session alone. What rooms push
	// to many is written once for all of them, by their kind.
	AppendPush(dst []byte, route string, v any) ([]byte, error)
	// AppendKick tells the client why the session ends.
	AppendKick(dst []byte, why protocol.Reason, text string) []byte
}

// TextCall is what a text message asks for; the zero value asks for nothing.
type TextCall struct {
	Answer []byte // sent at once; may alias the message
	Route  string // called with Body; "" for none
	Body   []byte
}

// spoken holds the codec of a session in one word: those that speak pomelo, which
// are most, should not pay for two.
type spoken struct{ Codec }

// textRequest stands for the id of a request, which text messages have none of: a
// codec decides by the route whether there is something to answer.
const textRequest = 1

// OpenText is Open for a connection on a text endpoint, whose session talks as c
// says. There is no handshake: the session works from the start.
func (a *App) OpenText(w Wire, c Codec) *Session {
	s := a.open(w, &spoken{c})
	if s != nil {
		s.post(event{kind: eventMessage, msg: hello{}})
	}
	return s
}

// hello begins a text session on its own goroutine.
type hello struct{}

func (hello) carry(s *Session, t *turn) {
	c := s.codec.Hello()
	s.wire.WriteText(c.Answer)
	s.textCall(t, &protocol.Message{ID: textRequest, Route: c.Route, Body: c.Body})
}

// parseText reads a text message.
func (t *turn) parseText(s *Session, text []byte) {
	var c TextCall
	c, t.broken = s.codec.Decode(text)
	t.answer = c.Answer
	t.message = protocol.Message{Type: protocol.Request, ID: textRequest, Route: c.Route, Body: c.Body}
}

// text handles one message of a text client.
func (s *Session) text(t *turn, body []byte) {
	if !t.parsed {
		t.parse(s, body)
	}
	m, answer, err := t.message, t.answer, t.broken
	t.parsed = false
	if err != nil {
		s.app.stats.Malformed.Add(1)
		s.log().Debug("text message refused", "error", err)
		s.state.close(protocol.ReasonProtocol)
		s.farewell(t, protocol.ReasonProtocol, err.Error())
		return
	}
	if err := s.admit(t, len(body)); err != nil {
		s.reject(t, &m, err, &s.app.stats.Limited)
		return
	}
	s.wire.WriteText(answer)
	s.textCall(t, &m)
}

func (s *Session) textCall(t *turn, m *protocol.Message) {
	if m.Route == "" {
		return
	}
	if r := s.find(t, m); r != nil {
		s.call(t, r, m, true)
	}
}

// sayText sends what a codec appended, if anything.
func (s *Session) sayText(b []byte, err error) error {
	if err == nil {
		s.wire.WriteText(b)
	}
	return err
}
