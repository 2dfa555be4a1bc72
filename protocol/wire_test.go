package protocol

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
)

func TestEncode(t *testing.T) {
	for _, v := range vectors {
		if v.send == nil {
			continue
		}
		if got, want := encode(t, v.send), wireBytes(t, v.wire); !bytes.Equal(got, want) {
			t.Errorf("%s: %s:\n got %q\nwant %q", v.name, v.rule, got, want)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, v := range vectors {
		in := wireBytes(t, v.wire)
		got, rest, err := read(in, v.server)
		if v.bad != ReasonNone {
			wantRefused(t, v, err)
			continue
		}
		want := v.want
		if want == nil {
			want = v.send
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s:\n got %+v, %v\nwant %+v", v.name, v.rule, got, err, want)
		}
		if len(rest) != 0 {
			t.Errorf("%s: %s: %d bytes are left", v.name, v.rule, len(rest))
		}
	}
}

func wantRefused(t *testing.T, v vector, err error) {
	t.Helper()
	e, ok := errors.AsType[*DecodeError](err)
	if !ok || e.Reason != v.bad {
		t.Errorf("%s: %s: got error %v, want a DecodeError with reason %s", v.name, v.rule, err, v.bad)
	}
}

// read cuts one package off b and decodes it.
func read(b []byte, server bool) (v any, rest []byte, err error) {
	p, rest, err := CutPacket(b, DefaultMaxBody)
	if err != nil {
		return nil, rest, err
	}
	v, err = decode(p, server)
	return v, rest, err
}

// placed returns a copy of b at every offset of a machine word, with bytes behind
// it that are reachable by reslicing, never by right: what really follows b in
// full, and noise.
func placed(b, full []byte) [][]byte {
	var out [][]byte
	for offset := range 8 {
		for _, behind := range [][]byte{full[len(b):], bytes.Repeat([]byte{0xFF}, 300), make([]byte, 300)} {
			buf := slices.Concat(make([]byte, offset), b, behind)
			out = append(out, buf[offset:offset+len(b)])
		}
	}
	return out
}

// "Every truncation of a valid message at every buffer alignment": on the stream
// a truncation is a reason to wait.
func TestTruncatedPackage(t *testing.T) {
	for _, v := range vectors {
		full := wireBytes(t, v.wire)
		for n := range full {
			for _, b := range placed(full[:n], full) {
				p, rest, err := CutPacket(b, DefaultMaxBody)
				if errors.Is(err, ErrShort) && len(rest) == n {
					continue
				}
				// A head that can never be valid is refused as soon as it shows.
				if _, never := errors.AsType[*DecodeError](err); !never || v.bad == ReasonNone {
					t.Fatalf("%s: first %d bytes: got %v, %v; want ErrShort", v.name, n, p, err)
				}
			}
		}
	}
}

// The same inside a package whose length is right: a message that ends early is
// refused, or is the same message with a shorter body.
func TestTruncatedMessage(t *testing.T) {
	for _, v := range vectors {
		full := wireBytes(t, v.wire)
		if PacketType(full[0]) != Data || v.bad == ReasonTooBig {
			continue
		}
		full = full[HeadLen:]
		whole, _ := ParseMessage(full, vectorRoutes)
		head := len(full) - len(whole.Body) // all of it when the vector is bad
		for n := range full {
			for _, b := range placed(full[:n], full) {
				got, err := ParseMessage(b, vectorRoutes)
				if n < head || v.bad != ReasonNone {
					if _, never := errors.AsType[*DecodeError](err); !never {
						t.Fatalf("%s: first %d of %d head bytes: got %+v, %v; want a DecodeError", v.name, n, head, got, err)
					}
					continue
				}
				want := whole
				want.Body = full[head:n]
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("%s: first %d bytes: got %+v, %v; want %+v", v.name, n, got, err, want)
				}
			}
		}
	}
}

// A handshake or kick cut short inside its package is never taken for a whole one.
func TestTruncatedJSON(t *testing.T) {
	for _, v := range vectors {
		full := wireBytes(t, v.wire)
		if len(full) <= HeadLen || PacketType(full[0]) != Handshake && PacketType(full[0]) != Kick {
			continue
		}
		typ, full := PacketType(full[0]), full[HeadLen:]
		for n := 1; n < len(full); n++ { // nothing at all is valid in a request
			if got, err := decode(Packet{Type: typ, Body: full[:n:n]}, v.server); err == nil {
				t.Fatalf("%s: first %d bytes: got %+v, want an error", v.name, n, got)
			}
		}
	}
}

// "Body limit: inbound 64 KiB by default": 65,536 bytes pass, 65,537 do not, and
// the head alone tells.
func TestLimit(t *testing.T) {
	fits := AppendPacket(nil, Data, make([]byte, DefaultMaxBody))
	p, rest, err := CutPacket(fits, DefaultMaxBody)
	if err != nil || len(p.Body) != DefaultMaxBody || len(rest) != 0 {
		t.Errorf("65,536 bytes: got %d bytes, %d left, %v", len(p.Body), len(rest), err)
	}
	over := AppendPacket(nil, Data, make([]byte, DefaultMaxBody+1))
	for _, b := range [][]byte{over, over[:HeadLen]} {
		_, rest, err := CutPacket(b, DefaultMaxBody)
		if e, ok := errors.AsType[*DecodeError](err); !ok || e.Reason != ReasonTooBig || e.Got != DefaultMaxBody+1 {
			t.Errorf("65,537 bytes: got %v, want ReasonTooBig", err)
		}
		if len(rest) != len(b) {
			t.Errorf("65,537 bytes: %d of %d bytes left after an error, want all", len(rest), len(b))
		}
	}
	if _, _, err := CutPacket([]byte{4, 0, 0, 1, 0}, 0); !isTooBig(err) {
		t.Errorf("a limit of 0 accepts empty bodies only: got %v", err)
	}
}

func isTooBig(err error) bool {
	e, ok := errors.AsType[*DecodeError](err)
	return ok && e.Reason == ReasonTooBig
}

// What a handler appends to its body must not overwrite the next package.
func TestBodyHasNoSpareCapacity(t *testing.T) {
	stream := AppendPacket(AppendPacket(nil, Data, []byte("one")), Data, []byte("two"))
	p, rest, err := CutPacket(stream, DefaultMaxBody)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(p.Body, "XXXXXXXX"...)
	p, _, err = CutPacket(rest, DefaultMaxBody)
	if err != nil || p.Type != Data || string(p.Body) != "two" {
		t.Errorf("the package behind an appended body: got %v %q, %v", p.Type, p.Body, err)
	}
}

// "Outbound checked too": a body that no head can announce is a bug of ours.
func TestPackageWeMustNotSend(t *testing.T) {
	tooLong := make([]byte, MaxPacketBody+1)
	for name, f := range map[string]func(){
		"append too long": func() { AppendPacket(nil, Data, tooLong) },
		"append type 0":   func() { AppendPacket(nil, 0, nil) },
		"begin type 6":    func() { BeginPacket(nil, 6) },
		"end too long": func() {
			b, mark := BeginPacket(nil, Data)
			EndPacket(append(b, tooLong...), mark)
		},
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
	if b := AppendPacket(nil, Data, tooLong[1:]); len(b) != HeadLen+MaxPacketBody {
		t.Errorf("the longest package has %d bytes", len(b))
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return
}

// A package built in place equals one that was appended, wherever it begins and
// however often the buffer moved.
func TestBeginEnd(t *testing.T) {
	var got, want []byte
	for i, body := range []string{"", "a", "some body", ""} {
		typ := PacketType(i%5 + 1)
		var mark int
		got, mark = BeginPacket(slices.Clip(got), typ)
		for _, c := range []byte(body) {
			got = append(slices.Clip(got), c)
		}
		got = EndPacket(got, mark)
		want = AppendPacket(want, typ, []byte(body))
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMessageWeCannotSend(t *testing.T) {
	dst := []byte("kept")
	for _, m := range []Message{
		{Type: Push, Route: longRoute + "r"}, // "over 255 bytes is an error when encoding, not a truncation"
		{Type: 4, Route: "a"},
	} {
		if got, err := AppendMessage(dst, m); err == nil || string(got) != "kept" {
			t.Errorf("%+v: got %q, %v; want an error and dst", m, got, err)
		}
	}
	if _, err := AppendMessage(nil, Message{Type: Push, Route: longRoute + "r", Code: 1}); err != nil {
		t.Errorf("a compressed route may be of any length: %v", err)
	}
}

// "Route is r's canonical string" and everything else aliases: a known route
// outlives the buffer it came in, an unknown one is a copy.
func TestParsedRouteDoesNotAlias(t *testing.T) {
	for _, route := range []string{"room.message", "who.knows"} {
		b, err := AppendMessage(nil, Message{Type: Notify, Route: route})
		if err != nil {
			t.Fatal(err)
		}
		m, err := ParseMessage(b, vectorRoutes)
		clear(b)
		if err != nil || m.Route != route {
			t.Errorf("route after its buffer was reused: got %q, %v; want %q", m.Route, err, route)
		}
	}
}

// Names appear in metrics; a number that nobody defined must not break them.
func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		Handshake.String():       "handshake",
		HandshakeAck.String():    "handshake_ack",
		Kick.String():            "kick",
		PacketType(0).String():   "packet_type_0",
		PacketType(200).String(): "packet_type_200",
		Request.String():         "request",
		Push.String():            "push",
		MessageType(7).String():  "message_type_7",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
