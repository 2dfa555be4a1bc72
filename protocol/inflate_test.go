package protocol

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// "0x10 body compressed (zlib)": whatever fits comes back, appended.
func TestInflate(t *testing.T) {
	seeded := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(seeded.Uint32())
	}
	for _, body := range [][]byte{{}, []byte("{}"), bytes.Repeat([]byte("chat "), 10_000), noise} {
		packed := Deflate([]byte("x"), body)
		if packed[0] != 'x' || packed[1] != 0x78 {
			t.Fatalf("a zlib stream begins with 78 behind dst: % x", packed[:2])
		}
		for _, limit := range []int{len(body), len(body) + 1, 1 << 20} {
			got, err := Inflate([]byte("kept"), packed[1:], limit)
			if err != nil || string(got) != "kept"+string(body) {
				t.Errorf("%d bytes, limit %d: got %d, %v", len(body), limit, len(got)-4, err)
			}
		}
		if len(body) == 0 {
			continue
		}
		got, err := Inflate([]byte("kept"), packed[1:], len(body)-1)
		if !isTooBig(err) || string(got) != "kept" {
			t.Errorf("%d bytes, limit one less: got %d, %v; want ReasonTooBig and dst", len(body), len(got), err)
		}
	}
}

// A bomb is 16 MB of nothing in 16 KB: refused at the limit, and the memory it
// took is bounded by the limit.
func TestInflateBomb(t *testing.T) {
	var bomb bytes.Buffer
	z := zlib.NewWriter(&bomb)
	if _, err := z.Write(make([]byte, 16<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	const limit = 64 << 10
	dst := make([]byte, 0, limit+1) // all it needs
	allocs := testing.AllocsPerRun(5, func() {
		if _, err := Inflate(dst, bomb.Bytes(), limit); !isTooBig(err) {
			t.Fatalf("got %v, want ReasonTooBig", err)
		}
	})
	if allocs > 10 {
		t.Errorf("%v allocations for a bomb", allocs)
	}
}

func TestInflateRefuses(t *testing.T) {
	good := Deflate(nil, []byte("some text that is long enough to be cut anywhere"))
	bad := map[string][]byte{
		"nothing":             {},
		"no zlib":             []byte("{}"),
		"a dictionary":        {0x78, 0xbb, 0, 0, 0, 0},
		"something behind it": append(bytes.Clone(good), 0),
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	bad["a wrong checksum"] = flipped
	for name, body := range bad {
		wantBadZlib(t, name, body)
	}
	for n := range good {
		wantBadZlib(t, "truncated", good[:n])
	}
	// The reader comes from a pool: after all that it must be as good as new.
	if got, err := Inflate(nil, good, 100); err != nil || len(got) != 48 {
		t.Errorf("after errors: got %q, %v", got, err)
	}
}

func wantBadZlib(t *testing.T, name string, body []byte) {
	t.Helper()
	got, err := Inflate([]byte("kept"), body, 1000)
	if e, ok := errors.AsType[*DecodeError](err); !ok || e.Reason != ReasonProtocol || string(got) != "kept" {
		t.Errorf("%s: got %q, %v; want a DecodeError and dst", name, got, err)
	}
}

// inflateTwin reads at most n bytes of the stream in the obvious way.
func inflateTwin(body []byte, n int) ([]byte, error) {
	src := bytes.NewReader(body)
	z, err := zlib.NewReader(src)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(z, int64(n)))
	if err == nil && len(out) < n && src.Len() > 0 {
		err = errors.New("something behind it")
	}
	return out, err
}
