package protocol

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// objectWriter appends a JSON object, member by member, without reflection. What
// it is for is small and sent often: errors, kicks, handshakes.
type objectWriter struct {
	b     []byte
	comma bool
}

// beginObject opens an object at the end of dst.
func beginObject(dst []byte) objectWriter { return objectWriter{b: append(dst, '{')} }

// end closes the object and returns the bytes.
func (o *objectWriter) end() []byte { return append(o.b, '}') }

// key appends the name of a member, whose value the caller appends next.
func (o *objectWriter) key(name string) {
	if o.comma {
		o.b = append(o.b, ',')
	}
	o.comma = true
	o.b = append(o.b, '"')
	o.b = append(o.b, name...) // a constant of ours, nothing to escape
	o.b = append(o.b, '"', ':')
}

func (o *objectWriter) text(name, value string) {
	o.key(name)
	o.b = appendJSONString(o.b, value)
}

// said is text, but nothing at all for "".
func (o *objectWriter) said(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *objectWriter) number(name string, n int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

func (o *objectWriter) raw(name string, json []byte) {
	o.key(name)
	o.b = append(o.b, json...)
}

// appendJSONString appends s as a JSON string that every client of the field can
// read: what JSON demands, and all outside the BMP, is escaped; a byte that is
// not UTF-8 becomes U+FFFD.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', byte(c))
		case c < ' ':
			dst = appendUnit(dst, c)
		case c > 0xFFFF:
			dst = appendEscaped(dst, c)
		default:
			dst = utf8.AppendRune(dst, c)
		}
	}
	return append(dst, '"')
}

// appendEscaped appends c, which lies outside the BMP, as two escapes.
func appendEscaped(dst []byte, c rune) []byte {
	hi, lo := utf16.EncodeRune(c)
	return appendUnit(appendUnit(dst, hi), lo)
}

// appendUnit appends one UTF-16 unit as \uXXXX.
func appendUnit(dst []byte, u rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
