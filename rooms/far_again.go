package rooms

import (
	"github.com/shaddock-game/shaddock/actors"
)

// A gate that loses its conversation with a room asks again, in the next one, what
// was not answered. If the room it finds is the same one, which had only lost its
// lease for a while and goes on under a new epoch, then some of that was carried out
// already and must not be once more. So a gate numbers its calls, through all of its
// conversations with all of a room's activations, and a room remembers of each gate
// how far it has come, and what it last answered to each session.

// had is what a room keeps of a gate when their conversation ends.
type had struct {
	serial  uint64                // of the last call that was carried out
	answers map[uint64]lastAnswer // by session, of those behind the gate when it was lost
}

// lastAnswer is what a session was answered last, as it goes into a batch.
type lastAnswer struct {
	token uint32 // 0: nothing yet
	op    []byte
}

// keep copies op into the room that it has.
func (l *lastAnswer) keep(token uint32, op []byte) {
	if token != 0 {
		l.token, l.op = token, append(l.op[:0], op...)
	}
}

// of returns what is known of a gate.
func (f *far) of(gate string) *had {
	h, ok := f.had[gate]
	if !ok {
		h = &had{answers: make(map[uint64]lastAnswer)}
		f.had[gate] = h
	}
	return h
}

// repeated counts one more call of a gate, and says whether it was carried out
// before.
func (f *far) repeated(g *gate) bool {
	if g.serial == 0 {
		return false // it does not number them
	}
	h := f.of(g.Peer.ID)
	if g.serial++; g.serial <= h.serial {
		return true
	}
	h.serial = g.serial
	return false
}

// answerAgain answers a call that was carried out before. What nobody remembers is
// an error that says so: the caller must look for itself.
func (f *far) answerAgain(b *behind, id uint64, token actors.Token) {
	if token == (actors.Token{}) {
		return
	}
	if b.last.token != token.Number() {
		b.last = f.of(b.gate.Peer.ID).answers[id]
	}
	if b.last.token != token.Number() {
		f.answerTo(id, actors.Answer{Token: token, Err: errUnanswered})
		return
	}
	b.gate.Batch = append(b.gate.Batch, b.last.op...)
	f.bytes += len(b.last.op)
}

// remember keeps the last answers of the sessions behind a gate that is lost.
func (f *far) remember(g *gate) {
	h := f.of(g.Peer.ID)
	clear(h.answers)
	for id, b := range f.sessions {
		if b.gate == g && b.last.token != 0 {
			h.answers[id] = b.last
		}
	}
}
