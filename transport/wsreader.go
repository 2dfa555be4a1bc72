package transport

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// wsSink hears what a wsReader finds, in the order of the wire. Slices alias
// the bytes given to feed (a control frame that was split over reads aliases
// the reader) and are valid until the call returns. An error stops the reader
// and is what feed returns.
type wsSink interface {
	// payload is a piece of a data message, unmasked: as much of a frame as one
	// read held. final marks the last piece of the message; it may be empty.
	payload(b []byte, final, text bool) error
	// control is a whole close, ping or pong. The body of a close is valid: empty,
	// or a code that may be sent and a text in UTF-8. Nothing follows a close.
	control(op ws.OpCode, body []byte) error
}

// closeError says that the peer broke RFC 6455, and how to close because of it.
type closeError struct {
	code   uint16          // for the close frame
	reason protocol.Reason // for the owner of the connection
	text   string
}

// Error names the rule, for the operator.
func (e *closeError) Error() string {
	return fmt.Sprintf("websocket: %s (close code %d)", e.text, e.code)
}

func broken(text string) *closeError {
	return &closeError{code: 1002, reason: protocol.ReasonProtocol, text: text}
}

// Made once, so that a flood of broken clients allocates nothing here.
var (
	errRsv           = broken("reserved bits are set and no extension was negotiated")
	errOpcode        = broken("reserved opcode")
	errControlSplit  = broken("control frame is fragmented")
	errControlLong   = broken("control frame is longer than 125 bytes")
	errContinuation  = broken("continuation frame without a message")
	errInterleaved   = broken("new message inside a fragmented one")
	errMasked        = broken("frame from the server is masked")
	errLengthSign    = broken("most significant bit of the length is set")
	errLengthPadded  = broken("length is not in its shortest form")
	errCloseBody     = broken("close frame with one byte of body")
	errCloseCode     = broken("close frame with a code that must not be sent")
	errUnmasked      = &closeError{code: 1002, reason: protocol.ReasonUnmasked, text: "frame from the client is not masked"}
	errText          = &closeError{code: 1003, reason: protocol.ReasonText, text: "text message on a binary endpoint"}
	errBinary        = &closeError{code: 1003, reason: protocol.ReasonProtocol, text: "binary message on a text endpoint"}
	errInvalidUTF8   = &closeError{code: 1007, reason: protocol.ReasonProtocol, text: "text is not UTF-8"}
	errMessageTooBig = &closeError{code: 1009, reason: protocol.ReasonTooBig, text: "message is over the limit"}
)

// What the next byte of a wsReader is.
const (
	wsAtFirst   = iota // fin, reserved bits, opcode
	wsAtSecond         // mask bit, length
	wsAtLen16          // one of two of the extended length
	wsAtLen64          // one of eight of the extended length
	wsAtMask           // one of the masking key
	wsAtPayload        // one of the payload
	wsAtEnd            // nothing counts any more: closed, or failed
)

// Flags of a wsReader.
const (
	wsServer  = 1 << iota // we are the server: frames must be masked
	wsText                // the endpoint speaks text, else binary
	wsMessage             // inside a fragmented message
)

// wsReader reads the frames of one direction of a WebSocket (RFC 6455, 5): it
// unmasks in place, copies nothing but a control frame that a read cut in two,
// and allocates nothing else. An idle connection keeps the 32 bytes below. Use
// newWSReader; not safe for concurrent use.
type wsReader struct {
	split *wsControl // the cut-off start of a control frame, else nil

	limit uint32 // bytes of one message
	size  uint32 // bytes of this message, the whole of this frame included
	left  uint32 // bytes of this frame still to come; in its header, the length so far

	mask  [4]byte // turned so that mask[0] is for the next byte
	runes [4]byte // text: the start of a character that was cut in two; [3] is its length

	at    uint8 // what the next byte is
	need  uint8 // header bytes of that kind still to come
	first uint8 // first byte of this frame
	flags uint8
}

