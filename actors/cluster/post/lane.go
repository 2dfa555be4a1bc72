package post

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/flow"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/actors/timer"
)

// lane is both directions between this process and one other. Each direction is a
// flow of batches under a number of its sender's; a batch is messages, each with its
// length in front. When the receiver leaves the cluster the sender begins a new
// flow under a greater number.
type lane struct {
	// Set at birth, read-only afterwards.
	office *Office
	peer   link.Peer

	// Any goroutine: what Post has taken and nobody has confirmed.
	messages, bytes atomic.Int64

	// Owned by the office's loop.
	number uint64 // of the flow to the peer
	out    flow.Out
	sent   []batch // not confirmed, oldest first
	next   batch   // being filled
	body   []byte  // of next

	heard   uint64 // number of the flow from the peer
	in      flow.In
	heardAt time.Time
}

// batch is what one message of the flow stands for.
type batch struct{ messages, bytes int }

const (
	// batchBytes is how much gathers before it is sent though more waits.
	batchBytes = 32 << 10
	// ackDelay is how long a confirmation may wait for others.
	ackDelay = 20 * time.Millisecond
	// staleAfter is how long a lane to a process that left is remembered: one that
	// only lost its lease comes back as the same, and must not hear anything twice.
	staleAfter = 10 * time.Minute
)

// Post bounds what waits, so the flow must never forget any of it.
var keepAll = flow.Limits{Messages: 1 << 24, Bytes: 1 << 40}

func (l *lane) put(now time.Time, body []byte) {
	if l.next.messages == 0 {
		l.office.dirty = append(l.office.dirty, l)
	}
	l.body = append(binary.AppendUvarint(l.body, uint64(len(body))), body...)
	l.next.messages++
	l.next.bytes += len(body)
	if len(l.body) >= batchBytes {
		l.flush(now)
	}
}

// flush sends what has gathered as one message of the flow.
func (l *lane) flush(now time.Time) {
	if l.next.messages == 0 {
		return
	}
	if l.number == 0 {
		l.number, l.out = uint64(now.UnixNano()), flow.Out{Limits: keepAll}
	}
	body := l.body
	l.sent = append(l.sent, l.next)
	l.body, l.next = nil, batch{}
	place, send := l.out.Push(now, body)
	if send && l.say(wire.PostSay, l.number, place, 0, body) != nil {
		l.out.Refused()
	}
}

func (l *lane) say(word uint32, number, seq, ack uint64, body []byte) error {
	l.office.stats.envelopes.Add(1)
	return l.office.cfg.Mesh.Send(l.peer, &wire.Envelope{Op: wire.OpPost + word, Talk: number, Seq: seq, Ack: ack, Body: body})
}

// tell says a word about a flow. One that is lost is said again when it is due.
func (l *lane) tell(word uint32, number, seq, ack uint64) { _ = l.say(word, number, seq, ack, nil) }

func (l *lane) hear(now time.Time, m *heard) {
	l.heardAt = now
	switch m.word {
	case wire.PostAck, wire.PostAsk:
		if m.e.Talk != l.number || l.number == 0 {
			return // of a flow that was given up
		}
		l.confirm(now, m.e.Ack)
		if m.word == wire.PostAsk {
			l.again(now, m.e.Seq)
		}
	default:
		l.listen(now, m)
	}
}

// confirm forgets what the peer has.
func (l *lane) confirm(now time.Time, place uint64) {
	was := l.out.Acked()
	l.out.Ack(now, place)
	for range l.out.Acked() - was {
		l.release(l.sent[0].messages, l.sent[0].bytes)
		l.sent = l.sent[1:]
	}
}

func (l *lane) release(messages, bytes int) {
	l.messages.Add(-int64(messages))
	l.bytes.Add(-int64(bytes))
}

// again sends what the peer lacks.
func (l *lane) again(now time.Time, place uint64) {
	if place > 1 {
		l.confirm(now, place-1)
	}
	first, bodies, lost := l.out.Ask(now, place)
	if lost {
		l.tell(wire.PostLost, l.number, first, 0)
	}
	for i, b := range bodies {
		l.office.stats.repaired.Add(1)
		if l.say(wire.PostSay, l.number, first+uint64(i), 0, b) != nil {
			l.out.Refused()
			return
		}
	}
}

// listen takes in one message of the flow from the peer.
func (l *lane) listen(now time.Time, m *heard) {
	switch {
	case m.e.Talk < l.heard:
		return
	case m.e.Talk > l.heard:
		l.heard, l.in = m.e.Talk, flow.In{}
	}
	switch m.word {
	case wire.PostSay:
		if l.in.Take(m.e.Seq) {
			l.open(m.e.Body)
		}
	case wire.PostHead:
		if l.in.Head(m.e.Seq); l.in.Have() >= m.e.Seq { // our word of it was lost
			l.ack()
		}
	case wire.PostLost:
		l.office.stats.lost.Add(int64(l.in.GiveUp(m.e.Seq)))
	}
}

// open hands the messages of a batch out.
func (l *lane) open(b []byte) {
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			l.office.stats.unreadable.Add(1)
			return
		}
		b = b[size:]
		l.office.stats.delivered.Add(1)
		l.office.cfg.Posted(l.peer.ID, b[:n:n])
		b = b[n:]
	}
}

func (l *lane) ack() { l.tell(wire.PostAck, l.heard, 0, l.in.Ack()) }

// due says what is to be said at this time, and when to look again; zero: when
// something happens.
func (l *lane) due(now time.Time) (next time.Time) {
	place, ask, next := l.in.Ask(now)
	if ask {
		l.office.stats.asked.Add(1)
		l.tell(wire.PostAsk, l.heard, place, l.in.Ack())
	}
	last, probe, at := l.out.Probe(now)
	if probe {
		l.tell(wire.PostHead, l.number, last, 0)
	}
	tell, told := l.in.Tell(now, ackDelay)
	if tell {
		l.ack()
	}
	return timer.Sooner(timer.Sooner(next, at), told)
}

// drop gives up what the peer, which has left, has not confirmed, and returns how
// many messages that are.
func (l *lane) drop(now time.Time) (unconfirmed int) {
	for _, b := range append(l.sent, l.next) {
		unconfirmed += b.messages
		l.release(b.messages, b.bytes)
	}
	l.sent, l.body, l.next = nil, nil, batch{}
	if l.number > 0 { // should it come back
		l.number, l.out = max(l.number+1, uint64(now.UnixNano())), flow.Out{Limits: keepAll}
	}
	return unconfirmed
}

// stale says whether nothing waits, and nothing was heard for long. One that something
// was posted to is not: its node may have come after the office's last view.
func (l *lane) stale(now time.Time) bool {
	return l.messages.Load() == 0 && now.Sub(l.heardAt) > staleAfter
}
