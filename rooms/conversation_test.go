package rooms

import (
	"testing"
	"time"

	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// spoken is what one end of a conversation has sent.
type spoken struct{ said []*wire.Envelope }

func (s *spoken) line(_ link.Peer, e *wire.Envelope) error {
	s.said = append(s.said, e)
	return nil
}

// take returns what was said since the last take.
func (s *spoken) take() (said []*wire.Envelope) {
	said, s.said = s.said, nil
	return said
}

// A room that could not answer is asked again until it speaks, also when nothing of the
// gate's waits for an answer: else its word that it goes on, which may be lost, would be
// the only one.
func TestPausedRoomIsAskedAgain(t *testing.T) {
	var s spoken
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	a := &annexState{
		key: Key{"kind", "x"}, line: s.line, stats: new(farStats), seats: make(map[uint64]*seat),
		there: func(string) bool { return true }, gone: func(places.Place) {}, number: func(time.Time) uint64 { return 7 },
	}
	a.found(now, places.Place{Node: "r", Epoch: 3})
	hear := func(word uint32, ack uint64) {
		a.hear(now, &heard{from: link.Peer{ID: "r"}, word: word, e: &wire.Envelope{Talk: 7, Epoch: 3, Ack: ack}})
	}
	hear(wire.TalkAck, 1)
	s.take()
	if !a.knock(now).IsZero() {
		t.Error("a room that answers is asked whether it can")
	}
	hear(wire.TalkPaused, 0)
	for range 3 {
		at := a.knock(now)
		if len(s.take()) > 0 || at.Sub(now) != pausedProbe {
			t.Fatalf("asked too early, or again in %v", at.Sub(now))
		}
		now = at
		hear(wire.TalkPaused, 0) // said again: that is no reason to wait longer
		a.knock(now)
		if said := s.take(); len(said) != 1 || said[0].Op != wire.OpFromGate+wire.TalkHead || said[0].Seq != 1 {
			t.Fatalf("said %v, want how far this end has come", said)
		}
	}
	hear(wire.TalkHead, 1)
	if s.take(); a.paused || !a.knock(now).IsZero() {
		t.Error("a room that has spoken is still asked")
	}
}

// What is late of a conversation that has ended begins none: its members would be
// ghosts.
func TestEndedConversationDoesNotBeginAgain(t *testing.T) {
	var s spoken
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	f := &far{
		line: s.line, epoch: 3, stats: new(farStats), there: func(string) bool { return true },
		gates: make(map[string]*gate), over: make(map[string]uint64), sessions: make(map[uint64]*behind), had: make(map[string]*had),
	}
	hear := func(talk uint64, word uint32) (begun bool) {
		f.hear(&state{}, now, &heard{from: link.Peer{ID: "g"}, word: word, e: &wire.Envelope{Talk: talk, Epoch: 3, Seq: 1, Body: []byte{upHello}}})
		return f.gates["g"] != nil
	}
	if !hear(7, wire.TalkSay) {
		t.Fatal("a first conversation did not begin")
	}
	if hear(7, wire.TalkGone) {
		t.Fatal("it did not end")
	}
	s.take()
	for _, late := range []uint64{7, 6} {
		if hear(late, wire.TalkSay) {
			t.Fatalf("conversation %d began when 7 was over", late)
		}
		if said := s.take(); len(said) != 1 || said[0].Op != wire.OpFromRoom+wire.TalkGone {
			t.Errorf("it was answered %v", said)
		}
	}
	if !hear(8, wire.TalkSay) {
		t.Error("the next one did not begin")
	}
	if hear(7, wire.TalkGone); f.gates["g"] == nil {
		t.Error("the end of an earlier one ended it")
	}
}

// Numbers of conversations rise, also within one reading of the clock and when it is
// set back: a room takes a lower one for one that is over.
func TestNumbersOfConversationsRise(t *testing.T) {
	s, now, last := new(spread), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), uint64(0)
	for _, d := range []time.Duration{0, 0, 1, -time.Hour, 0, time.Minute} {
		now = now.Add(d)
		n := s.number(now)
		if n <= last {
			t.Errorf("%d after %d", n, last)
		}
		last = n
	}
}
