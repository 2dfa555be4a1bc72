package rooms

import (
	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// outlet carries what a room says to its members. All that one room puts into
// its outlet for one member arrives in that order (DESIGN.md, 5.2): answers and
// pushes share the path. Methods never block. A member that is gone is skipped.
type outlet interface {
	join(m *Member)
	leave(m *Member)
	answer(m *Member, a actors.Answer)
	send(m *Member, f protocol.Frame)
	multicast(ms []*Member, f protocol.Frame)
	// broadcast sends to all but except; messages is how many f holds.
	broadcast(f protocol.Frame, messages int, except *Member)
	// pending is what broadcasts have not delivered yet.
	pending() (messages, bytes int)
	setMerge(m Merge)
	close()
}

// Merge says how what a room broadcasts is gathered into messages; see
// Kind.Merge.
type Merge = actors.Merge

// audienceOutlet is the outlet of a room whose members are all connected to
// this node: one audience of its transport.
type audienceOutlet struct {
	audience actors.Audience
	kind     *traffic
	room     traffic
	wires    []actors.Wire // scratch of multicast
}

func (o *audienceOutlet) join(m *Member)  { o.audience.Join(m.ref.Wire()) }
func (o *audienceOutlet) leave(m *Member) { o.audience.Leave(m.ref.Wire()) }

func (o *audienceOutlet) answer(m *Member, a actors.Answer) { o.audience.Reply(m.ref.Wire(), a) }

func (o *audienceOutlet) send(m *Member, f protocol.Frame) { o.audience.Send(m.ref.Wire(), f) }

func (o *audienceOutlet) multicast(ms []*Member, f protocol.Frame) {
	o.wires = o.wires[:0]
	for _, m := range ms {
		o.wires = append(o.wires, m.ref.Wire())
	}
	o.audience.Multicast(o.wires, f, nil)
	clear(o.wires)
}

func (o *audienceOutlet) broadcast(f protocol.Frame, messages int, except *Member) {
	var w actors.Wire
	if except != nil {
		w = except.ref.Wire()
	}
	n, size := int64(messages), int64(len(f.Packages)+len(f.Text)+frameCost)
	o.kind.begin(n, size)
	o.room.begin(n, size)
	o.audience.Broadcast(f, w, func(sent, dropped int) {
		o.kind.end(n, size, sent, dropped)
		o.room.end(n, size, sent, dropped)
	})
}

// frameCost is what a frame that waits costs beside its bytes.
const frameCost = 128

func (o *audienceOutlet) pending() (messages, bytes int) {
	return int(o.room.pending.Load()), int(o.room.bytes.Load())
}

func (o *audienceOutlet) setMerge(m Merge) { o.audience.SetMerge(m) }

func (o *audienceOutlet) close() { o.audience.Close() }
