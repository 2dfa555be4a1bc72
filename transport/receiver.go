package transport

import (
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Receiver is the owner of a connection's inbound side. Its methods are called
// on the connection's loop, one at a time and in order, and must not block: a
// loop that waits makes thousands of players wait.
type Receiver interface {
	// Packet hands over one whole package, or on a text endpoint one text
	// message as the body of a Data package. Body aliases c, and the receiver
	// calls c.Release exactly once when it is done with it; the reference is
	// already taken. A nil c means that Body belongs to the receiver. Every
	// packet is reported back by Conn.Done.
	Packet(p protocol.Packet, c *protocol.Chunk)
	// Batch says that all packages of one read have been handed over, be it in the
	// course of Closed: a receiver that works on the loop does it now.
	Batch()
	// Tick says that the time set by Conn.Timer has come.
	Tick(now time.Time)
	// Reply is an ordered private value from an audience. What audiences send
	// after it is held back until Conn.Resume.
	Reply(v any)
	// Closed is the last call: no byte handed to the connection from now on is
	// sent. What was written before is still being flushed, in bounded time.
	// cause is what the operator wants to know, nil when nothing went wrong.
	Closed(r protocol.Reason, cause error)
}

// ClientReceiver is the owner of a dialled connection. A dial that fails ends
// in Closed without a call of Opened.
type ClientReceiver interface {
	Receiver
	// Connected says that the TCP connection is up.
	Connected(now time.Time)
	// Opened says that packages may be written: after the WebSocket upgrade,
	// and right after Connected on tcp://.
	Opened(now time.Time)
}
