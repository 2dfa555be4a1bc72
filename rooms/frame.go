package rooms

import (
	"fmt"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// frameLimit is how many bytes of packages one frame gathers: JavaScript clients
// break on much longer WebSocket messages.
const frameLimit = 48 << 10

// frame writes one push, ready to be shared by all receivers.
func (st *state) frame(route string, v any, latest uint64) (protocol.Frame, bool) {
	f, err := encode(st.kind, route, v)
	if err != nil {
		st.unwritable(route, err)
		return protocol.Frame{}, false
	}
	f.Replace = latest
	return f, true
}

func (st *state) unwritable(route string, err error) {
	st.stats.Unwritable.Add(1)
	st.log.Error("push could not be written", "route", route, "error", err)
}

// encode writes a push as a whole package, with room for the transport's header
// in front, and as text for the kinds that serve text endpoints.
func encode(k *Kind, route string, v any) (f protocol.Frame, err error) {
	if f, err = actors.NewFrame(k.serializer, route, v); err != nil {
		return f, err
	}
	if k.text != nil {
		f.Text, err = encodeText(k, route, []any{v})
	}
	return f, err
}

func encodeText(k *Kind, route string, vs []any) ([]byte, error) {
	b, err := k.text(nil, route, vs)
	if err != nil {
		return nil, fmt.Errorf("push %s as text: %w", route, err)
	}
	return b, nil
}

// batch writes many pushes of one route into as few frames as fit, and calls emit
// for each with the number of pushes in it. What cannot be written is left out.
func (st *state) batch(route string, vs []any, emit func(f protocol.Frame, messages int)) {
	k := st.kind
	for len(vs) > 0 {
		b := make([]byte, protocol.Headroom, min(64+len(vs)*128, frameLimit))
		var in []any
		for len(vs) > 0 {
			longer, err := actors.AppendPush(b, k.serializer, route, vs[0])
			if err != nil {
				st.unwritable(route, err)
				vs = vs[1:]
				continue
			}
			if len(longer)-protocol.Headroom > frameLimit && len(in) > 0 {
				break
			}
			b, in, vs = longer, append(in, vs[0]), vs[1:]
		}
		if len(in) == 0 {
			return
		}
		f := protocol.Frame{Packages: b}
		if k.text != nil {
			var err error
			if f.Text, err = encodeText(k, route, in); err != nil {
				st.unwritable(route, err)
			}
		}
		emit(f, len(in))
	}
}
