package transport

import (
	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// broadcast is one frame for all members of a shard but one.
type broadcast struct {
	seq           uint64
	frame         protocol.Frame
	except        *Conn
	fan           *fanout
	sent, dropped int
	binary, text  bool // whom it is for
	stale         bool // a newer value has come: it is dropped for everyone it was for
}

// owed reports whether m has yet to get b.
func (b *broadcast) owed(m *member) bool { return b.seq > m.got && b.except != m.conn }

// fits reports whether members of that kind get b at all.
func (b *broadcast) fits(k connKind) bool {
	if k == kindText {
		return b.text
	}
	return b.binary
}

// supersede drops b, which no walk has begun, for a newer value, and returns the
// cost that this saves.
func (b *broadcast) supersede() (saved int64) {
	saved = cost(&b.frame) - opCost
	b.stale, b.frame = true, protocol.Frame{}
	return saved
}

// opCost is charged for an op beside its bytes, so that small ones are bounded too.
const opCost = 128

// cost is what a frame that waits for a loop counts against Config.WalkLimit.
func cost(f *protocol.Frame) int64 { return int64(len(f.Packages)+len(f.Text)) + opCost }

// wireOf returns the sealed bytes of f for connections of a kind, nil when f is
// not for them.
func wireOf(f *protocol.Frame, k connKind) []byte {
	switch {
	case k == kindText && len(f.Text) > 0:
		return appendWSMessage(nil, ws.OpText, f.Text, false)
	case k == kindText:
		return nil
	case k == kindStream:
		return f.Payload()
	}
	return sealed(f)
}

// seal writes the WebSocket header of a message into the headroom of f, once for
// all members.
func seal(f *protocol.Frame) {
	if n := len(f.Payload()); n > 0 {
		putWSHeader(f.Packages[:protocol.Headroom], n)
	}
}

// sealed returns the sealed WebSocket frame of f.
func sealed(f *protocol.Frame) []byte {
	n := len(f.Payload())
	if n == 0 {
		return nil
	}
	head := 2
	switch {
	case n > 0xffff:
		head = 10
	case n > 125:
		head = 4
	}
	return f.Packages[protocol.Headroom-head:]
}
