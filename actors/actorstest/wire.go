// Package actorstest drives sessions and rooms without sockets: a Wire and an
// Audience in memory, and a probe whose methods read as a conversation.
package actorstest

import (
	"net/netip"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Wire is a connection in memory. It is safe from any goroutine; what was written
// is read by a Probe. Its timer runs on the clock of time.AfterFunc, so that it is
// fake time in a synctest bubble.
type Wire struct {
	mu      sync.Mutex
	session *actors.Session // set before opened is closed
	opened  chan struct{}
	out     []byte // packages not read yet
	text    bool
	texts   []string // messages on a text endpoint, not read yet
	arrived chan struct{}
	closed  bool
	why     protocol.Reason
	timer   *time.Timer
	writes  int
	packets int // reported by Done
	held    int // replies that Resume has not ended yet
	behind  []byte
	tap     func(packages []byte)
}

var _ actors.Wire = (*Wire)(nil)

// NewWire returns an open wire without a session.
func NewWire() *Wire {
	return &Wire{arrived: make(chan struct{}, 1), opened: make(chan struct{})}
}

// open gives the wire its session, which may have been at work already.
func (w *Wire) open(s *actors.Session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.session = s
	close(w.opened)
}

// reply hands v to the session, as a transport does on the loop that opened it.
func (w *Wire) reply(v any) {
	<-w.opened
	w.hold()
	w.session.Reply(v)
}

// Tap calls f with every write to the wire from now on, before it can be read. F
// runs on the writer's goroutine and must not call the wire.
func (w *Wire) Tap(f func(packages []byte)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tap = f
}

// Write implements actors.Wire.
func (w *Wire) Write(buf []byte) { w.write(buf[protocol.Headroom:], false) }

// WriteFrame implements actors.Wire.
func (w *Wire) WriteFrame(f protocol.Frame) { w.frame(f, false) }

// frame writes what a wire of this kind can read.
func (w *Wire) frame(f protocol.Frame, room bool) {
	if w.text {
		w.WriteText(f.Text) // a text wire does not hold: no test asks for that order
		return
	}
	w.write(f.Payload(), room)
}

// WriteText implements actors.Wire.
func (w *Wire) WriteText(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(b) == 0 {
		return
	}
	w.writes++
	w.texts = append(w.texts, string(b))
	w.wake()
}

// write appends what was sent; what rooms send waits while a reply is held.
func (w *Wire) write(b []byte, room bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return
	case room && w.held > 0:
		w.behind = append(w.behind, b...)
		return
	}
	w.writes++
	if w.tap != nil {
		w.tap(b)
	}
	w.out = append(w.out, b...)
	w.wake()
}

func (w *Wire) wake() {
	select {
	case w.arrived <- struct{}{}:
	default:
	}
}

// Close implements actors.Wire: the session hears of it as it would from a socket.
func (w *Wire) Close(r protocol.Reason) { w.end(r) }

// Drop ends the connection from the client's side.
func (w *Wire) Drop() { w.end(protocol.ReasonClientGone) }

func (w *Wire) end(r protocol.Reason) {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.closed, w.why = true, r
	if w.timer != nil {
		w.timer.Stop()
	}
	s := w.session
	w.wake()
	w.mu.Unlock()
	if s != nil {
		s.Closed(r, nil)
	}
}

// Done implements actors.Wire.
func (w *Wire) Done(packets, _ int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packets += packets
}

// Handled returns how many packets the session has reported as done.
func (w *Wire) Handled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.packets
}

// Writes returns how many writes the session has made: a run of many messages
// costs one.
func (w *Wire) Writes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

// Timer implements actors.Wire.
func (w *Wire) Timer(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	if at.IsZero() || w.closed {
		return
	}
	w.timer = time.AfterFunc(time.Until(at), func() {
		w.mu.Lock()
		s, closed := w.session, w.closed
		w.mu.Unlock()
		if s != nil && !closed {
			s.Tick(time.Now())
		}
	})
}

// Resume implements actors.Wire.
func (w *Wire) Resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held--; w.held > 0 || w.closed {
		return
	}
	w.out, w.behind = append(w.out, w.behind...), nil
	w.wake()
}

// RemoteAddr implements actors.Wire.
func (w *Wire) RemoteAddr() netip.AddrPort { return netip.AddrPort{} }

// IsText implements actors.Wire.
func (w *Wire) IsText() bool { return w.text }

// Held returns how many replies have not been resumed.
func (w *Wire) Held() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held
}

func (w *Wire) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held++
}
