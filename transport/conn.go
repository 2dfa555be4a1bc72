package transport

import (
	"errors"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// connPhase is how far a connection has come.
type connPhase uint8

const (
	phaseDial   connPhase = iota // connecting, on the client side
	phaseSniff                   // nothing has arrived yet
	phaseHead                    // an HTTP head is arriving
	phaseOpen                    // packages or text messages flow
	phaseEnding                  // closed by us or by the peer: flushing, input is thrown away
	phaseGone
)

// connKind is how packages are wrapped.
type connKind uint8

const (
	kindStream connKind = iota // raw TCP
	kindSocket                 // binary WebSocket
	kindText                   // text WebSocket
)

// Conn is one connection, of a Server or of a Client. Its methods are safe from
// any goroutine, never block, and do nothing once the connection has ended.
type Conn struct {
	// What a walk touches, kept within the first 64 bytes: in a large room it is
	// out of the cache at every visit, so a delivery should miss it once.
	//
	// loop, sock and fd are set at birth. kind is written by the loop before
	// phaseOpen is reached and read-only afterwards; phase is the loop's. What
	// stands between mu and phase is under mu.
	loop   *loop
	sock   socket
	mu     sync.Mutex
	out    *outQueue // nil when nothing waits
	hold   *hold     // nil when no reply is held
	ended  bool      // nothing more is accepted
	closed bool      // the socket is closed
	armed  bool      // output readiness is watched
	shut   bool      // our direction is ended when the queue is empty
	phase  connPhase
	kind   connKind
	fd     int32 // of sock, noDescriptor when it has none

	// Under mu as well.
	reason protocol.Reason
	wsCode uint16 // of the close frame, when the peer broke a rule of RFC 6455

	// Set at birth, read-only afterwards.
	remote netip.AddrPort
	dialed *dialing // nil on the server side

	// Owned by the loop.
	slot     int32 // noSlot before enter
	recv     Receiver
	asked    *asked   // what the upgrade request said; nil on TCP
	in       *partial // what is unfinished; nil at rest
	ws       wsReader
	timer    wheelNode
	deadline int64 // engine clock at which the phase ends, 0: never
	seats    []seat

	// Any goroutine.
	wanted             atomic.Int64 // engine clock of the receiver's timer, 0: none
	armedAt            atomic.Int64 // engine clock at which the wheel fires, 0: never
	inPackets, inBytes atomic.Int32
	paused             atomic.Bool
}

// asked is what an upgrade request said.
type asked struct {
	path   string
	query  string
	header requestHeader
}

// partial is what a connection keeps of input that is not complete.
type partial struct {
	head   []byte // HTTP head, until the upgrade
	seen   int    // bytes of head looked at
	cutter protocol.Cutter
	text   []byte // fragments of a text message
}

// noSlot marks a connection that its loop has not taken yet.
const noSlot = -1

func newConn(l *loop, sock socket, remote netip.AddrPort) *Conn {
	return &Conn{loop: l, sock: sock, fd: descriptor(sock), remote: remote, slot: noSlot, phase: phaseSniff}
}

// RemoteAddr is the peer's address, zero for an in-memory peer.
func (c *Conn) RemoteAddr() netip.AddrPort { return c.remote }

// Path is the URL path of the upgrade, "" on TCP.
func (c *Conn) Path() string {
	if c.asked == nil {
		return ""
	}
	return c.asked.path
}

// Query is the URL query of the upgrade, without the question mark.
func (c *Conn) Query() string {
	if c.asked == nil {
		return ""
	}
	return c.asked.query
}

// Header returns a header field of the upgrade request, "" when there is none.
// Only what a validator may ask for is kept, not the fields of the upgrade itself.
func (c *Conn) Header(name string) string {
	if c.asked == nil {
		return ""
	}
	return c.asked.header.get(name)
}

// IsText reports whether this is a JSON text endpoint.
func (c *Conn) IsText() bool { return c.kind == kindText }

// Close ends the connection: nothing more is received, what was written is
// flushed within Config.Flush, a WebSocket peer gets a close frame with r's
// code and text, then the socket is closed. The first call wins.
func (c *Conn) Close(r protocol.Reason) {
	c.mu.Lock()
	won := c.end(r)
	c.mu.Unlock()
	if won {
		c.loop.post(op{kind: opEnd, conn: c})
	}
}

// end stops accepting output. Under mu.
func (c *Conn) end(r protocol.Reason) bool {
	if c.ended {
		return false
	}
	c.ended, c.reason = true, r
	return true
}

// fail ends the connection on the loop, because of what the peer did.
func (c *Conn) fail(r protocol.Reason, cause error) {
	c.mu.Lock()
	won := c.end(r)
	c.mu.Unlock()
	if won {
		c.ending(cause)
	}
}

// ending tells the receiver and begins the flush. On the loop, once.
func (c *Conn) ending(cause error) {
	if c.phase >= phaseEnding || c.slot == noSlot {
		return // of a dial under way: the loop finds it ended when it comes
	}
	was := c.phase
	c.phase = phaseEnding
	c.leaveAll()
	c.in = nil
	c.wanted.Store(0)
	c.loop.stats.closed[c.reason].Add(1)
	if c.recv != nil {
		c.recv.Closed(c.reason, cause)
	}
	if was == phaseDial {
		c.abort(c.reason, nil)
		return
	}
	c.setDeadline(c.loop.flush)
	c.mu.Lock()
	if was == phaseOpen && c.kind != kindStream && !c.closed {
		c.sendClose()
	}
	c.loop.tally.droppedClosed += c.hold.messages()
	c.hold, c.shut = nil, true
	c.shutIfFlushed()
	if c.paused.Swap(false) {
		c.watch() // what arrives is thrown away, and the end must be seen
	}
	c.mu.Unlock()
}

// shutIfFlushed ends our direction once all is sent. Under mu.
func (c *Conn) shutIfFlushed() {
	if c.shut && c.out == nil && !c.closed {
		c.sock.shutdown()
	}
}

// lost deals with a read that failed or found the end.
func (c *Conn) lost(err error) {
	if errors.Is(err, io.EOF) {
		err = nil
	}
	c.abort(protocol.ReasonClientGone, err)
}

// abort drops the connection at once. On the loop.
func (c *Conn) abort(r protocol.Reason, cause error) {
	if c.phase == phaseGone {
		return
	}
	if c.phase < phaseEnding {
		c.mu.Lock()
		c.end(r)
		c.mu.Unlock()
		c.phase = phaseEnding
		c.leaveAll()
		c.loop.stats.closed[c.reason].Add(1)
		if c.recv != nil {
			c.recv.Closed(c.reason, cause)
		}
	}
	c.phase = phaseGone
	c.mu.Lock()
	reset := c.out != nil
	c.loop.tally.droppedClosed += c.out.messages() + c.hold.messages()
	c.release()
	c.closed = true
	c.sock.close(reset)
	c.mu.Unlock()
	c.loop.forget(c)
	if c.loop.released != nil {
		c.loop.released(c)
	}
}

// stillborn ends a connection that came when its loop had gone.
func (c *Conn) stillborn() {
	c.sock.close(true)
	c.loop.load.Add(-1)
	if c.loop.released != nil {
		c.loop.released(c)
	}
	if c.dialed != nil {
		c.recv.Closed(protocol.ReasonShutdown, nil)
	}
}

// Timer asks for Receiver.Tick at the given time, or up to 40 ms later. A
// connection has one timer: a new time replaces the old, zero stops it.
func (c *Conn) Timer(at time.Time) {
	if at.IsZero() {
		c.wanted.Store(0)
		return
	}
	want := c.loop.clock(at)
	c.wanted.Store(want)
	if armed := c.armedAt.Load(); armed == 0 || want < armed {
		c.loop.post(op{kind: opTimer, conn: c})
	}
}

// setDeadline bounds the phase; 0 takes the bound away.
func (c *Conn) setDeadline(d time.Duration) {
	c.deadline = 0
	if d > 0 {
		c.deadline = c.loop.now + int64(d)
	}
	c.loop.schedule(c)
}

// schedule puts c where the wheel will see it in time.
func (l *loop) schedule(c *Conn) {
	if c.phase == phaseGone {
		return
	}
	at := c.wanted.Load()
	if c.deadline != 0 && (at == 0 || c.deadline < at) {
		at = c.deadline
	}
	if at == 0 {
		return // what is in the wheel finds nothing to do
	}
	tick := tickOf(at)
	if c.timer.tick != 0 && c.timer.tick <= tick {
		return
	}
	l.wheel.remove(c)
	l.wheel.add(c, tick)
	c.armedAt.Store(c.timer.tick * wheelTick)
}

// due is called by the wheel.
func (l *loop) due(c *Conn) {
	c.armedAt.Store(0)
	if c.deadline != 0 && l.now >= c.deadline {
		c.expired()
		if c.phase == phaseGone {
			return
		}
	}
	if at := c.wanted.Load(); at != 0 && l.now >= at && c.wanted.CompareAndSwap(at, 0) && c.phase == phaseOpen {
		c.recv.Tick(l.time)
	}
	l.schedule(c)
}

// expired ends a phase that took too long.
func (c *Conn) expired() {
	c.deadline = 0
	switch c.phase {
	case phaseEnding:
		c.abort(c.reason, nil)
	case phaseOpen, phaseGone:
	default:
		c.abort(protocol.ReasonHandshakeTimeout, errSlowOpening)
	}
}

var errSlowOpening = errors.New("transport: connection was not opened in time")
