package protocol

import (
	"encoding/json"
	"fmt"
	"sync"
)

// jsonSerializer is encoding/json, made fit for the clients of the field.
type jsonSerializer struct{}

func (jsonSerializer) Name() string { return "json" }

func (jsonSerializer) Append(dst []byte, v any) ([]byte, error) {
	if body, ok := passOut(v); ok {
		return append(dst, body...), nil
	}
	return appendJSON(dst, v)
}

func (jsonSerializer) Unmarshal(b []byte, v any) error {
	if passIn(b, v) || len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(joinSurrogates(b), v); err != nil {
		return fmt.Errorf("decode json: %w", err)
	}
	return nil
}

// jsonEncoder is a json.Encoder that appends to dst. encoding/json cannot append,
// and a json.Encoder is its only way to switch HTML escaping off.
type jsonEncoder struct {
	enc *json.Encoder
	dst []byte
}

// Write is called by enc. It never fails, so that enc never keeps an error.
func (e *jsonEncoder) Write(p []byte) (int, error) {
	e.dst = append(e.dst, p...)
	return len(p), nil
}

var jsonEncoders = sync.Pool{New: func() any {
	e := new(jsonEncoder)
	e.enc = json.NewEncoder(e)
	e.enc.SetEscapeHTML(false)
	return e
}}

// appendJSON appends v as JSON that every client of the field can read. With an
// error dst comes back as it was.
func appendJSON(dst []byte, v any) ([]byte, error) {
	e := jsonEncoders.Get().(*jsonEncoder)
	e.dst = dst
	err := e.enc.Encode(v)
	out := e.dst
	e.dst = nil // the pool must not keep the caller's bytes
	jsonEncoders.Put(e)
	if err != nil {
		return dst, fmt.Errorf("encode json: %w", err)
	}
	out = out[:len(out)-1] // the newline that Encode adds
	return escapeNonBMP(out, len(dst)), nil
}
