package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// cesu encodes s as JavaScript clients do: every UTF-16 unit by itself, whatever
// it is.
func cesu(s string) string {
	var out strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		switch {
		case u < 0x80:
			out.WriteByte(byte(u))
		case u < 0x800:
			out.Write([]byte{0xC0 | byte(u>>6), 0x80 | byte(u&0x3F)})
		default:
			out.Write([]byte{0xE0 | byte(u>>12), 0x80 | byte(u>>6&0x3F), 0x80 | byte(u&0x3F)})
		}
	}
	return out.String()
}

// "Characters outside the BMP arrive as two 3-byte surrogates; join them before
// parsing JSON." What stands alone must not break anything.
func TestInboundText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"ascii", "abc", "abc"},
		{"korean begins with ED too", "퟿한국", "퟿한국"},
		{"utf-8 emoji", "a😀b", "a😀b"},
		{"emoji of a javascript client", "a\xed\xa0\xbd\xed\xb8\x80b", "a😀b"},
		{"two of them", "\xed\xa0\xbd\xed\xb8\x80\xed\xa0\xbd\xed\xb8\x81", "😀😁"},
		{"first and last pair", "\xed\xa0\x80\xed\xb0\x80\xed\xaf\xbf\xed\xbf\xbf", "\U00010000\U0010FFFF"},
		{"escaped emoji", `\ud83d\ude00`, "😀"},
		{"high alone", "a\xed\xa0\xbdb", "a\uFFFDb"},
		{"low alone", "a\xed\xb8\x80b", "a\uFFFDb"},
		{"wrong way round", "\xed\xb8\x80\xed\xa0\xbd", "\uFFFD\uFFFD"},
		{"high before a pair", "\xed\xa0\xbd\xed\xa0\xbd\xed\xb8\x80", "\uFFFD😀"},
		{"high, then an escape", "\xed\xa0\xbd\\ude00", "\uFFFD\uFFFD"},
		{"half a sequence", "a\xed\xa0", "a\uFFFD\uFFFD"},
		{"one and a half", "\xed\xa0\xbd\xed\xb8", "\uFFFD\uFFFD\uFFFD"},
	} {
		in := `"` + tt.in + `"`
		b := []byte(in)
		var got string
		if err := JSON.Unmarshal(b, &got); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.name, got, err, tt.want)
		}
		if string(b) != in {
			t.Errorf("%s: the read buffer was changed to %q", tt.name, b)
		}
	}
}

// What needs no mending is not copied: it is the hot path.
func TestInboundTextInPlace(t *testing.T) {
	for _, s := range []string{"", "{}", "한국어", "a😀b", "\xed", "\xed\xa0", "\xed\xa0a", "\xed\x9f\xbf"} {
		b := []byte(s)
		if got := joinSurrogates(b); len(got) != len(b) || unsafe.SliceData(got) != unsafe.SliceData(b) {
			t.Errorf("%q was copied to %q", s, got)
		}
	}
}

// "Send such characters as \uXXXX\uXXXX escapes", and do not escape HTML.
func TestOutboundText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"ascii", "a", `"a"`},
		{"html", "<a href='x'>&</a>", `"<a href='x'>&</a>"`},
		{"chinese", "我们", `"我们"`},
		{"emoji", "a😀b", `"a\ud83d\ude00b"`},
		{"emoji at both ends", "😀我😁", `"\ud83d\ude00我\ud83d\ude01"`},
		{"first and last", "\U00010000\U0010FFFF", `"\ud800\udc00\udbff\udfff"`},
		{"not utf-8", "a\xf0\x9f\x98", `"a\ufffd\ufffd\ufffd"`},
	} {
		got, err := JSON.Append([]byte("kept😀"), tt.in)
		if want := "kept😀" + tt.want; err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", tt.name, got, err, want)
		}
	}
}

// A type's own MarshalJSON may return bytes that are no UTF-8 at all; they are
// its own affair, but must not confuse us.
func TestOutboundRawJSON(t *testing.T) {
	for _, in := range []string{"\"\xf0\x9f\x98\"", "\"\xf8\xff\"", "\"\xf4\x90\x80\x80\"", "\"\xf0\""} {
		got, err := JSON.Append(nil, json.RawMessage(in))
		if err != nil || string(got) != in {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
}

// The encoder comes from a pool: after an error it must be as good as new.
func TestOutboundAfterAnError(t *testing.T) {
	for range 3 {
		got, err := JSON.Append([]byte("kept"), map[string]any{"a": make(chan int)})
		if _, ok := errors.AsType[*json.UnsupportedTypeError](err); !ok || string(got) != "kept" {
			t.Fatalf("a channel: got %q, %v; want dst and the cause", got, err)
		}
		if got, err = JSON.Append(got, "b"); err != nil || string(got) != `kept"b"` {
			t.Fatalf("after an error: got %q, %v", got, err)
		}
	}
}

// joinSurrogatesTwin is joinSurrogates the long way round, over UTF-16 units.
func joinSurrogatesTwin(b []byte) string {
	var out strings.Builder
	var units []uint16
	flush := func() {
		out.WriteString(string(utf16.Decode(units)))
		units = units[:0]
	}
	for len(b) > 0 {
		if len(b) >= 3 && b[0] == 0xED && b[1] >= 0xA0 && b[1] <= 0xBF && b[2] >= 0x80 && b[2] <= 0xBF {
			units = append(units, uint16(b[0]&0x0F)<<12|uint16(b[1]&0x3F)<<6|uint16(b[2]&0x3F))
			b = b[3:]
			continue
		}
		flush()
		out.WriteByte(b[0])
		b = b[1:]
	}
	flush()
	return out.String()
}

// escapeNonBMPTwin is escapeNonBMP with one append per character.
func escapeNonBMPTwin(s string) string {
	var out []byte
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		if n == 4 {
			hi, lo := utf16.EncodeRune(c)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		} else {
			out = append(out, s[:n]...)
		}
		s = s[n:]
	}
	return string(out)
}
