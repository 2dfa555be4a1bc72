package actors

import (
	"errors"
	"fmt"

	"github.com/shaddock-game/shaddock/protocol"
)

// NewFrame writes a push once, framed and ready to be shared by any number of
// receivers. The route is not compressed, so that every client can read it.
func NewFrame(s protocol.Serializer, route string, v any) (f protocol.Frame, err error) {
	b, mark := protocol.BeginPacket(make([]byte, protocol.Headroom, 256), protocol.Data)
	if b, err = protocol.AppendMessage(b, protocol.Message{Type: protocol.Push, Route: route}); err != nil {
		return f, fmt.Errorf("push %s: %w", route, err)
	}
	if b, err = s.Append(b, v); err != nil {
		return f, fmt.Errorf("push %s: %w", route, err)
	}
	if len(b)-mark > protocol.MaxPacketBody {
		return f, fmt.Errorf("push %s: %w", route, errTooBig)
	}
	f.Packages = protocol.EndPacket(b, mark)
	return f, nil
}

var errTooBig = errors.New("body is larger than a package may be")
