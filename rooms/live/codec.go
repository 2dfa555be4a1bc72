package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Codec speaks the JSON text protocol of push systems, for pages without an SDK:
//
//	→ {"type":"PING"}                              ← {"type":"PONG","data":{}}
//	→ {"type":"JOIN","data":{"room":"r"}}          nothing, or the messages asked for with "history":n as a PUSH
//	→ {"type":"LEAVE","data":{"room":"r"}}         nothing
//	→ {"type":"SEND","data":{"room":"r","name":"ann","content":"hi"}}
//	                                               ← {"type":"PUSH","data":{"items":[…]}}
//	what cannot be done                            ← {"type":"ERROR","data":{"code":404,"msg":"…"}}
//	the end of the session                         ← {"type":"KICK","data":{"code":5,"msg":"…"}}
//
// A session gets what is posted to everyone from the start. What is no JSON object
// ends it. Types and fields that are not listed are answered with an ERROR or
// ignored, respectively.
var Codec actors.Codec = codec{}

type codec struct{}

// textMessage is one message, either way.
type textMessage struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

var pong = []byte(`{"type":"PONG","data":{}}`)

// Hello implements actors.Codec.
func (codec) Hello() actors.TextCall { return actors.TextCall{Route: EveryoneKind + ".join"} }

var errNotJSON = errors.New("a message is a JSON object with a type")

// Decode implements actors.Codec.
func (codec) Decode(text []byte) (actors.TextCall, error) {
	var m textMessage
	if json.Unmarshal(text, &m) != nil || bytes.HasPrefix(bytes.TrimSpace(text), []byte("null")) {
		return actors.TextCall{}, errNotJSON
	}
	switch m.Type {
	case "PING":
		return actors.TextCall{Answer: pong}, nil
	case "JOIN", "LEAVE":
		if !namesRoom(m.Data) {
			return actors.TextCall{Answer: textError(nil, protocol.CodeBadRequest, m.Type+" must name a room")}, nil
		}
		if m.Type == "JOIN" {
			return actors.TextCall{Route: RoomKind + ".join", Body: m.Data}, nil
		}
		return actors.TextCall{Route: RoomKind + ".leave", Body: m.Data}, nil
	case "SEND":
		return actors.TextCall{Route: RoomKind + ".send", Body: m.Data}, nil
	}
	return actors.TextCall{Answer: textError(nil, protocol.CodeNoRoute, fmt.Sprintf("no type %.20q", m.Type))}, nil
}

// namesRoom says whether there is a room at all; what may be one, rooms decide.
func namesRoom(data []byte) bool {
	var in struct{ Room json.RawMessage }
	return json.Unmarshal(data, &in) == nil && len(in.Room) > 0 && string(in.Room) != `""`
}

// AppendReply implements actors.Codec: only a history has anything to say.
func (codec) AppendReply(dst []byte, _ string, v any) ([]byte, error) {
	if j, ok := v.(*JoinReply); ok && len(j.History) > 0 {
		return appendItems(dst, j.History), nil
	}
	return dst, nil
}

// AppendError implements actors.Codec.
func (codec) AppendError(dst []byte, e *protocol.Error) []byte { return textError(dst, e.Code, e.Msg) }

// AppendPush implements actors.Codec.
func (codec) AppendPush(dst []byte, route string, v any) ([]byte, error) {
	return pushText(dst, route, []any{v})
}

// AppendKick implements actors.Codec.
func (codec) AppendKick(dst []byte, why protocol.Reason, text string) []byte {
	if text == "" {
		text = why.Text()
	}
	return appendText(dst, "KICK", why.Code(), text)
}

func textError(dst []byte, code protocol.Code, msg string) []byte {
	return appendText(dst, "ERROR", int(code), msg)
}

// said is the data of an ERROR or a KICK.
type said struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
}

func appendText(dst []byte, typ string, code int, msg string) []byte {
	b, err := protocol.JSON.Append(dst, struct {
		Type string `json:"type"`
		Data said   `json:"data"`
	}{typ, said{code, msg}})
	if err != nil {
		panic(err) // strings and numbers can always be written
	}
	return b
}

// pushText writes pushes of a room as one PUSH. Counts have no text: pages of the
// protocol do not expect them.
func pushText(dst []byte, route string, vs []any) ([]byte, error) {
	if route == OnCount {
		return dst, nil
	}
	dst = append(dst, `{"type":"PUSH","data":{"items":[`...)
	for i, v := range vs {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = protocol.JSON.Append(dst, v); err != nil {
			return dst, err
		}
	}
	return append(dst, "]}}"...), nil
}

func appendItems(dst []byte, items []json.RawMessage) []byte {
	dst = append(dst, `{"type":"PUSH","data":{"items":[`...)
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, item...)
	}
	return append(dst, "]}}"...)
}
