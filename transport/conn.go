package transport

import (
	"net/netip"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Conn is one connection, of a Server or of a Client. Its methods are safe from
// any goroutine, never block, and do nothing once the connection has ended.
type Conn struct {
	remote netip.AddrPort
}

// Write sends buf[protocol.Headroom:], one or several whole packages. The
// headroom is scratch space for the WebSocket header; the whole of buf is the
// caller's again on return. What the socket does not take at once is copied and
// sent later; more than OutLimit unsent bytes close with ReasonSlow.
func (c *Conn) Write(buf []byte) {}

// WriteFrame sends the packages of f, or its text on a text endpoint (nothing
// when there is none). The bytes are shared and never written to.
func (c *Conn) WriteFrame(f protocol.Frame) {}

// WriteText sends b as one text message, on a text endpoint; elsewhere it does
// nothing. b is the caller's again on return.
func (c *Conn) WriteText(b []byte) {}

// Close ends the connection: nothing more is received, what was written is
// flushed within Config.Flush, a WebSocket peer gets a close frame with r's
// code and text, then the socket is closed. The first call wins.
func (c *Conn) Close(r protocol.Reason) {}

// Done reports that the receiver has finished that many packets with that many
// body bytes in all. Reading resumes when half of the budget is free.
func (c *Conn) Done(packets, bytes int) {}

// Timer asks for Receiver.Tick at the given time, or up to 40 ms later. A
// connection has one timer: a new time replaces the old, zero stops it.
func (c *Conn) Timer(at time.Time) {}

// Resume ends the hold of one Receiver.Reply: what audiences sent after that
// value, up to the next one, is released.
func (c *Conn) Resume() {}

// RemoteAddr is the peer's address, zero for an in-memory peer.
func (c *Conn) RemoteAddr() netip.AddrPort { return c.remote }

// Path is the URL path of the upgrade, "" on TCP.
func (c *Conn) Path() string { return "" }

// IsText reports whether this is a JSON text endpoint.
func (c *Conn) IsText() bool { return false }

// Queued is the number of bytes written and not yet taken by the socket.
func (c *Conn) Queued() int { return 0 }
