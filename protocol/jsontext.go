package protocol

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonEncoder is a json.Encoder that appends to dst. encoding/json has no way to
// append, and a json.Encoder is the only way to switch HTML escaping off.
type jsonEncoder struct {
	enc *json.Encoder
	dst []byte
}

// Write is called by enc. It never fails, so enc never keeps an error.
func (e *jsonEncoder) Write(p []byte) (int, error) {
	e.dst = append(e.dst, p...)
	return len(p), nil
}

var jsonEncoders = sync.Pool{New: func() any {
	e := new(jsonEncoder)
	e.enc = json.NewEncoder(e)
	e.enc.SetEscapeHTML(false)
	return e
}}

func appendJSON(dst []byte, v any) ([]byte, error) {
	e := jsonEncoders.Get().(*jsonEncoder)
	e.dst = dst
	err := e.enc.Encode(v)
	out := e.dst
	e.dst = nil // the pool must not keep the caller's bytes
	jsonEncoders.Put(e)
	if err != nil {
		return dst, err
	}
	out = out[:len(out)-1] // the newline that Encode adds
	return escapeNonBMP(out, len(dst)), nil
}

// escapeNonBMP rewrites every four-byte character in b[from:], which is JSON, as
// a pair of \uXXXX escapes. Four bytes become twelve.
func escapeNonBMP(b []byte, from int) []byte {
	count, first := 0, len(b)
	for i := from; i < len(b); i++ {
		if b[i] >= 0xF0 && isNonBMP(b[i:]) {
			count++
			first = min(first, i)
		}
	}
	if count == 0 {
		return b
	}
	// Move the tail to its final end, then rewrite it from the front: the
	// reader stays ahead of the writer.
	const more = 12 - 4
	n := len(b)
	b = slices.Grow(b, count*more)[:n+count*more]
	r, w := first+count*more, first
	copy(b[r:], b[first:n])
	for r < len(b) {
		if b[r] >= 0xF0 && isNonBMP(b[r:]) {
			c, _ := utf8.DecodeRune(b[r:])
			r += 4
			w += len(appendRuneEscaped(b[:w], c)) - w
			continue
		}
		b[w] = b[r]
		r++
		w++
	}
	return b
}

func isNonBMP(b []byte) bool {
	_, n := utf8.DecodeRune(b)
	return n == 4
}

func appendRuneEscaped(dst []byte, c rune) []byte {
	hi, lo := utf16.EncodeRune(c)
	return appendUnit(appendUnit(dst, hi), lo)
}

const hexDigits = "0123456789abcdef"

// appendUnit appends one UTF-16 unit as \uXXXX.
func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', hexDigits[u>>12&15], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

// appendJSONString appends s as a JSON string that every client of the field
// reads: what JSON demands and all outside the BMP is escaped; a byte that is
// not UTF-8 becomes U+FFFD.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', byte(c))
		case c < 0x20 || c == '\u2028' || c == '\u2029':
			dst = appendUnit(dst, c)
		case c > 0xFFFF:
			dst = appendRuneEscaped(dst, c)
		default:
			dst = utf8.AppendRune(dst, c)
		}
	}
	return append(dst, '"')
}

// joinSurrogates returns b with every surrogate, which JavaScript clients send
// as a three-byte sequence of its own (CESU-8), made valid UTF-8: a pair becomes
// the character it stands for, a lone one becomes U+FFFD. b itself is returned
// when it holds none, and is never changed.
func joinSurrogates(b []byte) []byte {
	i := indexSurrogate(b)
	if i < 0 {
		return b
	}
	out := make([]byte, 0, len(b)) // never longer: 6 bytes become 4, 3 stay 3
	for i >= 0 {
		out = append(out, b[:i]...)
		hi := surrogate(b[i:])
		b = b[i+3:]
		c := utf8.RuneError
		if lo := surrogate(b); lo != 0 {
			c = utf16.DecodeRune(hi, lo)
		}
		if c != utf8.RuneError {
			b = b[3:]
		}
		out = utf8.AppendRune(out, c)
		i = indexSurrogate(b)
	}
	return append(out, b...)
}

// indexSurrogate returns where the first surrogate of b begins, -1 if none does.
func indexSurrogate(b []byte) int {
	for at := 0; ; at++ {
		i := bytes.IndexByte(b[at:], 0xED)
		if i < 0 {
			return -1
		}
		at += i
		if surrogate(b[at:]) != 0 {
			return at
		}
	}
}

// surrogate returns the surrogate that b begins with, 0 if it begins otherwise.
// U+D800..U+DFFF are ED A0 80..ED BF BF.
func surrogate(b []byte) rune {
	if len(b) < 3 || b[0] != 0xED || b[1]&0xE0 != 0xA0 || b[2]&0xC0 != 0x80 {
		return 0
	}
	return 0xD000 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F)
}
