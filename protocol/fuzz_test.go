package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// seeds adds the packages of the table, one by one and all in one stream.
func seeds(f *testing.F, add func(wire []byte)) {
	f.Helper()
	for _, v := range vectors {
		add(wireBytes(f, v.wire))
	}
	whole, _ := stream(f)
	add(whole)
}

// cutTwin is CutPacket as one would write it over an io.Reader.
func cutTwin(b []byte, limit int) (Packet, []byte, error) {
	if len(b) > 0 && (b[0] < 1 || b[0] > 5) {
		return Packet{}, b, &DecodeError{}
	}
	r := bytes.NewReader(b)
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Packet{}, b, ErrShort
	}
	size := int(head[1])*65536 + int(head[2])*256 + int(head[3])
	if size > limit {
		return Packet{}, b, &DecodeError{}
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(size)))
	if err != nil || len(body) < size {
		return Packet{}, b, ErrShort
	}
	return Packet{Type: PacketType(head[0]), Body: body}, b[len(b)-r.Len():], nil
}

// sameError reports whether both are nil, both ErrShort or both a DecodeError.
func sameError(a, b error) bool {
	_, neverA := errors.AsType[*DecodeError](a)
	_, neverB := errors.AsType[*DecodeError](b)
	return neverA == neverB && (neverA || errors.Is(a, b))
}

func FuzzCutPacket(f *testing.F) {
	seeds(f, func(wire []byte) { f.Add(wire, DefaultMaxBody) })
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		got, rest, err := CutPacket(b, limit)
		want, wantRest, wantErr := cutTwin(b, limit)
		if !sameError(err, wantErr) || !bytes.Equal(rest, wantRest) || got.Type != want.Type || !bytes.Equal(got.Body, want.Body) {
			t.Fatalf("got %v, %d left, %v\nwant %v, %d left, %v", got, len(rest), err, want, len(wantRest), wantErr)
		}
		if err != nil {
			return
		}
		if again := AppendPacket(nil, got.Type, got.Body); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Errorf("%q was cut and encodes to %q", b[:len(b)-len(rest)], again)
		}
	})
}

// FuzzCutter cuts a stream in pieces as sizes say, and compares with a twin that
// waits for all of it.
func FuzzCutter(f *testing.F) {
	seeds(f, func(wire []byte) { f.Add(wire, []byte{1, 2, 3}, 100) })
	f.Fuzz(func(t *testing.T, b, sizes []byte, limit int) {
		limit = min(limit, MaxPacketBody)
		var want []Packet
		var wantErr error
		for rest := b; ; {
			var p Packet
			p, rest, wantErr = cutTwin(rest, limit)
			if wantErr != nil {
				break
			}
			want = append(want, p)
		}
		if errors.Is(wantErr, ErrShort) {
			wantErr = nil // feed returns nil when it has run out of pieces
		}
		var pieces [][]byte
		for rest, i := b, 0; len(rest) > 0; i++ {
			n := len(rest)
			if len(sizes) > 0 {
				n = min(n, int(sizes[i%len(sizes)])+i/len(sizes)) // ends even when all sizes are 0
			}
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		var c Cutter
		got, err := feed(&c, limit, pieces...)
		if !sameError(err, wantErr) || !samePackets(got, want) {
			t.Fatalf("in pieces of % d: got %d packages, %v; want %d, %v", sizes, len(got), err, len(want), wantErr)
		}
		if held := cap(c.body); held > max(2*trusted, 4*len(b)) {
			t.Errorf("%d bytes held after an input of %d", held, len(b))
		}
	})
}

func FuzzParseMessage(f *testing.F) {
	seeds(f, func(wire []byte) { f.Add(wire[min(HeadLen, len(wire)):]) })
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseMessage(b, vectorRoutes)
		if err != nil {
			if e, ok := errors.AsType[*DecodeError](err); !ok || e.Reason != ReasonProtocol || !reflect.DeepEqual(m, Message{}) {
				t.Fatalf("got %+v, %v; want a DecodeError alone", m, err)
			}
			return
		}
		if !bytes.HasSuffix(b, m.Body) {
			t.Errorf("the body %q is not the end of %q", m.Body, b)
		}
		if m.Code != 0 && m.Route != vectorRoutes.Route(m.Code) {
			t.Errorf("code %d came with route %q", m.Code, m.Route)
		}
		// What was understood, said again, is understood the same.
		again, err := AppendMessage(nil, m)
		if err != nil || len(again) > len(b)+len(m.Route) {
			t.Fatalf("%+v encodes to %q, %v", m, again, err)
		}
		if m2, err := ParseMessage(again, vectorRoutes); err != nil || !reflect.DeepEqual(m2, m) {
			t.Errorf("%q was parsed, encoded to %q and parsed again: got %+v, %v; want %+v", b, again, m2, err, m)
		}
	})
}

// FuzzHandshake takes b for what a client says, and answers it; and takes it for
// what a server says.
func FuzzHandshake(f *testing.F) {
	seeds(f, func(wire []byte) { f.Add(wire[min(HeadLen, len(wire)):]) })
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = ParseKick(b)
		_, _ = ParseHandshakeResponse(b)
		req, err := ParseHandshake(b)
		if err != nil {
			if e, ok := errors.AsType[*DecodeError](err); !ok || e.Reason != ReasonProtocol {
				t.Fatalf("got %v, want a DecodeError", err)
			}
			return
		}
		said := AppendHandshake(nil, &req)
		again, err := ParseHandshake(said)
		if err != nil || !reflect.DeepEqual(again, req) {
			t.Errorf("%q was parsed, encoded to %q and parsed again:\n got %+v, %v\nwant %+v", b, said, again, err, req)
		}
		res := HandshakeResponse{Heartbeat: time.Second, Serializer: "json", Routes: vectorRoutes, User: req.User}
		answered, err := AppendHandshakeResponse(nil, &req, res)
		if err != nil {
			t.Fatalf("answer to %q: %v", b, err)
		}
		heard, err := ParseHandshakeResponse(answered)
		if err != nil || heard.Code != CodeOK || heard.Heartbeat != time.Second {
			t.Fatalf("answer to %q: %q: got %+v, %v", b, answered, heard, err)
		}
		if heard.Routes != nil && !req.MayCompress() {
			t.Errorf("answer to %q: a dictionary for a client that cannot use it", b)
		}
	})
}

