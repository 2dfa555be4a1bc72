package rooms

import (
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/talk"
)

// From a gate to a room.
const (
	upCall   = 1 // verb, session, token, uid, operation, body, matched, labels
	upReturn = 2 // session, uid, body of its join: a member that the room should know
	upEnded  = 3 // session, reason
	upBye    = 4 // the gate has no members any more
	upHello  = 5 // first of each conversation, then upReturns, with upStates, and nothing else in this batch
	upState  = 6 // session, uid, attributes: those of the session, ahead of what it says when they have changed
	upSerial = 7 // the gate's number for the next upCall; those that follow count on
	upEcho   = 8 // number: to be echoed
)

// From a room to a gate.
const (
	downJoin      = 1  // session: gets what follows
	downLeave     = 2  // session
	downAnswer    = 3  // session, token, flags, code, text, body
	downSend      = 4  // session, frame
	downMulticast = 5  // n, sessions, frame
	downBroadcast = 6  // session to leave out or 0, number of messages, frame
	downPush      = 7  // session, route, body
	downKick      = 8  // session, reason, text
	downMoved     = 9  // the room goes on elsewhere
	downResync    = 11 // the members here came too late for some of what the room said
	downMerge     = 10 // window in ns, count, bytes, lossy
	downEcho      = 13 // number
	downRest      = 12 // session, what else was sent to its reference
)

// Flags of downAnswer.
const (
	answerFailed = 1 << iota // code and text say why
	answerValue              // there is a body
	answerJoined
	answerLeft
)

func putLabels(b []byte, l Labels) []byte {
	b = talk.PutUint(b, uint64(len(l)))
	for k, v := range l {
		b = talk.PutBytes(talk.PutBytes(b, k), v)
	}
	return b
}

func putMerge(b []byte, m Merge) []byte {
	b = talk.PutUint(talk.PutUint(b, uint64(m.Every)), uint64(m.Count))
	return talk.PutBool(talk.PutUint(b, uint64(m.Bytes)), m.Lossy)
}

// ops reads a batch.
type ops struct{ talk.Reader }

func (o *ops) merge() Merge {
	return Merge{Every: time.Duration(o.Uint()), Count: int(o.Uint()), Bytes: int(o.Uint()), Lossy: o.Uint() == 1}
}

func (o *ops) labels() Labels {
	n := o.Uint()
	if n == 0 || n > uint64(len(o.Rest)) {
		return nil
	}
	l := make(Labels, n)
	for range n {
		k := o.String()
		l[k] = o.String()
	}
	return l
}
