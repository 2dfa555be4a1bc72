package protocol

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// benchStream is what one read of a busy connection holds: 100 requests.
func benchStream(b *testing.B) []byte {
	b.Helper()
	var out []byte
	for i := range 100 {
		var mark int
		var err error
		out, mark = BeginPacket(out, Data)
		out, err = AppendMessage(out, Message{Type: Request, ID: uint64(i + 1), Route: "room.message", Body: []byte(`{"name":"player","content":"hello"}`)})
		if err != nil {
			b.Fatal(err)
		}
		out = EndPacket(out, mark)
	}
	return out
}

// The unit of these is one read of 100 packages.
func BenchmarkCutPacket(b *testing.B) {
	in := benchStream(b)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		for rest := in; len(rest) > 0; {
			sinkPacket, rest, _ = CutPacket(rest, DefaultMaxBody)
		}
	}
}

func BenchmarkCutter(b *testing.B) {
	in := benchStream(b)
	for _, size := range []int{len(in), 4096, 512} {
		b.Run(fmt.Sprintf("piece=%d", size), func(b *testing.B) {
			pieces := slices.Collect(slices.Chunk(in, size))
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			var c Cutter
			for b.Loop() {
				for _, rest := range pieces {
					for {
						var err error
						if sinkPacket, rest, err = c.Cut(rest, DefaultMaxBody); err != nil {
							break
						}
					}
				}
			}
		})
	}
}

func BenchmarkParseMessage(b *testing.B) {
	for _, m := range []Message{
		{Type: Request, ID: 300, Route: "room.message", Body: []byte("{}")},
		{Type: Request, ID: 300, Code: 2, Body: []byte("{}")},
		{Type: Request, ID: 300, Route: "unknown.route", Body: []byte("{}")},
		{Type: Response, ID: 300, Body: []byte("{}")},
	} {
		in, err := AppendMessage(nil, m)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%s/route=%s/code=%d", m.Type, m.Route, m.Code), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkMessage, _ = ParseMessage(in, vectorRoutes)
			}
		})
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	m := Message{Type: Push, Route: "room.message", Body: []byte(`{"name":"player","content":"hello"}`)}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		out, mark := BeginPacket(buf, Data)
		out, _ = AppendMessage(out, m)
		sinkBytes = EndPacket(out, mark)
	}
}

func BenchmarkAppendErrorBody(b *testing.B) {
	e := Errorf(CodeLimited, "too many messages")
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		sinkBytes = AppendErrorBody(buf, e)
	}
}

type chatMessage struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

func BenchmarkJSONAppend(b *testing.B) {
	buf := make([]byte, 0, 256)
	for _, content := range []string{"hello", "hello 😀"} {
		b.Run("content="+content, func(b *testing.B) {
			v := &chatMessage{"player", content}
			b.ReportAllocs()
			for b.Loop() {
				sinkBytes, _ = JSON.Append(buf, v)
			}
		})
	}
}

func BenchmarkJSONUnmarshal(b *testing.B) {
	for _, content := range []string{"hello", cesu("hello 😀")} {
		b.Run(fmt.Sprintf("content=%q", content), func(b *testing.B) {
			in := []byte(`{"name":"player","content":"` + content + `"}`)
			b.ReportAllocs()
			for b.Loop() {
				var v chatMessage
				_ = JSON.Unmarshal(in, &v)
			}
		})
	}
}

// What the surrogates cost where there are none, next to the parsing itself.
func BenchmarkJoinSurrogates(b *testing.B) {
	for name, text := range map[string]string{"ascii": "hello wor", "korean": "한국어", "emoji": cesu("😀ab")} {
		b.Run(name, func(b *testing.B) {
			in := []byte(`{"content":"` + string(bytes.Repeat([]byte(text), 100)) + `"}`)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				sinkBytes = joinSurrogates(in)
			}
		})
	}
}

func BenchmarkInflate(b *testing.B) {
	packed := Deflate(nil, bytes.Repeat([]byte(`{"name":"player"}`), 60))
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		sinkBytes, _ = Inflate(buf, packed, DefaultMaxBody)
	}
}

func BenchmarkChunk(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c := NewChunk()
		c.Retain()
		c.Release()
		c.Release()
	}
}
