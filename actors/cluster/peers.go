package cluster

import (
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/carrier"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// Receiver returns who takes what a carrier brings that Config.Connect has made, once
// the node has started.
func (n *Node) Receiver() carrier.Receiver { return receiver{n} }

// receiver takes what the carrier brings.
type receiver struct{ n *Node }

// Receive implements carrier.Receiver.
func (r receiver) Receive(from link.Peer, e *wire.Envelope) { r.n.link.Receive(from, e) }

// Broken implements carrier.Receiver: the connection may have been all that broke.
func (r receiver) Broken(addr string) {
	r.n.link.Broken(addr)
	r.n.broke(addr)
	select {
	case r.n.broken <- addr:
	default: // so many at once that its lease may run out instead
	}
}

// lookAfterPeers has peers looked at whose connections broke. It stands between a
// carrier and the tasks, since a carrier may outlive the node.
func (n *Node) lookAfterPeers() {
	for {
		select {
		case <-n.run.Done():
			return
		case addr := <-n.broken:
			n.tasks.Go(func() { n.suspect(addr) })
		}
	}
}

// broke tells the history of moves since when a peer is away.
func (n *Node) broke(addr string) {
	if n.roster.Load() != nil {
		n.directory.Load().Broke(addr)
	}
}

// suspects are the pauses before looks at a peer whose connection broke. A process
// that dies closes its sockets one after the other: at the first look its listener
// may still be there.
var suspects = [...]time.Duration{0, 150 * time.Millisecond, 400 * time.Millisecond, time.Second}

func (n *Node) suspect(addr string) {
	for _, pause := range suspects {
		select {
		case <-n.run.Done():
			return
		case <-time.After(pause):
			n.Suspect(addr)
		}
	}
}

// Suspect has a peer looked at whose connection broke, see roster.Suspect.
func (n *Node) Suspect(addr string) {
	if r := n.roster.Load(); r != nil {
		r.Suspect(addr)
	}
}
