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
	OpMoves = 11 // what the node has seen of moves. Answer: body, JSON of package directory

	// The conversation of a gate and a room: kind, id, epoch, talk, ack. The code
	// says who speaks; to it is added one of the words below.
	OpFromGate = 20
	OpFromRoom = 30

	// The same of a gate and a shard of the users.
	OpFromUserGate = 60
	OpFromUsers    = 70
)

// The directory of what rooms there are. Bodies are JSON of package rooms.
const (
	OpRoomReports = 40 // what the sender's rooms say of themselves, to the node that keeps the list
	OpRoomQuery   = 41 // a call. Answer: body
	OpRoomTell    = 43 // a call. kind, id; body: the message as JSON
	OpRoomCreate  = 42 // a call. kind, id; body: labels
)

// The words of the conversation of a gate and a room or a shard.
const (
	TalkSay    = 0 // seq: place; body: a batch of package rooms
	TalkHead   = 1 // seq: the last place that was used
	TalkAsk    = 2 // seq: everything from there on is missing here
	TalkLost   = 3 // seq: everything before is lost
	TalkAck    = 4 // ack only
	TalkGone   = 5 // this end knows nothing of such a conversation
	TalkPaused = 6 // the room cannot answer now, and will when it can; from rooms only
	TalkRoll   = 7 // a roll call: whoever has members of the room should begin to talk; from rooms only, without talk
	TalkWords  = 8
)

// OpPost is the post between nodes, see package post; to it is added one of the words
// below.
const OpPost = 80

// OpStats is a call for the receiver's counters. Answer: body, JSON of the server.
const OpStats = 90

// The words of the post. Talk is the number of the flow that they are about.
const (
	PostSay   = 0 // seq: place; body: messages, each with its length in front
	PostHead  = 1 // seq: the last place that was used
	PostLost  = 2 // seq: everything before is lost
	PostAsk   = 3 // seq: everything from there on is missing here; ack
	PostAck   = 4 // ack only
	PostWords = 5
)
