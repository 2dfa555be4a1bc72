package transport

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// wsRecorder writes down what a reader tells it: whole messages, however they
// were cut, and control frames.
type wsRecorder struct {
	events  []string
	message []byte
	stop    error // what payload returns
}

func (s *wsRecorder) payload(b []byte, final, text bool) error {
	s.message = append(s.message, b...)
	if final {
		kind := "binary"
		if text {
			kind = "text"
		}
		s.events = append(s.events, fmt.Sprintf("%s %q", kind, s.message))
		s.message = s.message[:0]
	}
	return s.stop
}

func (s *wsRecorder) control(op ws.OpCode, body []byte) error {
	s.events = append(s.events, fmt.Sprintf("%s %q", map[ws.OpCode]string{ws.OpClose: "close", ws.OpPing: "ping", ws.OpPong: "pong"}[op], body))
	return nil
}

// frame is one frame in the encoding of gobwas/ws, masked as a client does.
func frame(op ws.OpCode, fin bool, payload string) []byte {
	return ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(op, fin, []byte(payload))))
}

// bare is one frame as a server sends it.
func bare(op ws.OpCode, fin bool, payload string) []byte {
	return ws.MustCompileFrame(ws.NewFrame(op, fin, []byte(payload)))
}

func closing(code uint16, text string) string {
	return string(ws.NewCloseFrameBody(ws.StatusCode(code), text))
}

type readerRow struct {
	name         string
	rule         string // the sentence of RFC 6455
	client, text bool   // we are the client; the endpoint speaks text
	limit        int    // default 1 MiB
	wire         []byte
	want         []string
	fails        *closeError
}

