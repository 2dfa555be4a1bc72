package protocol

import (
	"errors"
	"fmt"
)

// ErrShort says that the input ends inside a package: not an error of the other
// side, only a reason to read more. It is returned as it is, never wrapped.
var ErrShort = errors.New("protocol: need more bytes")

// DecodeError says that the input breaks a rule and that no further byte can
// mend it. It is immutable once returned.
type DecodeError struct {
	Layer  string // "package", "message", "handshake", "kick" or "body"
	Rule   string // the rule that is broken, as it should have been
	Got    int64  // the offending number: a type, a length, an offset
	Reason Reason // why the connection ends, if it does
	Err    error  // the cause, when another decoder found it; may be nil
}

// Error returns the layer, the rule and what was there instead.
func (e *DecodeError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("protocol: %s: want %s: %v", e.Layer, e.Rule, e.Err)
	}
	return fmt.Sprintf("protocol: %s: want %s, got %d", e.Layer, e.Rule, e.Got)
}

// Unwrap returns the cause, or nil.
func (e *DecodeError) Unwrap() error { return e.Err }
