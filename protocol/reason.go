package protocol

import (
	"fmt"
	"iter"
)

// Reason is why a connection ended: an immutable, comparable value with a code
// for programs, a name for metrics and a text for the player. The zero value is
// ReasonNone. Clients test for the codes: they are never renumbered, new ones go
// to the end.
type Reason uint8

// The number of each constant is its Code.
const (
	ReasonNone             Reason = 0  // still open, or nobody said
	ReasonClientGone       Reason = 1  // the client closed, or its network did
	ReasonProtocol         Reason = 2  // the client broke a rule of this package
	ReasonHandshakeTimeout Reason = 3  // no handshake, or no ack, before the deadline
	ReasonHandshakeRefused Reason = 4  // the validator said no
	ReasonIdle             Reason = 5  // nothing arrived for three heartbeat intervals
	ReasonSlow             Reason = 6  // more unsent bytes than a session may hold
	ReasonTooBig           Reason = 7  // a message over the limit
	ReasonRateLimited      Reason = 8  // kept sending too much after being told
	ReasonKicked           Reason = 9  // the game said so
	ReasonReplaced         Reason = 10 // the same user logged in elsewhere
	ReasonShutdown         Reason = 11 // this server stops
	ReasonAddrLimit        Reason = 12 // too many connections from one address
	ReasonOverload         Reason = 13 // the server is full
	ReasonInternal         Reason = 14 // a fault of ours
	ReasonUnmasked         Reason = 15 // a WebSocket client that does not mask (RFC 6455, 5.1)
	ReasonText             Reason = 16 // a WebSocket text message where only binary is spoken
	ReasonOver             Reason = 17 // what the client was in has ended, as it was meant to
)

// reasonRow is what a reason says to whom.
type reasonRow struct {
	name  string
	text  string
	retry bool
	ws    uint16
}

// Where RFC 6455, 7.4.1 and the IANA registry have no word for a reason, the
// close code is 4000 + Code, from the range left to applications.
var reasonTable = [...]reasonRow{
	ReasonNone:             {"none", "", false, 1000},
	ReasonClientGone:       {"client_gone", "connection closed", true, 1000},
	ReasonProtocol:         {"protocol", "protocol error", false, 1002},
	ReasonHandshakeTimeout: {"handshake_timeout", "handshake timeout", true, 4003},
	ReasonHandshakeRefused: {"handshake_refused", "handshake refused", false, 4004},
	ReasonIdle:             {"idle", "no heartbeat", true, 4005},
	ReasonSlow:             {"slow", "connection too slow", true, 4006},
	ReasonTooBig:           {"too_big", "message too big", false, 1009},
	ReasonRateLimited:      {"rate_limited", "too many messages", false, 1008},
	ReasonKicked:           {"kicked", "kicked", false, 4009},
	ReasonReplaced:         {"replaced", "logged in elsewhere", false, 4010},
	ReasonShutdown:         {"shutdown", "server is stopping", true, 1001},
	ReasonAddrLimit:        {"addr_limit", "too many connections from this address", true, 1008},
	ReasonOverload:         {"overload", "server is full", true, 1013},
	ReasonInternal:         {"internal", "internal error", true, 1011},
	ReasonUnmasked:         {"unmasked", "frames must be masked", false, 1002},
	ReasonText:             {"text", "binary messages only", false, 1003},
	ReasonOver:             {"over", "it is over", false, 4017},
}

// NumReasons is one more than the highest code: the length of an array with a
// counter for each reason.
const NumReasons = len(reasonTable)

// Reasons returns all reasons in the order of their codes, ReasonNone first.
func Reasons() iter.Seq[Reason] {
	return func(yield func(Reason) bool) {
		for i := range NumReasons {
			if !yield(Reason(i)) {
				return
			}
		}
	}
}

func (r Reason) row() reasonRow {
	if int(r) < NumReasons {
		return reasonTable[r]
	}
	return reasonRow{name: fmt.Sprintf("reason_%d", uint8(r)), text: "connection closed", ws: 4000 + uint16(r)}
}

// Code returns the number that the kick body carries.
func (r Reason) Code() int { return int(r) }

// Name returns the name in snake_case, fit for a metric label.
func (r Reason) Name() string { return r.row().name }

// String returns Name.
func (r Reason) String() string { return r.Name() }

// Text returns what the player sees.
func (r Reason) Text() string { return r.row().text }

// Retry reports whether a client may connect again by itself, after a pause.
// Where it is false the same would only happen again, or a person has decided.
func (r Reason) Retry() bool { return r.row().retry }

// WS returns the WebSocket close code.
func (r Reason) WS() uint16 { return r.row().ws }
