package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// FuzzWSReader reads the same bytes whole and cut at random, and with the dumb
// twin below. All three must agree.
func FuzzWSReader(f *testing.F) {
	for _, row := range readerTable {
		if len(row.wire) <= 1000 {
			f.Add(row.wire, row.client, row.text, uint16(max(row.limit, 200)), uint64(0x5a5a))
		}
	}
	f.Fuzz(func(t *testing.T, wire []byte, client, text bool, limit uint16, cuts uint64) {
		row := readerRow{client: client, text: text, limit: int(limit) + 1, wire: wire}
		events, err := row.read()
		var at []int
		for i := range wire { // bit i of cuts, around and around
			if cuts>>(i%64)&1 != 0 {
				at = append(at, i)
			}
		}
		cutEvents, cutErr := row.read(at...)
		if !slices.Equal(events, cutEvents) || !errors.Is(cutErr, err) {
			t.Fatalf("whole: %q, %v; cut at %v: %q, %v", events, err, at, cutEvents, cutErr)
		}
		twinEvents, code, complete := twinRead(wire, client, text, int64(limit)+1)
		if !slices.Equal(events, twinEvents) {
			t.Fatalf("got events %q, the twin's are %q", events, twinEvents)
		}
		// Where the input ends inside a frame the twin does not judge that frame.
		if !complete {
			return
		}
		var broke *closeError
		if errors.As(err, &broke) != (code != 0) || code != 0 && broke.code != code {
			t.Fatalf("got error %v, the twin's code is %d", err, code)
		}
	})
}

// twinRead is a WebSocket reader in the plainest form: gobwas/ws takes header
// after header from the whole input, every payload is copied, every message is
// put together before anything is checked. code is the close code, 0 for none;
// complete is false when the input ends inside a frame.
func twinRead(wire []byte, client, text bool, limit int64) (events []string, code uint16, complete bool) {
	in := bytes.NewReader(wire)
	side, kind, data := ws.StateServerSide, "binary", ws.OpBinary
	if client {
		side = ws.StateClientSide
	}
	if text {
		kind, data = "text", ws.OpText
	}
	var message []byte
	for {
		before := in.Len()
		h, err := ws.ReadHeader(in)
		switch {
		case errors.Is(err, io.EOF):
			return events, 0, before == in.Len() && before == 0
		case errors.Is(err, io.ErrUnexpectedEOF):
			return events, 0, false
		}
		checked := h
		if wrong := data ^ 3; h.OpCode == wrong && h.Rsv == 0 && !side.Fragmented() {
			return events, 1003, true
		}
		if h.Length > 125 && !h.OpCode.IsControl() {
			checked.Length = 0
		}
		if e := ws.CheckHeader(checked, side); err != nil || e != nil {
			return events, 1002, true
		}
		if before-in.Len() != ws.HeaderSize(h) {
			return events, 1002, true
		}
		if h.OpCode.IsData() && int64(len(message))+h.Length > limit {
			return events, 1009, true
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(in, payload); err != nil {
			return events, 0, false
		}
		if h.Masked {
			for i := range payload {
				payload[i] ^= h.Mask[i%4]
			}
		}
		if h.OpCode.IsControl() {
			if h.OpCode == ws.OpClose {
				if code := twinClose(payload); code != 0 {
					return events, code, true
				}
				return append(events, fmt.Sprintf("close %q", payload)), 0, true
			}
			events = append(events, fmt.Sprintf("%s %q", map[ws.OpCode]string{ws.OpPing: "ping", ws.OpPong: "pong"}[h.OpCode], payload))
			continue
		}
		message = append(message, payload...)
		side = side.Set(ws.StateFragmented)
		if text && !twinText(message, h.Fin) {
			return events, 1007, true
		}
		if h.Fin {
			events = append(events, fmt.Sprintf("%s %q", kind, message))
			message, side = nil, side.Clear(ws.StateFragmented)
		}
	}
}

func twinText(b []byte, final bool) bool {
	if final {
		return utf8.Valid(b)
	}
	// Some continuation must make it whole.
	for _, tail := range []string{"", "\x80", "\x80\x80", "\x80\x80\x80", "\xbf", "\xbf\x80", "\xbf\x80\x80", "\xa0\x80", "\x90\x80\x80", "\x9f\x80", "\x8f\x80\x80"} {
		if utf8.Valid(append(bytes.Clone(b), tail...)) {
			return true
		}
	}
	return false
}

func twinClose(b []byte) uint16 {
	if len(b) == 0 {
		return 0
	}
	if len(b) == 1 || !slices.Contains(codesInUse(), binary.BigEndian.Uint16(b)) {
		return 1002
	}
	if !utf8.Valid(b[2:]) {
		return 1007
	}
	return 0
}

// codesInUse lists the codes of RFC 6455, 7.4 and the IANA registry.
func codesInUse() []uint16 {
	codes := []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}
	for c := uint16(3000); c < 5000; c++ {
		codes = append(codes, c)
	}
	return codes
}
