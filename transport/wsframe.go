package transport

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// Bits of the first two bytes of a frame (RFC 6455, 5.2).
const (
	wsFin    = 0x80
	wsRsv    = 0x70
	wsOp     = 0x0f
	wsMasked = 0x80
	wsLen    = 0x7f
)

// Every header, a masked one of 14 bytes included, fits the space that the
// protocol package leaves in front of packages.
const _ = uint(protocol.Headroom - ws.MaxHeaderSize)

// appendWSHeader appends the header of a frame of n payload bytes. mask is nil
// on the server side; on the client side the caller also ciphers the payload.
func appendWSHeader(dst []byte, op ws.OpCode, fin bool, n int, mask *[4]byte) []byte {
	b0, b1 := byte(op), byte(0)
	if fin {
		b0 |= wsFin
	}
	if mask != nil {
		b1 = wsMasked
	}
	switch {
	case n <= 125:
		dst = append(dst, b0, b1|byte(n))
	case n <= 0xffff:
		dst = append(dst, b0, b1|126, byte(n>>8), byte(n))
	default:
		dst = append(dst, b0, b1|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	if mask != nil {
		dst = append(dst, mask[:]...)
	}
	return dst
}

// putWSHeader writes the header of an unmasked binary message of n bytes so
// that it ends where headroom ends, and returns where it starts: with packages
// behind the headroom, buf[start:] is the whole frame, without a copy.
// headroom is at least 10 bytes; protocol.Headroom in practice.
func putWSHeader(headroom []byte, n int) (start int) {
	return putHeader(headroom, ws.OpBinary, n, nil)
}

// sealMasked makes the client's frame of the message buf[protocol.Headroom:]
// in place: header into the headroom, payload ciphered. It returns where the
// frame starts. buf's payload is unreadable afterwards, so buf must not be
// shared; for shared bytes there is appendWSMessage.
func sealMasked(buf []byte, op ws.OpCode) (start int) {
	mask := newMask()
	payload := buf[protocol.Headroom:]
	ws.Cipher(payload, mask, 0)
	return putHeader(buf[:protocol.Headroom], op, len(payload), &mask)
}

func putHeader(headroom []byte, op ws.OpCode, n int, mask *[4]byte) (start int) {
	var scratch [ws.MaxHeaderSize]byte
	h := appendWSHeader(scratch[:0], op, true, n, mask)
	start = len(headroom) - len(h)
	copy(headroom[start:], h)
	return start
}

// appendWSMessage appends payload as one unfragmented frame, masked when the
// sender is a client. It copies payload and does not change it. payload must
// not overlap the space behind dst.
func appendWSMessage(dst []byte, op ws.OpCode, payload []byte, client bool) []byte {
	if !client {
		dst = appendWSHeader(dst, op, true, len(payload), nil)
		return append(dst, payload...)
	}
	mask := newMask()
	dst = appendWSHeader(dst, op, true, len(payload), &mask)
	at := len(dst)
	dst = append(dst, payload...)
	ws.Cipher(dst[at:], mask, 0)
	return dst
}

// newMask returns a fresh masking key. RFC 6455, 5.3: "The masking key needs to
// be unpredictable"; the generator behind math/rand/v2 is ChaCha8 with a random
// seed per thread, which is, and costs a few nanoseconds.
func newMask() (mask [4]byte) {
	binary.LittleEndian.PutUint32(mask[:], rand.Uint32())
	return mask
}

// closeBody returns the payload of a close frame. text is cut, at the border of
// a character, to the 123 bytes that a control frame has room for. A code that
// must not be sent, 0 and 1005 among them, gives an empty payload.
func closeBody(code uint16, text string) []byte {
	if !validCloseCode(code) {
		return nil
	}
	text = strings.ToValidUTF8(text, "") // a peer would close with 1007
	if room := ws.MaxControlFramePayloadSize - 2; len(text) > room {
		for room > 0 && !utf8.RuneStart(text[room]) {
			room--
		}
		text = text[:room]
	}
	return ws.NewCloseFrameBody(ws.StatusCode(code), text)
}

// validCloseCode reports whether an endpoint may put code into a close frame:
// RFC 6455, 7.4, and 1012 to 1014 from the IANA registry, which came later and
// which gobwas/ws does not know. 1004, 1005, 1006 and 1015 are reserved.
func validCloseCode(code uint16) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	}
	return code >= 3000 && code <= 4999
}
