package rooms

import (
	"slices"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// heldOutlet keeps what a room says until it is released: what led to it has to be
// saved first. Everything passes through it, so that the order stays.
type heldOutlet struct {
	next            outlet
	held            []func()
	messages, bytes int // of broadcasts that are held
}

// release says what was held. What is said meanwhile is held again.
func (o *heldOutlet) release() {
	held := o.held
	o.held, o.messages, o.bytes = nil, 0, 0
	for _, say := range held {
		say()
	}
}

// drop forgets what was held: nobody has heard of it, and nobody will.
func (o *heldOutlet) drop() { o.held, o.messages, o.bytes = nil, 0, 0 }

func (o *heldOutlet) hold(say func()) { o.held = append(o.held, say) }

func (o *heldOutlet) join(m *Member)  { o.hold(func() { o.next.join(m) }) }
func (o *heldOutlet) leave(m *Member) { o.hold(func() { o.next.leave(m) }) }

func (o *heldOutlet) answer(m *Member, a actors.Answer) { o.hold(func() { o.next.answer(m, a) }) }

func (o *heldOutlet) send(m *Member, f protocol.Frame) { o.hold(func() { o.next.send(m, f) }) }

func (o *heldOutlet) multicast(ms []*Member, f protocol.Frame) {
	ms = slices.Clone(ms)
	o.hold(func() { o.next.multicast(ms, f) })
}

func (o *heldOutlet) broadcast(f protocol.Frame, messages int, except *Member) {
	o.messages += messages
	o.bytes += len(f.Packages) + len(f.Text) + frameCost
	o.hold(func() { o.next.broadcast(f, messages, except) })
}

func (o *heldOutlet) pending() (messages, bytes int) {
	messages, bytes = o.next.pending()
	return messages + o.messages, bytes + o.bytes
}

func (o *heldOutlet) setMerge(m Merge) { o.hold(func() { o.next.setMerge(m) }) }

func (o *heldOutlet) close() { o.hold(o.next.close) }
