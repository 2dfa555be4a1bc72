package transport

import "bytes"

// kind is what the first bytes of a connection announce.
type kind uint8

const (
	kindUnknown kind = iota // nothing read yet
	kindPomelo              // a package head: types 1 to 5
	kindHTTP                // the first letter of a method
	kindTLS                 // a TLS record where plain text is served: a wrong URL scheme
	kindBad                 // none of what this port speaks
)

// tlsHandshake is the content type of the record that starts every TLS
// connection (RFC 8446, 5.1).
const tlsHandshake = 0x16

// sniff tells what b, the first bytes of a connection, starts with. One byte is
// enough, so a client that sends a byte a second is classified at once; ok is
// false only for an empty b. That one byte decides is what lets pomelo over
// TCP, WebSocket and plain HTTP share a port: package types are below every
// letter.
func sniff(b []byte) (k kind, ok bool) {
	switch {
	case len(b) == 0:
		return kindUnknown, false
	case b[0] >= 0x01 && b[0] <= 0x05:
		return kindPomelo, true
	case b[0] >= 'A' && b[0] <= 'Z':
		return kindHTTP, true
	case b[0] == tlsHandshake:
		return kindTLS, true
	}
	return kindBad, true
}

// headEnd returns the length of the HTTP head at the start of b, its empty line
// included, or 0 while that line has not arrived. seen is how many bytes of b
// an earlier call has looked at (0 at first), so a head that comes in a byte at
// a time costs linear, not quadratic, work. Lines may end in a bare LF
// (RFC 9112, 2.2: a recipient MAY recognize it), because net/http and gobwas/ws
// read them so, and all three must agree on where a head ends.
func headEnd(b []byte, seen int) int {
	// The empty line is at most "\n\r\n": step back over a part of it.
	for i := max(0, seen-2); ; {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return 0
		}
		i += n + 1
		switch rest := b[i:]; {
		case len(rest) >= 1 && rest[0] == '\n':
			return i + 1
		case len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n':
			return i + 2
		}
	}
}
