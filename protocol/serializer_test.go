package protocol

import (
	"bytes"
	"testing"
	"unsafe"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// "Serializers JSON and protobuf, custom; raw bytes pass through."
func TestBytesPassThrough(t *testing.T) {
	body := []byte("\x00 any < bytes \xff")
	for _, s := range []Serializer{JSON, Protobuf, Raw} {
		for _, v := range []any{body, &body} {
			if got, err := s.Append([]byte("x"), v); err != nil || string(got) != "x"+string(body) {
				t.Errorf("%s: append %T: got %q, %v", s.Name(), v, got, err)
			}
		}
		if got, err := s.Append([]byte("x"), (*[]byte)(nil)); err != nil || string(got) != "x" {
			t.Errorf("%s: append a nil *[]byte: got %q, %v", s.Name(), got, err)
		}
		var got []byte
		if err := s.Unmarshal(body, &got); err != nil || unsafe.SliceData(got) != &body[0] || len(got) != len(body) {
			t.Errorf("%s: unmarshal: got %q, %v; want the body itself", s.Name(), got, err)
		}
	}
}

func TestSerializerNames(t *testing.T) {
	for s, want := range map[Serializer]string{JSON: "json", Protobuf: "protobuf", Raw: "raw"} {
		if s.Name() != want {
			t.Errorf("got %s, want %s", s.Name(), want)
		}
	}
}

func TestJSON(t *testing.T) {
	type message struct {
		Name    string `json:"name"`
		Content string `json:"content"`
	}
	b, err := JSON.Append([]byte("x"), &message{"a", "b"})
	if want := `x{"name":"a","content":"b"}`; err != nil || string(b) != want {
		t.Fatalf("got %s, %v; want %s", b, err, want)
	}
	var m message
	if err := JSON.Unmarshal(b[1:], &m); err != nil || m != (message{"a", "b"}) {
		t.Errorf("got %+v, %v", m, err)
	}
	clear(b)
	if m != (message{"a", "b"}) {
		t.Errorf("after its buffer was reused: got %+v", m)
	}
	// "An empty body leaves v as it is."
	if err := JSON.Unmarshal(nil, &m); err != nil || m != (message{"a", "b"}) {
		t.Errorf("an empty body: got %+v, %v", m, err)
	}
	for _, bad := range []string{"{", `{"name":1}`, "hello", " "} {
		if err := JSON.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestProtobuf(t *testing.T) {
	b, err := Protobuf.Append([]byte("x"), wrapperspb.String("hello"))
	if err != nil || b[0] != 'x' {
		t.Fatalf("got %q, %v", b, err)
	}
	var m wrapperspb.StringValue
	if err := Protobuf.Unmarshal(b[1:], &m); err != nil || m.Value != "hello" {
		t.Errorf("got %v, %v", &m, err)
	}
	var raw wrapperspb.BytesValue
	if err := Protobuf.Unmarshal(b[1:], &raw); err != nil {
		t.Fatal(err)
	}
	clear(b)
	if m.Value != "hello" || !bytes.Equal(raw.Value, []byte("hello")) {
		t.Errorf("after its buffer was reused: got %v, %v", &m, &raw)
	}
	if err := Protobuf.Unmarshal(nil, &m); err != nil || !proto.Equal(&m, wrapperspb.String("")) {
		t.Errorf("an empty body is an empty message: got %v, %v", &m, err)
	}
}

func TestSerializersRefuse(t *testing.T) {
	dst := []byte("kept")
	for _, tt := range []struct {
		name string
		s    Serializer
		v    any
	}{
		{"no message", Protobuf, struct{}{}},
		{"not utf-8", Protobuf, wrapperspb.String("\xff")},
		{"a number", Raw, 1},
		{"a channel", JSON, make(chan int)},
	} {
		if got, err := tt.s.Append(dst, tt.v); err == nil || string(got) != "kept" {
			t.Errorf("append %s to %s: got %q, %v; want an error and dst", tt.name, tt.s.Name(), got, err)
		}
	}
	for _, tt := range []struct {
		name string
		s    Serializer
		v    any
	}{
		{"no message", Protobuf, new(struct{})},
		{"half a field", Protobuf, new(wrapperspb.StringValue)},
		{"a number", Raw, new(int)},
		{"no pointer", JSON, 1},
	} {
		if err := tt.s.Unmarshal([]byte{0x0a, 0x05}, tt.v); err == nil {
			t.Errorf("unmarshal %s from %s: no error", tt.name, tt.s.Name())
		}
	}
}

func TestRawStrings(t *testing.T) {
	b, err := Raw.Append(nil, "text")
	var s string
	if err2 := Raw.Unmarshal(b, &s); err != nil || err2 != nil || s != "text" {
		t.Fatalf("got %q, %v, %v", s, err, err2)
	}
	clear(b)
	if s != "text" {
		t.Errorf("after its buffer was reused: got %q", s)
	}
}
