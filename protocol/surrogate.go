package protocol

import (
	"bytes"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// joinSurrogates returns b with every surrogate, which JavaScript clients send
// as a three-byte sequence of its own (CESU-8), made valid UTF-8: a pair becomes
// the character it stands for, a lone one becomes U+FFFD. b is never changed, as
// it belongs to a read buffer; it is returned itself when there is nothing to do.
func joinSurrogates(b []byte) []byte {
	i := indexSurrogate(b)
	if i < 0 {
		return b
	}
	out := make([]byte, 0, len(b)) // never longer: six bytes become four, three stay three
	for i >= 0 {
		out = append(out, b[:i]...)
		c, n := decodeSurrogates(b[i:])
		out = utf8.AppendRune(out, c)
		b = b[i+n:]
		i = indexSurrogate(b)
	}
	return append(out, b...)
}

// decodeSurrogates decodes the pair, or else the lone surrogate, that b begins
// with, and returns how many bytes that takes.
func decodeSurrogates(b []byte) (c rune, n int) {
	c = utf16.DecodeRune(surrogate(b), surrogate(b[3:]))
	if c == utf8.RuneError { // which no pair stands for
		return c, 3
	}
	return c, 6
}

// indexSurrogate returns where the first surrogate of b begins, -1 when none does.
func indexSurrogate(b []byte) int {
	for at := 0; ; at++ {
		i := bytes.IndexByte(b[at:], 0xED)
		if i < 0 {
			return -1
		}
		at += i
		// Most of what begins with 0xED is Korean: U+D000..U+D7FF.
		if surrogate(b[at:]) != 0 {
			return at
		}
	}
}

// surrogate returns the surrogate that b begins with, 0 if it begins otherwise:
// U+D800..U+DFFF are ED A0 80..ED BF BF.
func surrogate(b []byte) rune {
	if len(b) < 3 || b[0] != 0xED || b[1]&0xE0 != 0xA0 || b[2]&0xC0 != 0x80 {
		return 0
	}
	return 0xD000 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F)
}

// escapeNonBMP rewrites every four-byte character in b[from:], which is JSON, as
// a pair of \uXXXX escapes: twelve bytes for four.
func escapeNonBMP(b []byte, from int) []byte {
	count, first := 0, 0
	for i := from; i < len(b); i++ {
		if b[i] >= 0xF0 && nonBMP(b[i:]) != 0 {
			if count == 0 {
				first = i
			}
			count++
		}
	}
	if count == 0 {
		return b
	}
	// Move the tail to where it will end, then rewrite it from the front: the
	// writer catches up with the reader only behind the last character.
	grow := count * (12 - 4)
	b = slices.Grow(b, grow)[:len(b)+grow]
	tail := b[first+grow:]
	copy(tail, b[first:])
	out := b[:first]
	for len(tail) > 0 {
		if tail[0] >= 0xF0 {
			if c := nonBMP(tail); c != 0 {
				out = appendEscaped(out, c)
				tail = tail[4:]
				continue
			}
		}
		out = append(out, tail[0])
		tail = tail[1:]
	}
	return out
}

// nonBMP returns the four-byte character that b begins with, 0 if it begins otherwise.
func nonBMP(b []byte) rune {
	if c, n := utf8.DecodeRune(b); n == 4 {
		return c
	}
	return 0
}
