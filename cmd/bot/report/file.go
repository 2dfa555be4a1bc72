package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrSchema says that a file was written by a bot with another schema, or is no
// result at all.
var ErrSchema = errors.New("not a result of schema version 1")

// WriteJSON writes r, indented, ending in a newline.
func (r *Result) WriteJSON(w io.Writer) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// ReadJSON reads what WriteJSON wrote. Unknown fields are passed over: a newer
// bot of the same schema may have added them.
func ReadJSON(rd io.Reader) (*Result, error) {
	r := new(Result)
	if err := json.NewDecoder(rd).Decode(r); err != nil {
		return nil, fmt.Errorf("decode result: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("decode result of schema %d: %w", r.Schema, ErrSchema)
	}
	return r, nil
}

// Open reads the result in a file.
func Open(file string) (*Result, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open result: %w", err)
	}
	defer f.Close()
	r, err := ReadJSON(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}
