package actors

import (
	"sync"

	"github.com/shaddock-game/shaddock/protocol"
)

// event is one thing that happens to a session.
type event struct {
	kind   eventKind
	held   bool // Resume is due when it is handled
	reason protocol.Reason
	packet protocol.Packet
	chunk  *protocol.Chunk
	msg    any // of eventMessage; the cause of eventClosed
}

type eventKind uint8

const (
	eventPacket eventKind = iota
	eventInvoke           // msg is an *invocation
	eventTick
	eventMessage
	eventClosed
	eventTasks // the alarm of the session's tasks has rung
)

var events = sync.Pool{New: func() any { return new(node[event]) }}

// post is for every goroutine but the loop's.
func (s *Session) post(e event) {
	if s.push(e) {
		go s.reader() // ends with the inbox empty; App.Shutdown waits for the sessions
	}
}

func (s *Session) onLoop(e event) {
	if s.push(e) {
		s.run(true)
	}
}

// push reports true to whoever has to run the session.
func (s *Session) push(e event) bool {
	n := events.Get().(*node[event])
	n.v = e
	return s.in.push(n)
}

// off runs the session off the loop.
func (s *Session) off() { s.run(false) }

// loopSweeps bounds how often in a row a session is swept on the loop: others may
// post to it faster than that gets done.
const loopSweeps = 8

// run handles what is in the inbox until it is empty, or on the loop until it
// comes to what may wait there or has been at it for long.
func (s *Session) run(loop bool) {
	t := turns.Get().(*turn)
	t.loop = loop
	for n := 0; ; n++ {
		if loop && n == loopSweeps || !s.sweep(t) || !s.catchUp(t) {
			t.free(s)
			go s.reader()
			return
		}
		s.depart(t)
		t.flush(s)
		s.arm()
		if s.in.rest() {
			break
		}
	}
	t.free(s)
}

// sweep handles what has come in. It stops in front of an event that must not be
// handled here, and then reports false.
func (s *Session) sweep(t *turn) bool {
	n := s.rest
	if s.rest = nil; n == nil {
		n = s.in.take()
	}
	for n != nil {
		next := n.next
		if !s.event(t, n) {
			s.rest = n
			return false
		}
		n = next
	}
	return true
}

// event handles one event, or keeps it for later. It reports false for one that
// must not be handled on the loop, and leaves it as it is.
func (s *Session) event(t *turn, n *node[event]) bool {
	e := &n.v
	switch e.kind {
	case eventPacket, eventInvoke:
		if e.packet.Type != protocol.Heartbeat && (s.busy() || !s.backlog.empty()) && !s.ended {
			s.backlog.push(n)
			return true
		}
		if t.loop && s.mayWait(t, e) {
			return false
		}
		s.packet(t, e)
	case eventTick:
		s.armed = 0
		s.tick(t)
	case eventMessage:
		s.message(t, e.msg)
		if e.held {
			t.flush(s) // first the answer, then what the room sent behind it
			s.wire.Resume()
		}
	case eventTasks:
		if t.loop {
			return false
		}
		s.tasksDue(t)
	case eventClosed:
		if t.loop && s.hasCallbacks() {
			return false
		}
		cause, _ := e.msg.(error)
		s.end(e.reason, cause)
	}
	recycle(n)
	return true
}

// catchUp handles what had to wait for an answer, with the result of event.
func (s *Session) catchUp(t *turn) bool {
	for (!s.busy() || s.ended) && !s.backlog.empty() {
		if t.loop && s.mayWait(t, &s.backlog.first.v) {
			return false
		}
		n := s.backlog.pop()
		s.packet(t, &n.v)
		recycle(n)
	}
	return true
}

// mayWait reports whether the handling of e may hold up the goroutine it is done
// on: only what is known not to is done on the loop.
func (s *Session) mayWait(t *turn, e *event) bool {
	p := e.packet
	switch {
	case s.ended:
		return false
	case e.kind == eventInvoke:
		return true
	case p.Type == protocol.Handshake:
		return s.app.cfg.Validate != nil
	case p.Type != protocol.Data:
		return false
	}
	t.parse(s, p.Body)
	if t.broken != nil {
		return false
	}
	r := s.app.routes[t.message.Route]
	return r != nil && !r.onLoop
}

func recycle(n *node[event]) {
	*n = node[event]{}
	events.Put(n)
}
