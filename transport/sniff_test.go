package transport

import (
	"bytes"
	"strings"
	"testing"
)

func TestSniff(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want kind
	}{
		{"\x01\x00\x00\x02{}", kindPomelo},
		{"\x02\x00\x00\x00", kindPomelo},
		{"\x05", kindPomelo},
		{"GET / HTTP/1.1\r\n", kindHTTP},
		{"POST /", kindHTTP},
		{"O", kindHTTP},
		{"PRI * HTTP/2.0\r\n\r\n", kindHTTP},
		{"\x16\x03\x01", kindTLS},
		{"\x00\x00\x00\x00", kindBad},
		{"\x06\x05a", kindBad},
		{"get /", kindBad},
		{"\r\nGET /", kindBad},
		{"\xff", kindBad},
	} {
		if got, ok := sniff([]byte(tt.in)); got != tt.want || !ok {
			t.Errorf("sniff(%q): got %d, %t, want %d", tt.in, got, ok, tt.want)
		}
	}
	if _, ok := sniff(nil); ok {
		t.Error("sniff of nothing: got an answer, want none")
	}
}

var headTable = []struct {
	in   string
	want int // the length of the head, 0 when it has not ended
}{
	{"GET / HTTP/1.1\r\n\r\n", 18},
	{"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n", 27},
	{"GET / HTTP/1.1\nHost: a\n\nbody", 24},
	{"GET / HTTP/1.1\nHost: a\n\r\n", 25},
	{"GET / HTTP/1.1\r\nHost: a\r\n\n", 26},
	{"GET / HTTP/1.1\r\nHost: a\r\n", 0},
	{"GET / HTTP/1.1\r\nHost: a\r\n\r", 0},
	{"GET / HTTP/1.1\r\nHost: a\r\n\rx\n", 0},
	{"\n", 0},
	{"\n\n", 2},
	{"", 0},
}

// However the head arrives, it ends in the same place, and never earlier than
// it has arrived.
func TestHeadEnd(t *testing.T) {
	for _, tt := range headTable {
		in := []byte(tt.in)
		if got := headEnd(in, 0); got != tt.want {
			t.Errorf("headEnd(%q): got %d, want %d", tt.in, got, tt.want)
		}
		for cut := range in {
			got := headEnd(in[:cut], 0)
			if got == 0 {
				got = headEnd(in, cut)
			}
			if got != tt.want {
				t.Errorf("headEnd(%q) with a cut at %d: got %d, want %d", tt.in, cut, got, tt.want)
			}
		}
	}
}

// FuzzSniff checks that the first byte decides for good, and that a head found
// byte by byte is the one found at once and by a search for the empty line.
func FuzzSniff(f *testing.F) {
	for _, tt := range headTable {
		f.Add([]byte(tt.in))
	}
	f.Add([]byte("\x01\x00\x00\x02{}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		k, ok := sniff(in)
		if ok != (len(in) > 0) {
			t.Fatalf("sniff of %d bytes: ok is %t", len(in), ok)
		}
		if ok {
			if first, _ := sniff(in[:1]); first != k {
				t.Fatalf("got kind %d for one byte and %d for all", first, k)
			}
		}
		whole := headEnd(in, 0)
		stepwise, seen := 0, 0
		for n := 1; n <= len(in) && stepwise == 0; n++ {
			stepwise, seen = headEnd(in[:n], seen), n
		}
		if whole != stepwise || whole != emptyLine(in) {
			t.Fatalf("head of %q ends at %d, byte by byte at %d, after the empty line at %d", in, whole, stepwise, emptyLine(in))
		}
	})
}

// emptyLine is headEnd as a search line by line.
func emptyLine(in []byte) int {
	n := 0
	for i, line := range bytes.SplitAfter(in, []byte("\n")) {
		n += len(line)
		if i > 0 && (string(line) == "\n" || string(line) == "\r\n") {
			return n
		}
	}
	return 0
}

// A head that comes a byte at a time costs what its length says, not the square
// of it.
func BenchmarkHeadEndByteByByte(b *testing.B) {
	head := []byte("GET / HTTP/1.1\r\n" + strings.Repeat("Cookie: abcdefghijklmnop\r\n", 300) + "\r\n")
	b.SetBytes(int64(len(head)))
	for b.Loop() {
		for n := 1; n <= len(head); n++ {
			headEnd(head[:n], n-1)
		}
	}
}
