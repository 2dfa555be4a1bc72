package talk

import (
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/flow"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/actors/timer"
)

// Talk is one end of the conversation between a gate and something placed: a room,
// or a shard of the users. A Talk does nothing by itself: who owns it calls Flush
// when there is something to send, Hear for what comes in, and Due when the time
// has come that Due named. It belongs to one goroutine.
type Talk struct {
	// Set at birth, read-only afterwards.
	Line     func(to link.Peer, e *wire.Envelope) error // takes a message over, or refuses it
	Peer     link.Peer
	Kind, ID string // of what is talked to
	Number   uint64 // the gate gives each conversation a greater one
	Side     uint32 // of what this end sends: wire.OpFromGate or wire.OpFromRoom

	Epoch uint64 // of the activation; it may go on under another
	Mute  bool   // nothing may be said now; it is kept
	Out   flow.Out
	In    flow.In
	Batch []byte // not sent yet

	// Tally counts repairs, over all conversations that share it; nil counts nothing.
	Tally *Tally
}

// Tally counts what was missing in conversations. Its zero value is ready; any
// goroutine may read it.
type Tally struct {
	Gaps     atomic.Int64 // times that this end asked for what it had missed
	Repaired atomic.Int64 // batches that this end sent again, since the other asked
}

// ackDelay is how long a message may wait to be acknowledged by one that goes the
// other way anyhow. It stays below the 200 ms after which its sender asks (flow.Out).
const ackDelay = 150 * time.Millisecond

// Flush sends what has gathered as one message.
func (t *Talk) Flush(now time.Time) {
	if len(t.Batch) == 0 {
		return
	}
	body := t.Batch
	t.Batch = nil
	place, send := t.Out.Push(now, body)
	if !send {
		return
	}
	if t.Mute || t.say(place, body) != nil {
		t.Out.Refused()
	}
}

func (t *Talk) say(place uint64, body []byte) error {
	return t.Line(t.Peer, &wire.Envelope{
		Op: t.Side + wire.TalkSay, Kind: t.Kind, Id: t.ID, Epoch: t.Epoch, Talk: t.Number,
		Seq: place, Ack: t.In.Ack(), Body: body,
	})
}

// Control sends a word about the conversation itself. One that is lost is said
// again when it is due.
func (t *Talk) Control(word uint32, place uint64) {
	if t.Mute {
		return
	}
	if word == wire.TalkAsk && t.Tally != nil {
		t.Tally.Gaps.Add(1)
	}
	_ = t.Line(t.Peer, &wire.Envelope{
		Op: t.Side + word, Kind: t.Kind, Id: t.ID, Epoch: t.Epoch, Talk: t.Number,
		Seq: place, Ack: t.In.Ack(),
	})
}

// Hear takes in one message. It returns the batch when it is the next one, and
// how many are lost for good.
func (t *Talk) Hear(now time.Time, e *wire.Envelope, word uint32) (batch []byte, lost uint64) {
	t.Out.Ack(now, e.Ack)
	switch word {
	case wire.TalkSay:
		if t.In.Take(e.Seq) {
			batch = e.Body
		}
	case wire.TalkHead:
		if t.In.Head(e.Seq); t.In.Have() >= e.Seq { // our word of it was lost
			t.Control(wire.TalkAck, 0)
		}
	case wire.TalkAsk:
		t.again(now, e.Seq)
	case wire.TalkLost:
		lost = t.In.GiveUp(e.Seq)
	}
	return batch, lost
}

// again sends what the other end lacks.
func (t *Talk) again(now time.Time, place uint64) {
	first, batches, lost := t.Out.Ask(now, place)
	if lost {
		t.Control(wire.TalkLost, first)
	}
	if t.Tally != nil {
		t.Tally.Repaired.Add(int64(len(batches)))
	}
	for i, b := range batches {
		if t.say(first+uint64(i), b) != nil {
			t.Out.Refused()
			return
		}
	}
}

// Greet tells the other end what this one has said last.
func (t *Talk) Greet() { t.Control(wire.TalkHead, t.Out.Last()) }

// Due says what is to be said at this time, and when to look again; zero: when
// something happens.
func (t *Talk) Due(now time.Time) (next time.Time) {
	if t.Mute {
		return time.Time{}
	}
	place, ask, next := t.In.Ask(now)
	if ask {
		t.Control(wire.TalkAsk, place)
	}
	last, probe, at := t.Out.Probe(now)
	if probe {
		t.Control(wire.TalkHead, last)
	}
	tell, told := t.In.Tell(now, ackDelay)
	if tell {
		t.Control(wire.TalkAck, 0)
	}
	return timer.Sooner(timer.Sooner(next, at), told)
}
