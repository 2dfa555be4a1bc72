package live

import (
	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Echo answers each text message with itself: an endpoint to learn and to test
// WebSocket clients with. It calls no routes.
var Echo actors.Codec = echo{}

type echo struct{}

func (echo) Hello() actors.TextCall                                    { return actors.TextCall{} }
func (echo) Decode(text []byte) (actors.TextCall, error)               { return actors.TextCall{Answer: text}, nil }
func (echo) AppendReply(dst []byte, _ string, _ any) ([]byte, error)   { return dst, nil }
func (echo) AppendPush(dst []byte, _ string, _ any) ([]byte, error)    { return dst, nil }
func (echo) AppendError(dst []byte, e *protocol.Error) []byte          { return append(dst, e.Msg...) }
func (echo) AppendKick(dst []byte, _ protocol.Reason, _ string) []byte { return dst }
