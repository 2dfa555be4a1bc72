package main

import (
	"bytes"
	"testing"

	"github.com/gobwas/ws"
)

// TestCutFrame cuts what a masking client sends, whole and at every truncation.
func TestCutFrame(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 40_000} {
		want := bytes.Repeat([]byte{0xA5}, n)
		whole := ws.MustCompileFrame(ws.MaskFrameInPlaceWith(ws.NewBinaryFrame(bytes.Clone(want)), [4]byte{1, 2, 3, 4}))
		for _, cut := range []int{0, 1, 2, 5, len(whole) - 1} {
			if _, _, _, err := cutFrame(bytes.Clone(whole[:min(cut, len(whole)-1)])); err != errShort {
				t.Errorf("%d bytes of payload, cut at %d: got %v, want %v", n, cut, err, errShort)
			}
		}
		op, got, rest, err := cutFrame(append(bytes.Clone(whole), 7))
		if err != nil || op != ws.OpBinary || !bytes.Equal(got, want) || len(rest) != 1 {
			t.Errorf("%d bytes of payload: got %v, %d bytes, %d left, %v", n, op, len(got), len(rest), err)
		}
	}
	if _, _, _, err := cutFrame([]byte{0x82, 0x00}); err != errForeign {
		t.Errorf("an unmasked frame: got %v, want %v", err, errForeign)
	}
}

func TestParseMessage(t *testing.T) {
	m, err := parseMessage([]byte("\x00\xac\x02\x04echo{}"))
	if err != nil || !m.request || m.id != 300 || string(m.route) != "echo" || string(m.body) != "{}" {
		t.Errorf("request: got %+v, %v", m, err)
	}
	m, err = parseMessage([]byte("\x02\x01a"))
	if err != nil || m.request || string(m.route) != "a" || len(m.body) != 0 {
		t.Errorf("notify: got %+v, %v", m, err)
	}
	for _, bad := range []string{"", "\x00", "\x00\x80", "\x00\x01", "\x02\x05abc", "\x04\x01", "\x03\x00\x01"} {
		if _, err := parseMessage([]byte(bad)); err != errForeign {
			t.Errorf("%q: got %v, want %v", bad, err, errForeign)
		}
	}
}

// TestFrameIsWhatAClientReads checks the three forms of a header's length.
func TestFrameIsWhatAClientReads(t *testing.T) {
	var f frame
	for _, n := range []int{0, 100, 300, 70_000} {
		f.beginPush("on")
		f.buf = append(f.buf, make([]byte, n)...)
		r := bytes.NewReader(f.end())
		got, err := ws.ReadFrame(r)
		if err != nil || r.Len() != 0 || !got.Header.Fin || got.Header.OpCode != ws.OpBinary {
			t.Fatalf("%d bytes: header %+v, %d bytes left, %v", n, got.Header, r.Len(), err)
		}
		typ, body, rest, err := cutPackage(got.Payload)
		if err != nil || typ != packData || len(rest) != 0 || len(body) != 4+n || string(body[:4]) != "\x06\x02on" {
			t.Errorf("%d bytes: package type %d of %d bytes, %d left, %v", n, typ, len(body), len(rest), err)
		}
	}
}
