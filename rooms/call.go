package rooms

import (
	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Key names a room: its kind and its id within the kind.
type Key struct{ Kind, ID string }

func (k Key) String() string { return k.Kind + "/" + k.ID }

type verb uint8

const (
	verbOp verb = iota
	verbJoin
	verbLeave
)

// call is what a session asks of a room. Nobody changes it after sending.
type call struct {
	from  *actors.Ref // nil in a Sim
	id    uint64      // of the session
	uid   string
	verb  verb
	op    *operation // nil for verbLeave
	req   any        // decoded, the room's own; nil when the room is elsewhere
	body  []byte     // not decoded; only when the room may be elsewhere
	key   Key        // of a join: the room it is for
	token actors.Token

	matched bool   // of a join: the directory chose the room
	labels  Labels // of a matched join: what a new room gets
}

func (cl *call) name() string {
	if cl.op == nil {
		return "leave"
	}
	return cl.op.name
}

// Refused answers the session when a mailbox would not take the call, or lost it
// with a room that stopped.
func (cl *call) Refused(err error) {
	a := actors.Answer{Token: cl.token, Err: protocol.Errorf(protocol.CodeUnavailable, "room is not available: %v", err)}
	if cl.verb == verbJoin {
		a.Left = &actors.Membership{Kind: cl.key.Kind, Room: cl.key.ID} // it was entered ahead of the answer
	}
	if cl.token != (actors.Token{}) || a.Left != nil {
		cl.from.Answer(a)
	}
}

// LeaveReply answers <kind>.leave.
type LeaveReply struct {
	Code   int    `json:"code"`
	Result string `json:"result"`
}
