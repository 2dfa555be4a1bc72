package wire

// The op codes. A code keeps its number for ever; a receiver that does not know
// one answers a call with "not implemented" and counts the rest.
const (
	// Link. None of these is counted in the window.
	OpAck    = 1 // link_ack only
	OpPing   = 2 // seq: the last place that was used; answered by OpAck
	OpAnswer = 3 // call, code, text, body, and what the call's op says

	// Directory. Calls.
	OpClaim = 10 // kind, id: see to it that the room runs. Answer: epoch when it runs here, else body: a Place that owns it
)
