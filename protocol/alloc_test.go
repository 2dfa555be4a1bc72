package protocol

import (
	"bytes"
	"testing"
)

// wantNoAllocs fails when f allocates. It is the hot path: at 100,000 messages a
// second every allocation here is a garbage collection there.
func wantNoAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(200, f); n != 0 {
		t.Errorf("%s: %v allocations, want 0", name, n)
	}
}

// The compiler must not see that a result is unused.
var (
	sinkBytes   []byte
	sinkPacket  Packet
	sinkMessage Message
)

func TestNoAllocsInbound(t *testing.T) {
	whole, packets := stream(t)
	wantNoAllocs(t, "CutPacket", func() {
		for b := whole; len(b) > 0; {
			sinkPacket, b, _ = CutPacket(b, DefaultMaxBody)
		}
	})
	var c Cutter
	wantNoAllocs(t, "Cutter with whole packages", func() {
		for b := whole; len(b) > 0; {
			sinkPacket, b, _ = c.Cut(b, DefaultMaxBody)
		}
	})
	// A head in two pieces needs no buffer either.
	beat := AppendPacket(nil, Heartbeat, nil)
	wantNoAllocs(t, "Cutter with a split heartbeat", func() {
		_, _, _ = c.Cut(beat[:3], DefaultMaxBody)
		sinkPacket, _, _ = c.Cut(beat[3:], DefaultMaxBody)
	})
	for _, p := range packets {
		if p.Type != Data {
			continue
		}
		m, err := ParseMessage(p.Body, vectorRoutes)
		if err != nil || m.Route != "" && vectorRoutes.known[m.Route] == "" {
			continue // bad, or a route that is not known
		}
		wantNoAllocs(t, "ParseMessage of "+m.Type.String()+" "+m.Route, func() {
			sinkMessage, _ = ParseMessage(p.Body, vectorRoutes)
		})
	}
	ascii, korean := []byte(`{"name":"abc"}`), []byte(`{"name":"한국어"}`)
	wantNoAllocs(t, "joinSurrogates without any", func() {
		sinkBytes = joinSurrogates(ascii)
		sinkBytes = joinSurrogates(korean)
	})
}

func TestNoAllocsOutbound(t *testing.T) {
	dst := make([]byte, 0, 1024)
	body := bytes.Repeat([]byte("x"), 100)
	m := Message{Type: Push, Route: "room.message", Body: body}
	wantNoAllocs(t, "AppendPacket", func() { sinkBytes = AppendPacket(dst, Data, body) })
	wantNoAllocs(t, "AppendMessage", func() { sinkBytes, _ = AppendMessage(dst, m) })
	wantNoAllocs(t, "a package in place", func() {
		b, mark := BeginPacket(dst, Data)
		b, _ = AppendMessage(b, m)
		sinkBytes = EndPacket(b, mark)
	})
	refusal := Errorf(CodeLimited, "too many messages")
	wantNoAllocs(t, "AppendErrorBody", func() { sinkBytes = AppendErrorBody(dst, refusal) })
	wantNoAllocs(t, "AppendKick", func() { sinkBytes = AppendKick(dst, ReasonReplaced, "") })
	wantNoAllocs(t, "AppendHeadroom", func() { sinkBytes = AppendHeadroom(dst) })
	raw := any(body)
	wantNoAllocs(t, "Raw.Append", func() { sinkBytes, _ = Raw.Append(dst, raw) })
	wantNoAllocs(t, "escapeNonBMP into capacity", func() { sinkBytes = escapeNonBMP(append(dst, `"a😀b"`...), 0) })
}
