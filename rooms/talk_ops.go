package rooms

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// A batch is a row of operations, each a code and its fields: numbers as uvarint,
// bytes with their length in front. What a later version adds to one it adds as a
// new code; who meets a code that it does not know has met a newer version than
// it can talk to, and ends the conversation.

// From a gate to a room.
const (
	upCall   = 1 // verb, session, token, uid, operation, body, matched, labels
	upReturn = 2 // session, uid, body of its join: a member that the room should know
	upEnded  = 3 // session, reason
	upBye    = 4 // the gate has no members any more
	upHello  = 5 // first of each conversation, then upReturns and nothing else in this batch
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
)

// Flags of downAnswer.
const (
	answerFailed = 1 << iota // code and text say why
	answerValue              // there is a body
	answerJoined
	answerLeft
)

func putUint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

func putBytes[T ~string | ~[]byte](b []byte, v T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

func putFrame(b []byte, f protocol.Frame) []byte {
	b = putUint(b, f.Replace)
	b = putBytes(b, f.Payload())
	if f.Text == nil {
		return append(b, 0)
	}
	return putBytes(append(b, 1), f.Text)
}

func putBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func putLabels(b []byte, l Labels) []byte {
	b = putUint(b, uint64(len(l)))
	for k, v := range l {
		b = putBytes(putBytes(b, k), v)
	}
	return b
}

func putMerge(b []byte, m Merge) []byte {
	b = putUint(putUint(b, uint64(m.Every)), uint64(m.Count))
	return putBool(putUint(b, uint64(m.Bytes)), m.Lossy)
}

// ops reads a batch. After the first thing that cannot be read everything is
// zero, and err says so.
type ops struct {
	rest []byte
	err  error
}

var errBatch = errors.New("batch cannot be read")

// next returns the code of the next operation; not ok: there is none.
func (o *ops) next() (code byte, ok bool) {
	if o.err != nil || len(o.rest) == 0 {
		return 0, false
	}
	code, o.rest = o.rest[0], o.rest[1:]
	return code, true
}

func (o *ops) uint() uint64 {
	n, size := binary.Uvarint(o.rest)
	if size <= 0 {
		o.fail()
		return 0
	}
	o.rest = o.rest[size:]
	return n
}

// bytes aliases the batch.
func (o *ops) bytes() []byte {
	n := o.uint()
	if n > uint64(len(o.rest)) {
		o.fail()
		return nil
	}
	b := o.rest[:n:n]
	o.rest = o.rest[n:]
	return b
}

func (o *ops) string() string { return string(o.bytes()) }

// frame makes a frame of this process's own, since the transport writes into its
// headroom.
func (o *ops) frame() (f protocol.Frame) {
	f.Replace = o.uint()
	payload := o.bytes()
	f.Packages = append(protocol.AppendHeadroom(make([]byte, 0, protocol.Headroom+len(payload))), payload...)
	if o.uint() == 1 {
		f.Text = o.bytes()
	}
	return f
}

func (o *ops) merge() Merge {
	return Merge{Every: time.Duration(o.uint()), Count: int(o.uint()), Bytes: int(o.uint()), Lossy: o.uint() == 1}
}

func (o *ops) labels() Labels {
	n := o.uint()
	if n == 0 || n > uint64(len(o.rest)) {
		return nil
	}
	l := make(Labels, n)
	for range n {
		k := o.string()
		l[k] = o.string()
	}
	return l
}

func (o *ops) fail() { o.rest, o.err = nil, errBatch }
