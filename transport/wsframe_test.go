package transport

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// Lengths at both sides of every border of RFC 6455, 5.2.
var frameLengths = []int{0, 1, 125, 126, 127, 65535, 65536, 70000}

func TestWSHeader(t *testing.T) {
	mask := [4]byte{1, 2, 3, 4}
	for _, n := range frameLengths {
		for _, m := range []*[4]byte{nil, &mask} {
			for _, fin := range []bool{true, false} {
				h := ws.Header{Fin: fin, OpCode: ws.OpText, Length: int64(n), Masked: m != nil}
				if m != nil {
					h.Mask = *m
				}
				var want bytes.Buffer
				if err := ws.WriteHeader(&want, h); err != nil {
					t.Fatal(err)
				}
				got := appendWSHeader([]byte("x"), ws.OpText, fin, n, m)
				if string(got) != "x"+want.String() {
					t.Errorf("length %d, fin %t, mask %v: got %x, want %x", n, fin, m, got[1:], want.Bytes())
				}
			}
		}
	}
}

// buffer is what a session writes: headroom, then packages.
func buffer(n int) []byte {
	return append(protocol.AppendHeadroom(nil), strings.Repeat("p", n)...)
}

func TestPutWSHeader(t *testing.T) {
	for _, n := range frameLengths {
		buf := buffer(n)
		got := buf[putWSHeader(buf[:protocol.Headroom], n):]
		if want := bare(ws.OpBinary, true, string(buffer(n)[protocol.Headroom:])); !bytes.Equal(got, want) {
			t.Errorf("length %d: got %.20x, want %.20x", n, got, want)
		}
	}
}

// What a client seals, a server reads.
func TestMaskedMessages(t *testing.T) {
	for _, n := range frameLengths {
		want := fmt.Sprintf("binary %q", strings.Repeat("p", n))
		buf := buffer(n)
		sealed := buf[sealMasked(buf, ws.OpBinary):]
		shared := buffer(n)
		copied := appendWSMessage(nil, ws.OpBinary, shared[protocol.Headroom:], true)
		if !bytes.Equal(shared, buffer(n)) {
			t.Errorf("length %d: appendWSMessage changed shared bytes", n)
		}
		for how, wire := range map[string][]byte{"sealed": sealed, "copied": copied} {
			r, sink := newWSReader(true, false, 0), &wsRecorder{}
			if err := r.feed(bytes.Clone(wire), sink); err != nil || len(sink.events) != 1 || sink.events[0] != want {
				t.Errorf("length %d, %s: got %.50q and error %v", n, how, sink.events, err)
			}
		}
		if server := appendWSMessage(nil, ws.OpBinary, shared[protocol.Headroom:], false); !bytes.Equal(server, bare(ws.OpBinary, true, string(shared[protocol.Headroom:]))) {
			t.Errorf("length %d: the server's message is %.20x", n, server)
		}
	}
}

// RFC 6455, 5.3: "The masking key needs to be unpredictable", so frames differ.
func TestMasksDiffer(t *testing.T) {
	seen := map[[4]byte]bool{}
	for range 64 {
		seen[newMask()] = true
	}
	if len(seen) < 60 {
		t.Errorf("got %d different masks in 64 frames", len(seen))
	}
}

func TestCloseBody(t *testing.T) {
	long := strings.Repeat("ä", 100)
	for _, tt := range []struct {
		code uint16
		text string
		want string
	}{
		{1001, "bye", "\x03\xe9bye"},
		{4010, "", "\x0f\xaa"},
		{1013, "full", "\x03\xf5full"},
		{0, "x", ""},
		{1005, "x", ""},
		{1006, "", ""},
		{1015, "", ""},
		{2999, "", ""},
		{5000, "", ""},
		// 123 bytes of room end inside the 62nd ä.
		{1000, long, "\x03\xe8" + long[:122]},
		{1000, "a\xffb", "\x03\xe8ab"},
		{1000, strings.Repeat("x", 123), "\x03\xe8" + strings.Repeat("x", 123)},
	} {
		got := closeBody(tt.code, tt.text)
		if string(got) != tt.want {
			t.Errorf("code %d, text of %d bytes: got %q, want %q", tt.code, len(tt.text), got, tt.want)
		}
		if checkClose(got) != nil {
			t.Errorf("code %d: our own reader refuses %q", tt.code, got)
		}
	}
}

// Every reason a connection can end for has a close code that may be sent.
func TestReasonsHaveCloseCodes(t *testing.T) {
	for r := range protocol.Reasons() {
		if len(closeBody(r.WS(), r.Text())) < 2 {
			t.Errorf("reason %v: close code %d must not be sent", r, r.WS())
		}
	}
}

func TestFrameAllocs(t *testing.T) {
	buf, client, dst := buffer(300), buffer(300), make([]byte, 0, 400)
	got := testing.AllocsPerRun(100, func() {
		putWSHeader(buf[:protocol.Headroom], 300)
		sealMasked(client, ws.OpBinary)
		dst = appendWSMessage(dst[:0], ws.OpText, buf, true)
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
