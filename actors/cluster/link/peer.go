package link

import (
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// Peer names one boot of a process and says where it listens.
type Peer struct {
	ID   string
	Addr string
}

// peer is what a link knows of one peer. Any goroutine uses it, without a lock:
// each counter has one meaning on its own, and the window may be overrun by as
// many messages as there are goroutines that send at the same moment.
type peer struct {
	Peer

	// Outbound.
	sent      atomic.Uint64 // place of the last message
	acked     atomic.Uint64 // place up to which all has arrived or is lost
	sentBytes atomic.Uint64 // of all messages up to sent
	bytesAt   []atomic.Uint64
	down      atomic.Bool // the connection broke and has not come back

	// Inbound.
	highest  atomic.Uint64 // place of the last message
	received atomic.Uint64 // how many
	told     atomic.Uint64 // the highest that the peer has been told of

	owesBytes atomic.Int64 // that came since; about

	probing atomic.Bool // a look at its address is under way

	// Owned by the link's tick.
	lastAcked uint64
	lastTold  uint64    // told, at the last tick
	owes      int       // ticks since then with something to tell
	stalled   time.Time // since when acked has not moved though sent is ahead
	heard     uint64    // received, when it last changed
	heardAt   time.Time
	probeAt   time.Time
	pause     time.Duration // between probes
}

func newPeer(p Peer, window int) *peer {
	return &peer{Peer: p, bytesAt: make([]atomic.Uint64, window)}
}

// room says whether the window takes another message.
func (p *peer) room(maxBytes int) bool {
	for {
		acked := p.acked.Load()
		if p.fits(acked, p.sent.Load(), maxBytes) {
			return true
		}
		if p.acked.Load() == acked {
			return false // else the two were not of one moment
		}
	}
}

func (p *peer) fits(acked, sent uint64, maxBytes int) bool {
	window := uint64(len(p.bytesAt))
	return sent == acked ||
		sent-acked < window && p.sentBytes.Load()-p.bytesAt[acked%window].Load() < uint64(maxBytes)
}

// stamp gives a message its place.
func (p *peer) stamp(e *wire.Envelope) {
	bytes := p.sentBytes.Add(uint64(len(e.Body) + overhead))
	e.LinkSeq = p.sent.Add(1)
	p.bytesAt[e.LinkSeq%uint64(len(p.bytesAt))].Store(bytes)
	e.LinkAck = p.tells()
}

// tells returns the place up to which the peer is now told that all has come.
func (p *peer) tells() uint64 {
	p.owesBytes.Store(0)
	highest := p.highest.Load()
	raise(&p.told, highest)
	return highest
}

// overhead is what a message counts beside its body.
const overhead = 100

// arrived takes in a message's place and what it says of ours.
func (p *peer) arrived(e *wire.Envelope) {
	raise(&p.acked, min(e.LinkAck, p.sent.Load()))
	if e.LinkSeq > 0 {
		p.received.Add(1)
		p.owesBytes.Add(int64(len(e.Body) + overhead))
		raise(&p.highest, e.LinkSeq)
	}
}

// owesAck says how many messages the peer has not been told of.
func (p *peer) owesAck() uint64 { return p.highest.Load() - min(p.told.Load(), p.highest.Load()) }

// lost is how many messages have not arrived that were sent before one that has.
// Messages of several goroutines overtake each other by a few places, so it is
// exact only at rest.
func (p *peer) lost() uint64 {
	highest, received := p.highest.Load(), p.received.Load()
	return highest - min(received, highest)
}

// raise lifts a counter to at least v.
func raise(c *atomic.Uint64, v uint64) {
	for {
		have := c.Load()
		if have >= v || c.CompareAndSwap(have, v) {
			return
		}
	}
}
