package actors

import (
	"net/netip"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Wire is a client's connection as its session sees it. Its methods are safe
// from any goroutine and never block; after the connection has ended they do
// nothing. *transport.Conn satisfies it.
type Wire interface {
	// Write sends the whole packages in buf[protocol.Headroom:]. The wire may
	// scribble on buf, which is the caller's again on return.
	Write(buf []byte)
	// WriteFrame sends shared bytes, which nobody may change.
	WriteFrame(f protocol.Frame)
	// WriteText sends one message on a text endpoint.
	WriteText(b []byte)
	// Close flushes what was written, in bounded time, and ends the connection.
	Close(r protocol.Reason)
	// Done reports inbound packets, and their body bytes, as handled.
	Done(packets, bytes int)
	// Timer asks for one Session.Tick at about that time; zero stops it.
	Timer(at time.Time)
	// Resume ends the hold of one Session.Reply.
	Resume()
	RemoteAddr() netip.AddrPort
	IsText() bool
}

// Audience is the fan-out port of one room on this gate. Its methods are called
// by one goroutine at a time, the room's, and never block. What one audience
// sends to one wire arrives in the order of the calls. Whoever wires the server
// provides it with Config.NewAudience.
type Audience interface {
	Join(w Wire)
	Leave(w Wire)
	Send(w Wire, f protocol.Frame)
	// Reply hands v to the session, behind all that was sent to it, and holds
	// back what follows until Wire.Resume.
	Reply(w Wire, v any)
	// Multicast does not keep ws. It and Broadcast call done, if not nil, once and
	// from any goroutine.
	Multicast(ws []Wire, f protocol.Frame, done func(sent, dropped int))
	Broadcast(f protocol.Frame, except Wire, done func(sent, dropped int))
	// SetMerge changes how broadcasts are gathered, from the next one on.
	SetMerge(m Merge)
	Close()
}

// Merge says how an Audience gathers broadcasts into messages. With the zero
// value each leaves as soon as the one before has been written.
type Merge struct {
	// Every is the window. A broadcast after silence leaves at once and opens
	// it; what comes until its end leaves together then, as whole packages in
	// one message, and opens the next. When members cannot be written to as
	// fast, windows get longer by themselves.
	Every time.Duration
	// Count and Bytes end a window early, when that many broadcasts, or bytes of
	// them, wait. 0: no such bound.
	Count, Bytes int
	// Lossy keeps members that are too slow: instead of closing them, the oldest
	// messages they have not taken are dropped and counted.
	Lossy bool
}
