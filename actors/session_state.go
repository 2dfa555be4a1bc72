package actors

import (
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// phase is how far a client has come in the conversation of PROTOCOL, "Order is
// enforced".
type phase uint8

const (
	phaseOpen    phase = iota // nothing was said yet
	phaseGreeted              // the handshake is answered, the ack is due
	phaseWorking              // data may flow
	phaseClosing              // the end has been announced; nothing counts any more
)

// action is what the session must do about a packet or a deadline.
type action uint8

const (
	actNone      action = iota
	actHandshake        // answer the handshake
	actReady            // the conversation is open: send the first heartbeat
	actBeat             // send a heartbeat
	actData             // handle the message
	actClose            // end the session with sessionState.why
)

// silence is how many heartbeat intervals without a byte end a session.
const silence = 3

// sessionState decides what a session does. It is a value without clock, wire
// or actor: instants are given as the time since the application's start.
type sessionState struct {
	phase    phase
	why      protocol.Reason
	interval time.Duration // of heartbeats, 0: none
	deadline time.Duration // of the handshake and the ack
	heard    time.Duration // when the last packet came
	beat     time.Duration // when the last heartbeat came or, later, went
}

func newSessionState(now, handshake, interval time.Duration) sessionState {
	return sessionState{deadline: now + handshake, interval: interval, heard: now}
}

// work begins a session that has no handshake.
func (s *sessionState) work(now time.Duration) { s.phase, s.beat = phaseWorking, now }

// packet decides about one inbound packet.
func (s *sessionState) packet(now time.Duration, typ protocol.PacketType) action {
	if s.phase == phaseClosing {
		return actNone
	}
	s.heard = now
	switch {
	case typ == protocol.Kick: // "a kick from a client is ignored"
		return actNone
	case typ == protocol.Handshake && s.phase == phaseOpen:
		s.phase = phaseGreeted
		return actHandshake
	case typ == protocol.HandshakeAck && s.phase == phaseGreeted:
		s.phase, s.beat = phaseWorking, now
		if s.interval <= 0 {
			return actNone
		}
		return actReady
	case typ == protocol.Heartbeat && s.phase == phaseWorking:
		s.beat = now
		return actBeat
	case typ == protocol.Heartbeat && s.phase == phaseGreeted:
		return actNone // a timer that was faster than the ack
	case typ == protocol.Data && s.phase == phaseWorking:
		return actData
	}
	return s.close(protocol.ReasonProtocol)
}

// tick decides what is due at now. Busy says that the client is being kept
// waiting, so that its silence is not its fault.
func (s *sessionState) tick(now time.Duration, busy bool) action {
	switch {
	case s.phase == phaseClosing:
		return actNone
	case s.phase != phaseWorking:
		if now >= s.deadline {
			return s.close(protocol.ReasonHandshakeTimeout)
		}
		return actNone
	case s.interval <= 0:
		return actNone
	}
	if busy {
		s.heard = now
	}
	if now >= s.heard+silence*s.interval {
		return s.close(protocol.ReasonIdle)
	}
	if now >= s.beat+s.interval {
		s.beat = now
		return actBeat
	}
	return actNone
}

// next is when tick has something to do; ok is false when it never has.
func (s *sessionState) next() (at time.Duration, ok bool) {
	switch {
	case s.phase == phaseClosing:
		return 0, false
	case s.phase != phaseWorking:
		return s.deadline, true
	case s.interval <= 0:
		return 0, false
	}
	return min(s.beat+s.interval, s.heard+silence*s.interval), true
}

// close ends the conversation; the first reason stays.
func (s *sessionState) close(why protocol.Reason) action {
	if s.phase == phaseClosing {
		return actNone
	}
	s.phase, s.why = phaseClosing, why
	return actClose
}
