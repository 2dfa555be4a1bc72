package protocol

import (
	"encoding/binary"
	"fmt"
)

// MessageType says who sends a message and what it carries besides a body.
type MessageType uint8

// The types, as they stand in bits 1 to 3 of the flag byte; 4 to 7 are invalid.
const (
	Request  MessageType = 0 // client: id, route; wants exactly one response
	Notify   MessageType = 1 // client: route; wants no answer
	Response MessageType = 2 // server: id of the request; never a route
	Push     MessageType = 3 // server: route
)

var messageTypeNames = [...]string{Request: "request", Notify: "notify", Response: "response", Push: "push"}

// Valid reports whether t is one of the four types.
func (t MessageType) Valid() bool { return t <= Push }

// String returns the name, fit for a metric label.
func (t MessageType) String() string {
	if t.Valid() {
		return messageTypeNames[t]
	}
	return fmt.Sprintf("message_type_%d", uint8(t))
}

func (t MessageType) hasID() bool    { return t == Request || t == Response }
func (t MessageType) hasRoute() bool { return t != Response }

// MaxRouteLen is the longest route that can be sent uncompressed, in bytes.
const MaxRouteLen = 255

// Bits of the flag byte.
const (
	flagCompressed = 0x01
	flagTypeShift  = 1
	flagTypeMask   = 0x07
	flagDeflated   = 0x10
	flagError      = 0x20
	// 0xC0: unused, tolerated.
)

// Message is the body of a Data package.
type Message struct {
	Type     MessageType
	Error    bool   // the body is an error (see AppendErrorBody); older clients ignore the bit
	Deflated bool   // the body is zlib data, see Inflate
	Code     uint16 // the route's code when the route is compressed, else 0
	ID       uint64 // of a request and its response; 0 wants no answer. JavaScript clients need it below 2^31
	Route    string // of requests, notifies and pushes
	Body     []byte // see ParseMessage for what it aliases
}

// AppendMessage appends m to dst and returns the longer slice. With a Code the
// route is sent compressed and Route is not looked at; responses send neither.
// A message whose Body is nil is a head alone: the caller may append the body
// behind it, in place. Neither m nor its Body is kept.
//
// A route longer than MaxRouteLen and an invalid type are errors, with which dst
// comes back as it was.
func AppendMessage(dst []byte, m Message) ([]byte, error) {
	if !m.Type.Valid() {
		return dst, fmt.Errorf("protocol: append message: no such type: %d", m.Type)
	}
	if m.Type.hasRoute() && m.Code == 0 && len(m.Route) > MaxRouteLen {
		return dst, fmt.Errorf("protocol: append message: %w", errRouteLength(m.Route))
	}
	flag := byte(m.Type) << flagTypeShift
	if m.Type.hasRoute() && m.Code != 0 {
		flag |= flagCompressed
	}
	if m.Deflated {
		flag |= flagDeflated
	}
	if m.Error {
		flag |= flagError
	}
	dst = append(dst, flag)
	if m.Type.hasID() {
		dst = binary.AppendUvarint(dst, m.ID)
	}
	switch {
	case flag&flagCompressed != 0:
		dst = binary.BigEndian.AppendUint16(dst, m.Code)
	case m.Type.hasRoute():
		dst = append(dst, byte(len(m.Route)))
		dst = append(dst, m.Route...)
	}
	return append(dst, m.Body...), nil
}

// ParseMessage parses the body of a Data package. Every error is a *DecodeError;
// a message is never half valid.
//
// Body aliases b. Route is the canonical string of r when r knows it, so that a
// known route costs no allocation; r may be nil. A compressed route that is not
// in the dictionary is no error: Route is "" and Code says which, because a
// request for it deserves an answer, not a closed connection. (Code 0, which no
// dictionary holds, comes back the same way: an empty Route.)
func ParseMessage(b []byte, r *Routes) (Message, error) {
	if len(b) == 0 {
		return Message{}, badMessage("a flag byte", 0)
	}
	flag, b := b[0], b[1:]
	m := Message{
		Type:     MessageType(flag >> flagTypeShift & flagTypeMask),
		Error:    flag&flagError != 0,
		Deflated: flag&flagDeflated != 0,
	}
	if !m.Type.Valid() {
		return Message{}, badMessage("type is one of 0..3", int64(m.Type))
	}
	if m.Type.hasID() {
		id, n := binary.Uvarint(b)
		if n <= 0 {
			return Message{}, badMessage("an id that ends within 64 bits", int64(len(b)))
		}
		m.ID, b = id, b[n:]
	}
	switch {
	case !m.Type.hasRoute():
	case flag&flagCompressed != 0:
		if len(b) < 2 {
			return Message{}, badMessage("two bytes of route code", int64(len(b)))
		}
		m.Code, b = binary.BigEndian.Uint16(b), b[2:]
		m.Route = r.Route(m.Code)
	default:
		if len(b) == 0 {
			return Message{}, badMessage("a route length", 0)
		}
		n := int(b[0])
		if len(b) < 1+n {
			return Message{}, badMessage("as many route bytes as announced", int64(len(b)-1))
		}
		m.Route, b = r.intern(b[1:1+n]), b[1+n:]
	}
	m.Body = b
	return m, nil
}

func badMessage(rule string, got int64) error {
	return &DecodeError{Layer: "message", Rule: rule, Got: got, Reason: ReasonProtocol}
}
