package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"unsafe"
)

// stream returns all valid vectors behind each other, and the packages in it.
func stream(tb testing.TB) (b []byte, packets []Packet) {
	tb.Helper()
	for _, v := range vectors {
		one := wireBytes(tb, v.wire)
		p, _, err := CutPacket(one, DefaultMaxBody)
		if err != nil {
			continue
		}
		b = append(b, one...)
		packets = append(packets, p)
	}
	return b, packets
}

// feed cuts the pieces one after the other. Every piece is overwritten once it is
// taken, so that a body that wrongly aliases one shows.
func feed(c *Cutter, limit int, pieces ...[]byte) (packets []Packet, err error) {
	for _, piece := range pieces {
		in := slices.Clone(piece)
		for rest := in; ; {
			var p Packet
			p, rest, err = c.Cut(rest, limit)
			if err != nil {
				break
			}
			if !c.Spanned() {
				p.Body = slices.Clone(p.Body)
			}
			packets = append(packets, p)
		}
		if !errors.Is(err, ErrShort) {
			return packets, err
		}
		for i := range in {
			in[i] = 0xEE
		}
	}
	return packets, nil
}

func samePackets(a, b []Packet) bool {
	return slices.EqualFunc(a, b, func(a, b Packet) bool {
		return a.Type == b.Type && bytes.Equal(a.Body, b.Body)
	})
}

// "Packages may be split across WebSocket messages and TCP reads at any byte."
func TestCutterPieces(t *testing.T) {
	whole, want := stream(t)
	for size := 1; size <= len(whole); size++ {
		var c Cutter
		got, err := feed(&c, DefaultMaxBody, slices.Collect(slices.Chunk(whole, size))...)
		if err != nil || !samePackets(got, want) {
			t.Fatalf("in pieces of %d bytes: got %d packages, %v; want %d", size, len(got), err, len(want))
		}
		if c.Buffered() != 0 {
			t.Fatalf("in pieces of %d bytes: %d bytes are still held", size, c.Buffered())
		}
	}
}

// The same with one cut at every byte, and with an empty read in it.
func TestCutterOneCut(t *testing.T) {
	whole, want := stream(t)
	for at := range whole {
		var c Cutter
		got, err := feed(&c, DefaultMaxBody, whole[:at], nil, whole[at:])
		if err != nil || !samePackets(got, want) {
			t.Fatalf("cut at byte %d: got %d packages, %v; want %d", at, len(got), err, len(want))
		}
	}
}

// "A package whose 1–3-byte body arrives in a later read than its header."
func TestCutterHeadFirst(t *testing.T) {
	for n := range 4 {
		body := []byte("abc")[:n]
		var c Cutter
		head := []byte{byte(Data), 0, 0, byte(n)}
		got, err := feed(&c, DefaultMaxBody, head, body)
		if err != nil || len(got) != 1 || !bytes.Equal(got[0].Body, body) {
			t.Errorf("a body of %d bytes behind its head: got %v, %v", n, got, err)
		}
	}
}

// Whole packages alias the input; only the one that spans pieces is a copy.
func TestCutterAliasing(t *testing.T) {
	var c Cutter
	whole := AppendPacket(nil, Data, []byte("whole"))
	half := AppendPacket(nil, Data, []byte("half"))
	in := slices.Concat(whole, half[:6])

	p, rest, err := c.Cut(in, DefaultMaxBody)
	if err != nil || c.Spanned() || unsafe.SliceData(p.Body) != &in[HeadLen] {
		t.Errorf("a whole package: spanned %v, %v; want a body in place", c.Spanned(), err)
	}
	if _, _, err = c.Cut(rest, DefaultMaxBody); !errors.Is(err, ErrShort) || c.Buffered() != 6 {
		t.Errorf("half a package: %v with %d bytes held; want ErrShort with 6", err, c.Buffered())
	}
	in = slices.Concat(half[6:], whole)
	p, rest, err = c.Cut(in, DefaultMaxBody)
	if err != nil || !c.Spanned() || string(p.Body) != "half" || c.Buffered() != 0 {
		t.Errorf("the other half: spanned %v, %q, %v; want a copy", c.Spanned(), p.Body, err)
	}
	p, _, err = c.Cut(rest, DefaultMaxBody)
	if err != nil || c.Spanned() || unsafe.SliceData(p.Body) != &in[2+HeadLen] {
		t.Errorf("the package behind it: spanned %v, %v; want a body in place", c.Spanned(), err)
	}
}

// "Checked before anything is allocated": what a head announces is not believed
// until it arrives.
func TestCutterBelievesBytesOnly(t *testing.T) {
	var c Cutter
	head := []byte{byte(Data), 0xFF, 0xFF, 0xFF}
	if _, _, err := c.Cut(head, MaxPacketBody); !errors.Is(err, ErrShort) {
		t.Fatal(err)
	}
	sent := 0
	for piece := make([]byte, 100); sent < 1<<20; sent += len(piece) {
		if _, _, err := c.Cut(piece, MaxPacketBody); !errors.Is(err, ErrShort) {
			t.Fatal(err)
		}
		if most := max(2*trusted, 4*(sent+len(piece))); cap(c.body) > most {
			t.Fatalf("%d bytes allocated for %d that arrived", cap(c.body), sent+len(piece))
		}
	}
	if c.Buffered() != HeadLen+sent {
		t.Errorf("%d bytes held, want %d", c.Buffered(), HeadLen+sent)
	}
}

// A stream that breaks a rule is refused at the byte that breaks it, however it
// is cut, and stays refused.
func TestCutterRefuses(t *testing.T) {
	good := AppendPacket(nil, Heartbeat, nil)
	for _, tt := range []struct {
		name string
		bad  []byte
		show int // how many bytes of it show that it is bad
		want Reason
	}{
		{"type 0", []byte{0, 0, 0, 0}, 1, ReasonProtocol},
		{"http", []byte("POST"), 1, ReasonProtocol},
		{"too big", []byte{4, 1, 0, 1}, 4, ReasonTooBig},
	} {
		for size := 1; size <= 8; size++ {
			t.Run(fmt.Sprintf("%s/pieces=%d", tt.name, size), func(t *testing.T) {
				var c Cutter
				got, err := feed(&c, DefaultMaxBody, slices.Collect(slices.Chunk(slices.Concat(good, tt.bad[:tt.show]), size))...)
				e, ok := errors.AsType[*DecodeError](err)
				if !ok || e.Reason != tt.want || len(got) != 1 {
					t.Errorf("got %d packages, then %v; want 1, then %s", len(got), err, tt.want)
				}
			})
		}
	}
}
