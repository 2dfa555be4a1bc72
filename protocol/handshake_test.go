package protocol

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// "Three client families": what each may be sent depends on how it is recognised.
func TestFamilies(t *testing.T) {
	for _, tt := range []struct {
		body                 string
		pomelo, js, compress bool
	}{
		{``, false, false, true},
		{`{}`, false, false, true},
		{`{"sys":{"type":"js-websocket","version":"0.0.1"}}`, true, true, true},
		{`{"sys":{"type":"js-ws"}}`, true, true, true},
		{`{"sys":{"type":"unity-socket"}}`, true, false, true},
		{`{"sys":{"type":"ios","version":"0.2.0"}}`, true, false, true},
		{`{"sys":{"platform":"mac","libVersion":"0.3.5"}}`, false, false, false},
		{`{"sys":{"type":"ios","libVersion":"0.3.5"}}`, false, false, false},
	} {
		h, err := ParseHandshake([]byte(tt.body))
		if err != nil || h.IsPomelo() != tt.pomelo || h.IsJS() != tt.js || h.MayCompress() != tt.compress {
			t.Errorf("%s: pomelo %v, js %v, may compress %v, %v; want %v, %v, %v", tt.body,
				h.IsPomelo(), h.IsJS(), h.MayCompress(), err, tt.pomelo, tt.js, tt.compress)
		}
	}
}

// The session keeps the request for as long as it lives, the read buffer does not.
func TestHandshakeDoesNotAlias(t *testing.T) {
	body := []byte(`{"sys":{"type":"js-websocket","rsa":{"rsa_e":"10001"}},"user":{"name":"a"}}`)
	h, err := ParseHandshake(body)
	clear(body)
	if err != nil || h.Type != "js-websocket" || string(h.RSA) != `{"rsa_e":"10001"}` || string(h.User) != `{"name":"a"}` {
		t.Errorf("after its buffer was reused: got %+v, %v", h, err)
	}
}

// A body that is full of nothing must not take the process with it.
func TestHandshakeTooDeep(t *testing.T) {
	_, err := ParseHandshake([]byte(`{"user":` + strings.Repeat("[", DefaultMaxBody)))
	if e, ok := errors.AsType[*DecodeError](err); !ok || e.Reason != ReasonProtocol || e.Unwrap() == nil {
		t.Errorf("got %v, want a DecodeError with its cause", err)
	}
}

// A validator may return anything; what JSON cannot hold is reported, and dst
// comes back as it was so that a refusal can be sent instead.
func TestHandshakeResponseUser(t *testing.T) {
	got, err := AppendHandshakeResponse([]byte("kept"), nil, HandshakeResponse{User: make(chan int)})
	if _, ok := errors.AsType[*json.UnsupportedTypeError](err); !ok || string(got) != "kept" {
		t.Errorf("a channel: got %q, %v; want dst and the cause", got, err)
	}
	got, err = AppendHandshakeResponse(nil, nil, HandshakeResponse{User: json.RawMessage(`{"a": "😀<"}`)})
	if want := `{"code":200,"sys":{},"user":{"a":"\ud83d\ude00<"}}`; err != nil || string(got) != want {
		t.Errorf("raw JSON: got %s, %v; want %s", got, err, want)
	}
}