// wsControl holds a control frame's payload until it is whole.
type wsControl struct {
	n    int
	body [ws.MaxControlFramePayloadSize]byte
}

// newWSReader returns the reader of a connection whose other side is the client
// if server is set. limit bounds a message in bytes, checked when a header is
// read and before any payload is; 0 or less is no limit of ours, which leaves
// 2 GiB.
func newWSReader(server, text bool, limit int) wsReader {
	r := wsReader{limit: math.MaxInt32} // so that left is an int everywhere
	if limit > 0 && limit < math.MaxInt32 {
		r.limit = uint32(limit)
	}
	if server {
		r.flags |= wsServer
	}
	if text {
		r.flags |= wsText
	}
	return r
}

// feed reads b, wherever the last one ended, and tells sink. It changes b. The
// error is a *closeError or what sink returned; from then on, and after a close
// frame, bytes are dropped.
func (r *wsReader) feed(b []byte, sink wsSink) error {
	for len(b) > 0 {
		var err error
		switch r.at {
		case wsAtPayload:
			n := min(len(b), int(r.left))
			err = r.body(b[:n:n], sink)
			b = b[n:]
		case wsAtEnd:
			return nil
		default:
			err = r.header(b[0], sink)
			b = b[1:]
		}
		if err != nil {
			r.at = wsAtEnd
			return err
		}
	}
	return nil
}

// header reads one byte of a frame's header. A byte at a time means one path
// for whole headers and for those that reads cut, and every rule is applied
// with the first byte that breaks it. The header of an ordinary client's frame
// is six bytes.
func (r *wsReader) header(c byte, sink wsSink) error {
	switch r.at {
	case wsAtFirst:
		r.first, r.at = c, wsAtSecond
		return r.checkFirst()
	case wsAtSecond:
		if masked := c&wsMasked != 0; masked != (r.flags&wsServer != 0) {
			if masked {
				return errMasked
			}
			return errUnmasked
		}
		n := c & wsLen
		if n > ws.MaxControlFramePayloadSize && r.op().IsControl() {
			return errControlLong
		}
		switch n {
		case 126:
			r.left, r.need, r.at = 0, 2, wsAtLen16
		case 127:
			r.left, r.need, r.at = 0, 8, wsAtLen64
		default:
			r.left = uint32(n)
			return r.sized(sink)
		}
	case wsAtLen16, wsAtLen64:
		return r.length(c, sink)
	case wsAtMask:
		r.mask[len(r.mask)-int(r.need)] = c
		if r.need--; r.need == 0 {
			return r.begin(sink)
		}
	}
	return nil
}

func (r *wsReader) op() ws.OpCode { return ws.OpCode(r.first & wsOp) }

// checkFirst applies the rules about the first byte of a frame.
func (r *wsReader) checkFirst() error {
	inMessage, text := r.flags&wsMessage != 0, r.flags&wsText != 0
	switch op := r.op(); {
	case r.first&wsRsv != 0:
		return errRsv
	case op.IsReserved():
		return errOpcode
	case op.IsControl():
		if r.first&wsFin == 0 {
			return errControlSplit
		}
	case op == ws.OpContinuation:
		if !inMessage {
			return errContinuation
		}
	case inMessage:
		return errInterleaved
	case op == ws.OpText && !text:
		return errText
	case op == ws.OpBinary && text:
		return errBinary
	}
	return nil
}

// length takes a byte of the extended length, most significant first.
func (r *wsReader) length(c byte, sink wsSink) error {
	switch {
	case r.need == 8 && c&0x80 != 0:
		return errLengthSign
	case r.left>>24 != 0: // 4 GiB and more is over any limit
		return errMessageTooBig
	}
	r.left = r.left<<8 | uint32(c)
	if r.need--; r.need > 0 {
		return nil
	}
	if r.at == wsAtLen16 && r.left <= 125 || r.at == wsAtLen64 && r.left <= math.MaxUint16 {
		return errLengthPadded
	}
	return r.sized(sink)
}