var readerTable = []readerRow{
	{name: "one message", wire: frame(ws.OpBinary, true, "hello"), want: []string{`binary "hello"`}},
	{name: "empty message", wire: frame(ws.OpBinary, true, ""), want: []string{`binary ""`}},
	{name: "two messages in one read",
		wire: slices.Concat(frame(ws.OpBinary, true, "a"), frame(ws.OpBinary, true, "bc")),
		want: []string{`binary "a"`, `binary "bc"`}},
	{name: "16-bit length", wire: frame(ws.OpBinary, true, strings.Repeat("x", 126)),
		want: []string{fmt.Sprintf("binary %q", strings.Repeat("x", 126))}},
	{name: "64-bit length", wire: frame(ws.OpBinary, true, strings.Repeat("x", 65536)),
		want: []string{fmt.Sprintf("binary %q", strings.Repeat("x", 65536))}},
	{name: "fragments",
		rule: "A fragmented message consists of a single frame with the FIN bit clear and an opcode other than 0, followed by zero or more frames with the FIN bit clear and the opcode set to 0, and terminated by a single frame with the FIN bit set and an opcode of 0.",
		wire: slices.Concat(frame(ws.OpBinary, false, "he"), frame(ws.OpContinuation, false, "ll"), frame(ws.OpContinuation, true, "o")),
		want: []string{`binary "hello"`}},
	{name: "fragments without payload",
		wire: slices.Concat(frame(ws.OpBinary, false, ""), frame(ws.OpContinuation, false, ""), frame(ws.OpContinuation, true, "")),
		want: []string{`binary ""`}},
	{name: "control frames between fragments",
		rule: "Control frames MAY be injected in the middle of a fragmented message.",
		wire: slices.Concat(frame(ws.OpBinary, false, "he"), frame(ws.OpPing, true, "p"), frame(ws.OpContinuation, false, "l"), frame(ws.OpPong, true, ""), frame(ws.OpContinuation, true, "lo")),
		want: []string{`ping "p"`, `pong ""`, `binary "hello"`}},
	{name: "ping of 125 bytes",
		rule: "All control frames MUST have a payload length of 125 bytes or less",
		wire: frame(ws.OpPing, true, strings.Repeat("p", 125)),
		want: []string{fmt.Sprintf("ping %q", strings.Repeat("p", 125))}},
	{name: "ping of 126 bytes", wire: frame(ws.OpPing, true, strings.Repeat("p", 126)), fails: errControlLong},
	{name: "fragmented ping", rule: "and MUST NOT be fragmented.", wire: frame(ws.OpPing, false, ""), fails: errControlSplit},
	{name: "reserved bit",
		rule:  "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values.",
		wire:  []byte{0xc2, 0x80, 0, 0, 0, 0},
		fails: errRsv},
	{name: "reserved data opcode", rule: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_.",
		wire: frame(3, true, ""), fails: errOpcode},
	{name: "reserved control opcode", wire: frame(0xb, true, ""), fails: errOpcode},
	{name: "continuation of nothing", wire: frame(ws.OpContinuation, true, "x"), fails: errContinuation},
	{name: "continuation after the end",
		wire: slices.Concat(frame(ws.OpBinary, true, "a"), frame(ws.OpContinuation, true, "b")),
		want: []string{`binary "a"`}, fails: errContinuation},
	{name: "interleaved messages",
		rule:  "The fragments of one message MUST NOT be interleaved between the fragments of another message",
		wire:  slices.Concat(frame(ws.OpBinary, false, "a"), frame(ws.OpBinary, true, "b")),
		fails: errInterleaved},
	{name: "unmasked from a client",
		rule: "The server MUST close the connection upon receiving a frame that is not masked.",
		wire: bare(ws.OpBinary, true, "x"), fails: errUnmasked},
	{name: "masked from a server",
		rule:   "A client MUST close a connection if it detects a masked frame.",
		client: true, wire: frame(ws.OpBinary, true, "x"), fails: errMasked},
	{name: "client reads", client: true,
		wire: slices.Concat(bare(ws.OpBinary, true, "a"), bare(ws.OpPing, true, "p"), bare(ws.OpBinary, true, "")),
		want: []string{`binary "a"`, `ping "p"`, `binary ""`}},
	{name: "length in 16 bits that fits 7",
		rule: "the minimal number of bytes MUST be used to encode the length",
		wire: []byte{0x82, 0xfe, 0, 125}, fails: errLengthPadded},
	{name: "length in 64 bits that fits 16", wire: []byte{0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, fails: errLengthPadded},
	{name: "negative length", rule: "the most significant bit MUST be 0",
		wire: []byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, fails: errLengthSign},
	{name: "huge length", wire: []byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, fails: errMessageTooBig},
	{name: "limit is reached", limit: 5, wire: frame(ws.OpBinary, true, "12345"), want: []string{`binary "12345"`}},
	{name: "limit is passed", limit: 5,
		rule: "1009 indicates that an endpoint is terminating the connection because it has received a message that is too big for it to process.",
		wire: frame(ws.OpBinary, true, "123456"), fails: errMessageTooBig},
	{name: "limit is passed by a fragment", limit: 5,
		wire:  slices.Concat(frame(ws.OpBinary, false, "123"), frame(ws.OpContinuation, true, "456")),
		fails: errMessageTooBig},
	{name: "limit is per message", limit: 5,
		wire: slices.Concat(frame(ws.OpBinary, true, "12345"), frame(ws.OpBinary, false, "12"), frame(ws.OpContinuation, true, "345")),
		want: []string{`binary "12345"`, `binary "12345"`}},
	{name: "limit does not count control frames", limit: 2,
		wire: slices.Concat(frame(ws.OpBinary, false, "1"), frame(ws.OpPing, true, "12345"), frame(ws.OpContinuation, true, "2")),
		want: []string{`ping "12345"`, `binary "12"`}},
	{name: "text on a binary endpoint",
		rule: "1003 indicates that an endpoint is terminating the connection because it has received a type of data it cannot accept",
		wire: frame(ws.OpText, true, "{}"), fails: errText},
	{name: "binary on a text endpoint", text: true, wire: frame(ws.OpBinary, true, "x"), fails: errBinary},
	{name: "text", text: true, wire: frame(ws.OpText, true, "aä€😀\uFFFD"), want: []string{fmt.Sprintf("text %q", "aä€😀\uFFFD")}},
	{name: "empty text", text: true, wire: frame(ws.OpText, true, ""), want: []string{`text ""`}},
	{name: "character over three fragments", text: true,
		rule: "a particular text frame might include a partial UTF-8 sequence; however, the whole message MUST contain valid UTF-8.",
		wire: slices.Concat(frame(ws.OpText, false, "a\xf0"), frame(ws.OpContinuation, false, "\x9f\x98"), frame(ws.OpPing, true, "\xff"), frame(ws.OpContinuation, true, "\x80b")),
		want: []string{`ping "\xff"`, fmt.Sprintf("text %q", "a😀b")}},
	{name: "text cut inside a character", text: true, wire: frame(ws.OpText, true, "a\xf0\x9f\x98"), fails: errInvalidUTF8},
	{name: "bytes that are no text", text: true,
		rule: "1007 indicates that an endpoint is terminating the connection because it has received data within a message that was not consistent with the type of the message",
		wire: frame(ws.OpText, true, "ab\xffcd"), fails: errInvalidUTF8},
	{name: "surrogate", text: true, wire: frame(ws.OpText, true, "\xed\xa0\x80"), fails: errInvalidUTF8},
	{name: "overlong", text: true, wire: frame(ws.OpText, true, "\xe0\x80\xaf"), fails: errInvalidUTF8},
	{name: "above Unicode", text: true, wire: frame(ws.OpText, true, "\xf4\x90\x80\x80"), fails: errInvalidUTF8},
	{name: "continuation byte alone", text: true, wire: frame(ws.OpText, true, "\x80"), fails: errInvalidUTF8},
	{name: "close", wire: frame(ws.OpClose, true, ""), want: []string{`close ""`}},
	{name: "close with code and text", wire: frame(ws.OpClose, true, closing(1001, "bye")),
		want: []string{fmt.Sprintf("close %q", closing(1001, "bye"))}},
	{name: "close with a private code", wire: frame(ws.OpClose, true, closing(4000, "")),
		want: []string{fmt.Sprintf("close %q", closing(4000, ""))}},
	{name: "nothing after a close",
		rule: "After receiving a control frame indicating the connection should be closed, a peer discards any further data received.",
		wire: slices.Concat(frame(ws.OpClose, true, ""), frame(ws.OpBinary, true, "x"), []byte{0xff, 0xff}),
		want: []string{`close ""`}},
	{name: "close with half a code",
		rule: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer",
		wire: frame(ws.OpClose, true, "\x03"), fails: errCloseBody},
	{name: "close without a code in use", wire: frame(ws.OpClose, true, closing(999, "")), fails: errCloseCode},
	{name: "close with a reserved code",
		rule: "1005 is a reserved value and MUST NOT be set as a status code in a Close control frame by an endpoint.",
		wire: frame(ws.OpClose, true, closing(1005, "")), fails: errCloseCode},
	{name: "close with an unknown code", wire: frame(ws.OpClose, true, closing(2000, "")), fails: errCloseCode},
	{name: "close with a text that is none",
		rule: "Following the 2-byte integer, the body MAY contain UTF-8-encoded data",
		wire: frame(ws.OpClose, true, closing(1000, "\xff")), fails: errInvalidUTF8},
}

// read feeds wire, cut at the given places, and returns what came of it.
func (row readerRow) read(cuts ...int) (events []string, err error) {
	limit := row.limit
	if limit == 0 {
		limit = 1 << 20
	}
	r := newWSReader(!row.client, row.text, limit)
	sink := &wsRecorder{}
	wire := bytes.Clone(row.wire)
	from := 0
	for _, to := range append(cuts, len(wire)) {
		if err = r.feed(wire[from:to:to], sink); err != nil {
			break
		}
		from = to
	}
	return sink.events, err
}

func (row readerRow) check(t *testing.T, how string, events []string, err error) {
	t.Helper()
	if !slices.Equal(events, row.want) {
		t.Errorf("%s: got events %.200q, want %.200q (%s)", how, events, row.want, row.rule)
	}
	if row.fails == nil && err != nil || row.fails != nil && !errors.Is(err, row.fails) {
		t.Errorf("%s: got error %v, want %v (%s)", how, err, row.fails, row.rule)
	}
}

func TestWSReader(t *testing.T) {
	for _, row := range readerTable {
		t.Run(row.name, func(t *testing.T) {
			events, err := row.read()
			row.check(t, "whole", events, err)
			every := make([]int, len(row.wire))
			for i := range every {
				every[i] = i
			}
			events, err = row.read(every...)
			row.check(t, "byte by byte", events, err)
			if len(row.wire) > 1000 {
				return
			}
			for i := range row.wire {
				events, err = row.read(i)
				row.check(t, fmt.Sprintf("cut at %d", i), events, err)
				for j := i; j < len(row.wire) && len(row.wire) <= 64; j++ {
					events, err = row.read(i, j)
					row.check(t, fmt.Sprintf("cut at %d and %d", i, j), events, err)
				}
			}
		})
	}
}

// Every prefix of a valid conversation is valid too, and tells of no message
// that is not there yet.
func TestWSReaderTruncated(t *testing.T) {
	for _, row := range readerTable {
		if row.fails != nil || len(row.wire) > 1000 {
			continue
		}
		whole := row.wire
		for n := range whole {
			row.wire = whole[:n]
			events, err := row.read()
			if err != nil || len(events) > len(row.want) || !slices.Equal(events, row.want[:len(events)]) {
				t.Errorf("%s, first %d bytes: got %q and error %v, want a part of %q", row.name, n, events, err, row.want)
			}
		}
	}
}

func TestWSReaderStopsWithItsSink(t *testing.T) {
	r := newWSReader(true, false, 0)
	stop := errors.New("enough")
	sink := &wsRecorder{stop: stop}
	wire := slices.Concat(frame(ws.OpBinary, true, "a"), frame(ws.OpBinary, true, "b"))
	if err := r.feed(wire, sink); !errors.Is(err, stop) {
		t.Fatalf("got error %v, want the sink's", err)
	}
	sink.stop = nil
	if err := r.feed(frame(ws.OpBinary, true, "c"), sink); err != nil || len(sink.events) != 1 {
		t.Errorf("after an error: got error %v and events %q, want bytes to be dropped", err, sink.events)
	}
}

// The payload a receiver keeps must be its own part of the read buffer: an
// append to it must not run into the next frame.
func TestWSReaderPayloadIsCapped(t *testing.T) {
	wire := slices.Concat(frame(ws.OpBinary, true, "abc"), frame(ws.OpBinary, true, "def"))
	r := newWSReader(true, false, 0)
	var seen []string
	err := r.feed(wire, sinkFunc(func(b []byte) { seen = append(seen, string(b)); _ = append(b, 0xff) }))
	if err != nil || !slices.Equal(seen, []string{"abc", "def"}) {
		t.Errorf("got %q and error %v, want abc and def", seen, err)
	}
}

// sinkFunc hears payloads.
type sinkFunc func(b []byte)

func (f sinkFunc) payload(b []byte, final, text bool) error { f(b); return nil }
func (f sinkFunc) control(op ws.OpCode, body []byte) error  { f(body); return nil }

func TestCloseErrors(t *testing.T) {
	for _, tt := range []struct {
		err    *closeError
		code   uint16
		reason protocol.Reason
	}{
		{errUnmasked, 1002, protocol.ReasonUnmasked},
		{errRsv, 1002, protocol.ReasonProtocol},
		{errText, 1003, protocol.ReasonText},
		{errInvalidUTF8, 1007, protocol.ReasonProtocol},
		{errMessageTooBig, 1009, protocol.ReasonTooBig},
	} {
		if tt.err.code != tt.code || tt.err.reason != tt.reason || tt.err.Error() == "" {
			t.Errorf("%v: got %d and %v, want %d and %v", tt.err, tt.err.code, tt.err.reason, tt.code, tt.reason)
		}
	}
}

func TestWSReaderIsSmall(t *testing.T) {
	if got := unsafe.Sizeof(wsReader{}); got > 32 {
		t.Errorf("an idle connection keeps %d bytes, want at most 32", got)
	}
}

// Feeding allocates nothing, however frames are cut, but for a control frame
// over two reads.
func TestWSReaderAllocs(t *testing.T) {
	for _, text := range []bool{false, true} {
		op := ws.OpBinary
		if text {
			op = ws.OpText
		}
		wire := slices.Concat(frame(op, false, "a€"), frame(ws.OpPing, true, "p"), frame(ws.OpContinuation, true, "😀b"), frame(op, true, strings.Repeat("x", 500)))
		r := newWSReader(true, text, 0)
		var sink wsSink = sinkFunc(func([]byte) {})
		buf := make([]byte, len(wire))
		whole := testing.AllocsPerRun(100, func() {
			copy(buf, wire)
			if err := r.feed(buf, sink); err != nil {
				t.Fatal(err)
			}
		})
		r = newWSReader(true, text, 0)
		data := slices.Concat(frame(op, false, "a€"), frame(ws.OpContinuation, true, "😀b"))
		cut := testing.AllocsPerRun(100, func() {
			copy(buf, data)
			for i := range data {
				if err := r.feed(buf[i:i+1], sink); err != nil {
					t.Fatal(err)
				}
			}
		})
		if whole != 0 || cut != 0 {
			t.Errorf("text %t: got %v allocations whole and %v byte by byte, want 0", text, whole, cut)
		}
	}
}

func BenchmarkWSReader(b *testing.B) {
	for _, size := range []int{16, 256, 4096} {
		b.Run(fmt.Sprintf("payload=%d", size), func(b *testing.B) {
			wire := frame(ws.OpBinary, true, strings.Repeat("x", size))
			r := newWSReader(true, false, 0)
			var sink wsSink = sinkFunc(func([]byte) {})
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				if err := r.feed(wire, sink); err != nil { // masks come and go, the header stays
					b.Fatal(err)
				}
			}
		})
	}
}
