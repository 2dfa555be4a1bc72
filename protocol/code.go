package protocol

import (
	"context"
	"errors"
	"fmt"
)

// Code is the number in an error answer, and in a handshake response. Clients
// test for these numbers: they are never renumbered. Handlers may add their own.
type Code int

// The table of the protocol. Every request that gets no result gets one of these.
const (
	CodeOK              Code = 200 // handshake accepted
	CodeBadRequest      Code = 400 // the body cannot be decoded, or is refused by a rule
	CodeUnauthenticated Code = 401 // no uid is bound, and the route wants one
	CodeRefused         Code = 403 // a pipeline stage or the handler says no
	CodeNoRoute         Code = 404 // no handler has this route, or no route has this code
	CodeTimeout         Code = 408 // the answer did not come in time
	CodeConflict        Code = 409 // the request does not fit the state: twice, or ambiguous
	CodeLimited         Code = 429 // more requests than the session may make
	CodeInternal        Code = 500 // the handler failed
	CodeUnavailable     Code = 503 // what serves the route is not there now; try again
)

// In a handshake response 500 and 501 mean something else.
const (
	CodeHandshakeRefused Code = 500 // the validator said no
	CodeClientTooOld     Code = 501 // the client must be updated
)

// Error is a failure that a player may see. It is immutable once returned. A nil
// *Error in an error interface, the classic slip, reads as CodeInternal and does
// not panic.
type Error struct {
	Code Code
	Msg  string // for the player: no internals

	cause error // for the operator, never sent
}

// Errorf returns an Error whose message is formatted as by fmt.Sprintf and is
// sent to the player. Use With for what only the operator should read.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}

// With returns a copy of e that wraps cause: errors.Is and errors.As find it,
// the log shows it, the player never sees it.
func (e *Error) With(cause error) *Error {
	return &Error{Code: e.Code, Msg: e.Msg, cause: cause}
}

// Error returns the code, the message and the cause: the operator's view.
func (e *Error) Error() string {
	if e == nil {
		return "nil *protocol.Error"
	}
	if e.cause != nil {
		return fmt.Sprintf("%s (code %d): %v", e.Msg, e.Code, e.cause)
	}
	return fmt.Sprintf("%s (code %d)", e.Msg, e.Code)
}

// Unwrap returns the cause given to With, or nil.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.cause
}

// AsError returns what the player is told about err: the *Error in its chain if
// there is one; CodeTimeout for a deadline that passed; else CodeInternal with a
// message that gives nothing away, wrapping err. nil stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok && e != nil {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Errorf(CodeTimeout, "timeout").With(err)
	}
	return Errorf(CodeInternal, "internal error").With(err)
}

// AppendErrorBody appends the body of an error answer, {"code":n,"msg":"…"},
// and returns the longer slice. The cause is left out. A nil e is CodeInternal.
func AppendErrorBody(dst []byte, e *Error) []byte {
	if e == nil {
		e = &Error{Code: CodeInternal, Msg: "internal error"}
	}
	body := beginObject(dst)
	body.number("code", int64(e.Code))
	body.text("msg", e.Msg)
	return body.end()
}