// sized goes on when the length is known, before a byte of payload is read.
func (r *wsReader) sized(sink wsSink) error {
	if r.op().IsData() {
		if r.left > r.limit-r.size {
			return errMessageTooBig
		}
		r.size += r.left
	}
	if r.flags&wsServer == 0 {
		return r.begin(sink)
	}
	r.need, r.at = uint8(len(r.mask)), wsAtMask
	return nil
}

// begin goes on when the header is complete.
func (r *wsReader) begin(sink wsSink) error {
	r.at = wsAtPayload
	if r.left == 0 {
		return r.body(nil, sink)
	}
	return nil
}

// body takes the next bytes of this frame's payload. State moves before the
// sink is told.
func (r *wsReader) body(b []byte, sink wsSink) error {
	if r.flags&wsServer != 0 {
		ws.Cipher(b, r.mask, 0)
		turn := len(b) % 4 * 8
		m := binary.LittleEndian.Uint32(r.mask[:])
		binary.LittleEndian.PutUint32(r.mask[:], bits.RotateLeft32(m, -turn))
	}
	r.left -= uint32(len(b))
	if r.left == 0 {
		r.at = wsAtFirst
	}
	if r.op().IsControl() {
		return r.control(b, sink)
	}
	final := r.left == 0 && r.first&wsFin != 0
	r.flags |= wsMessage
	if final {
		r.flags &^= wsMessage
		r.size = 0
	}
	text := r.flags&wsText != 0
	if text && !r.validText(b, final) {
		return errInvalidUTF8
	}
	if len(b) == 0 && !final {
		return nil
	}
	return sink.payload(b, final, text)
}

// control takes the next bytes of a control frame and passes them on when they
// are complete.
func (r *wsReader) control(b []byte, sink wsSink) error {
	if r.left > 0 || r.split != nil {
		if r.split == nil {
			r.split = new(wsControl)
		}
		r.split.n += copy(r.split.body[r.split.n:], b)
		if r.left > 0 {
			return nil
		}
		b = r.split.body[:r.split.n]
		r.split = nil
	}
	if r.op() == ws.OpClose {
		r.at = wsAtEnd
		if err := checkClose(b); err != nil {
			return err
		}
	}
	return sink.control(r.op(), b)
}

// checkClose checks the body of a close frame (RFC 6455, 5.5.1 and 7.4).
func checkClose(b []byte) error {
	switch {
	case len(b) == 0:
		return nil
	case len(b) == 1:
		return errCloseBody
	case !validCloseCode(binary.BigEndian.Uint16(b)):
		return errCloseCode
	case !utf8.Valid(b[2:]):
		return errInvalidUTF8
	}
	return nil
}

// validText reports whether b goes on what is UTF-8 so far. A character may be
// cut anywhere but at the end of the message.
func (r *wsReader) validText(b []byte, final bool) bool {
	for r.runes[3] > 0 && len(b) > 0 {
		n := r.runes[3] // 1 to 3
		c := r.runes
		c[n], b = b[0], b[1:]
		switch {
		case !utf8.FullRune(c[:n+1]):
			r.runes[n], r.runes[3] = c[n], n+1
		case !utf8.Valid(c[:n+1]):
			return false
		default:
			r.runes[3] = 0
		}
	}
	if cut := cutRune(b); cut > 0 {
		copy(r.runes[:3], b[len(b)-cut:])
		r.runes[3] = uint8(cut)
		b = b[:len(b)-cut]
	}
	return utf8.Valid(b) && (!final || r.runes[3] == 0)
}

// cutRune returns how many bytes at the end of b are the start of a character
// whose rest may follow: 0 to 3.
func cutRune(b []byte) int {
	for n := 1; n <= min(3, len(b)); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
