package rooms

import (
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/flow"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// talk is one end of the conversation between a room and one of its annexes. Both
// directions are repaired flows of batches; a batch is what one end had to say
// since it last sent (talk_ops.go). A talk does nothing by itself: who owns it
// calls flush when there is something to send, hear for what comes in, and due
// when the time has come that due named.
type talk struct {
	// Set at birth, read-only afterwards.
	line   func(to link.Peer, e *wire.Envelope) error
	peer   link.Peer
	key    Key
	number uint64
	side   uint32 // of what this end sends: wire.OpFromGate or wire.OpFromRoom

	epoch uint64 // of the room; it may go on under another
	mute  bool   // nothing may be said now; it is kept
	out   flow.Out
	in    flow.In
	batch []byte // not sent yet
	ackAt time.Time
}

// ackDelay is how long a message may wait to be acknowledged by one that goes the
// other way anyhow.
const ackDelay = 50 * time.Millisecond

// flush sends what has gathered as one message.
func (t *talk) flush(now time.Time) {
	if len(t.batch) == 0 {
		return
	}
	body := t.batch
	t.batch = nil
	place, send := t.out.Push(now, body)
	if !send {
		return
	}
	if t.mute || t.say(place, body) != nil {
		t.out.Refused()
	}
}

func (t *talk) say(place uint64, body []byte) error {
	t.ackAt = time.Time{}
	return t.line(t.peer, &wire.Envelope{
		Op: t.side + wire.TalkSay, Kind: t.key.Kind, Id: t.key.ID, Epoch: t.epoch, Talk: t.number,
		Seq: place, Ack: t.in.Ack(), Body: body,
	})
}

// control sends a word about the conversation itself. One that is lost is said
// again when it is due.
func (t *talk) control(word uint32, place uint64) {
	if t.mute {
		return
	}
	t.ackAt = time.Time{}
	_ = t.line(t.peer, &wire.Envelope{
		Op: t.side + word, Kind: t.key.Kind, Id: t.key.ID, Epoch: t.epoch, Talk: t.number,
		Seq: place, Ack: t.in.Ack(),
	})
}

// hear takes in one message. It returns the batch when it is the next one, and
// how many are lost for good.
func (t *talk) hear(now time.Time, e *wire.Envelope, word uint32) (batch []byte, lost uint64) {
	t.out.Ack(now, e.Ack)
	switch word {
	case wire.TalkSay:
		if t.in.Take(e.Seq) {
			batch = e.Body
		}
	case wire.TalkHead:
		if t.in.Head(e.Seq); t.in.Have() >= e.Seq { // our word of it was lost
			t.control(wire.TalkAck, 0)
		}
	case wire.TalkAsk:
		t.again(now, e.Seq)
	case wire.TalkLost:
		lost = t.in.GiveUp(e.Seq)
	}
	return batch, lost
}

// again sends what the other end lacks.
func (t *talk) again(now time.Time, place uint64) {
	first, batches, lost := t.out.Ask(now, place)
	if lost {
		t.control(wire.TalkLost, first)
	}
	for i, b := range batches {
		if t.say(first+uint64(i), b) != nil {
			t.out.Refused()
			return
		}
	}
}

// greet tells the other end what this one has said last.
func (t *talk) greet() { t.control(wire.TalkHead, t.out.Last()) }

// due says what is to be said at this time, and when to look again; zero: when
// something happens.
func (t *talk) due(now time.Time) (next time.Time) {
	if t.mute {
		return time.Time{}
	}
	place, ask, next := t.in.Ask(now)
	if ask {
		t.control(wire.TalkAsk, place)
	}
	last, probe, at := t.out.Probe(now)
	if probe {
		t.control(wire.TalkHead, last)
	}
	next = sooner(next, at)
	switch soon, atOnce := t.in.Owes(); {
	case atOnce || soon && !t.ackAt.IsZero() && !now.Before(t.ackAt):
		t.control(wire.TalkAck, 0)
	case soon && t.ackAt.IsZero():
		t.ackAt = now.Add(ackDelay)
		next = sooner(next, t.ackAt)
	case soon:
		next = sooner(next, t.ackAt)
	}
	return next
}

// sooner is the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
