package actors

import (
	"errors"
	"fmt"

	"github.com/shaddock-game/shaddock/protocol"
)

// NewFrame writes a push once, framed and ready to be shared by any number of
// receivers. The route is not compressed, so that every client can read it.
func NewFrame(s protocol.Serializer, route string, v any) (f protocol.Frame, err error) {
	f.Packages, err = AppendPush(make([]byte, protocol.Headroom, 256), s, route, v)
	if err != nil {
		return protocol.Frame{}, err
	}
	return f, nil
}

// AppendPush appends a push as one whole package, its route not compressed. With
// an error dst comes back as it was.
func AppendPush(dst []byte, s protocol.Serializer, route string, v any) ([]byte, error) {
	b, mark := protocol.BeginPacket(dst, protocol.Data)
	b, err := protocol.AppendMessage(b, protocol.Message{Type: protocol.Push, Route: route})
	if err == nil {
		b, err = s.Append(b, v)
	}
	if err == nil && len(b)-mark > protocol.MaxPacketBody {
		err = errTooBig
	}
	if err != nil {
		return dst, fmt.Errorf("push %s: %w", route, err)
	}
	return protocol.EndPacket(b, mark), nil
}

var errTooBig = errors.New("body is larger than a package may be")
