package measure

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestMarkSurvivesAnyBodyItTravelsIn(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range 2000 {
		want := Mark{
			Run: uint16(r.Uint32N(1 << 12)), Worker: uint8(r.Uint32N(1 << 8)), Room: r.Uint32N(MaxRooms),
			Sender: r.Uint32N(MaxSenders), Seq: r.Uint32(), Planned: r.Int64N(maxPlanned),
		}
		wire := AppendMark(nil, want)
		if len(wire) != MarkLen {
			t.Fatalf("seed %d: mark %d is %d bytes, want %d", seed, i, len(wire), MarkLen)
		}
		body, err := json.Marshal(map[string]string{"content": "~b hi ~" + string(wire) + "~", "name": "~"})
		if err != nil {
			t.Fatal(err)
		}
		got, rest, ok := CutMark(body)
		if !ok || got != want {
			t.Fatalf("seed %d: CutMark(%s) = %+v, %t, want %+v", seed, body, got, ok, want)
		}
		if _, _, again := CutMark(rest); again {
			t.Fatalf("seed %d: a second mark was found in %s", seed, rest)
		}
	}
}

func TestCutMarkFindsEveryMarkOfAMergedBody(t *testing.T) {
	var body []byte
	for i := range 5 {
		body = append(body, `{"items":"`...)
		body = AppendMark(body, Mark{Seq: uint32(i)})
		body = append(body, '"', '}')
	}
	for want := range uint32(5) {
		m, rest, ok := CutMark(body)
		if !ok || m.Seq != want {
			t.Fatalf("mark %d: got %d, %t", want, m.Seq, ok)
		}
		body = rest
	}
}

func TestHex8AgreesWithStrconv(t *testing.T) {
	digits := []byte("00000000")
	for pos := range digits {
		for c := range 256 {
			digits[pos] = byte(c)
			got, ok := hex8(digits)
			want, err := strconv.ParseUint(string(digits), 16, 32)
			lower := c < 'A' || c > 'F' // strconv also takes capitals, which a mark never has
			if wantOK := err == nil && lower && c != '_' && c != '+'; ok != wantOK {
				t.Fatalf("hex8(%q) ok = %t, want %t", digits, ok, wantOK)
			} else if ok && uint64(got) != want {
				t.Fatalf("hex8(%q) = %x, want %x", digits, got, want)
			}
		}
		digits[pos] = "7f3a09be"[pos]
	}
}

func FuzzCutMark(f *testing.F) {
	f.Add(AppendMark([]byte("x"), Mark{Seq: 3}))
	f.Add([]byte("~b~b~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, rest, ok := CutMark(b)
		if !ok {
			return
		}
		wire := AppendMark(nil, m)
		at := len(b) - len(rest) - MarkLen
		if string(b[at:at+MarkLen]) != string(wire) {
			t.Fatalf("found %+v at %d, which is written %q, not %q", m, at, wire, b[at:at+MarkLen])
		}
	})
}

func BenchmarkCutMark(b *testing.B) {
	body := append([]byte(`{"name":"user 17","content":"`), AppendMark(nil, Mark{Seq: 77, Planned: 1e9})...)
	body = append(body, `"}`...)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := CutMark(body); !ok {
			b.Fatal("no mark")
		}
	}
}