// FuzzJSONText sends text to a client and gets it back as a JavaScript client
// writes it.
func FuzzJSONText(f *testing.F) {
	for _, s := range []string{"", "abc", "<&>", "한국어", "a😀b", "\U00010000\U0010FFFF", "\xed\xa0\xbd\xed\xb8\x80", "\xed\xa0", "\xf0\x9f", "\u2028", `"\`, "\x00"} {
		f.Add(s)
	}
	seeds(f, func(wire []byte) { f.Add(string(wire)) })
	f.Fuzz(func(t *testing.T, s string) {
		want := string([]rune(s)) // every bad byte is one U+FFFD
		out, err := JSON.Append(nil, s)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexFunc(out, func(c rune) bool { return c > 0xFFFF }); i >= 0 {
			t.Errorf("%q was sent as %s, with a four-byte character", s, out)
		}
		var got string
		if err := JSON.Unmarshal(out, &got); err != nil || got != want {
			t.Errorf("%q was sent as %s and came back as %q, %v", s, out, got, err)
		}
		written := cesu(stringify(want))
		if err := JSON.Unmarshal([]byte(written), &got); err != nil || got != want {
			t.Errorf("%q was written as %q and came back as %q, %v", s, written, got, err)
		}
		if got, want := string(joinSurrogates([]byte(s))), joinSurrogatesTwin([]byte(s)); got != want {
			t.Errorf("join %q: got %q, want %q", s, got, want)
		}
		if got, want := string(escapeNonBMP([]byte("😀"+s), 4)), "😀"+escapeNonBMPTwin(s); got != want {
			t.Errorf("escape %q: got %q, want %q", s, got, want)
		}
	})
}

// stringify is JSON.stringify: escapes what it must, and nothing else.
func stringify(s string) string {
	out := []byte{'"'}
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', byte(c))
		case c < ' ':
			out = fmt.Appendf(out, `\u%04x`, c)
		default:
			out = utf8.AppendRune(out, c)
		}
	}
	return string(append(out, '"'))
}

// FuzzRoutes makes a dictionary of the lines of text, with codes from the bytes
// of codes, and checks that it is refused or bijective.
func FuzzRoutes(f *testing.F) {
	f.Add("onMessage\nroom.join\nroom.message", []byte{0, 1, 0, 2})
	f.Add("a\nb", []byte{0, 1, 0, 1})
	f.Add("a\n\n\xff", []byte{0, 0})
	f.Fuzz(func(t *testing.T, text string, codes []byte) {
		known := strings.Split(text, "\n")
		dict := map[string]uint16{}
		for i := 0; i+1 < len(codes) && i/2 < len(known); i += 2 {
			dict[known[i/2]] = uint16(codes[i])<<8 | uint16(codes[i+1])
		}
		r, err := NewRoutes(known, dict)
		distinct := len(slices.Compact(slices.Sorted(maps.Values(dict)))) == len(dict)
		usable := !slices.Contains(slices.Collect(maps.Values(dict)), 0)
		for _, route := range known {
			usable = usable && checkRoute(route) == nil
		}
		if (err == nil) != (distinct && usable) {
			t.Fatalf("%v: distinct %v, usable %v, but got %v", dict, distinct, usable, err)
		}
		if err != nil {
			return
		}
		var rendered map[string]uint16
		if len(dict) > 0 {
			if err := json.Unmarshal(r.routeToCode, &rendered); err != nil || !maps.Equal(rendered, dict) {
				t.Errorf("%v is rendered as %s, %v", dict, r.routeToCode, err)
			}
		}
		for _, route := range known {
			if r.Code(route) != dict[route] || dict[route] != 0 && r.Route(dict[route]) != route {
				t.Errorf("%q: code %d, want %d, which stands for %q", route, r.Code(route), dict[route], r.Route(dict[route]))
			}
			b, err := AppendMessage(nil, Message{Type: Push, Code: r.Code(route), Route: route})
			if m, err2 := ParseMessage(b, r); err != nil || err2 != nil || m.Route != route {
				t.Errorf("%q came back as %q, %v, %v", route, m.Route, err, err2)
			}
		}
	})
}

// FuzzInflate compares with a twin that inflates everything and then measures.
func FuzzInflate(f *testing.F) {
	f.Add(Deflate(nil, []byte("{}")), 2)
	f.Add(Deflate(nil, []byte("{}")), 1)
	f.Add(Deflate(nil, make([]byte, 100_000)), 65536)
	f.Fuzz(func(t *testing.T, body []byte, limit int) {
		limit = max(0, min(limit, 1<<20))
		got, err := Inflate([]byte("x"), body, limit)
		want, wantErr := inflateTwin(body, limit+1)
		if len(want) > limit {
			if len(got) != 1 || err == nil {
				t.Fatalf("%d bytes with a limit of %d: got %d, %v", len(want), limit, len(got)-1, err)
			}
			return
		}
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got[1:], want) {
			t.Errorf("got %q, %v; want %q, %v", got, err, want, wantErr)
		}
	})
}
