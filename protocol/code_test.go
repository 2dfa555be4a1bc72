package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
)

// "The codes are a table in the protocol package": clients test for these numbers.
func TestCodesAreNeverRenumbered(t *testing.T) {
	for code, want := range map[Code]int{
		CodeOK: 200, CodeBadRequest: 400, CodeUnauthenticated: 401, CodeRefused: 403, CodeNoRoute: 404,
		CodeTimeout: 408, CodeConflict: 409, CodeLimited: 429, CodeInternal: 500, CodeUnavailable: 503,
		CodeClientTooOld: 501,
	} {
		if int(code) != want {
			t.Errorf("got %d, want %d", code, want)
		}
	}
	if CodeHandshakeRefused != 500 {
		t.Errorf("a refused handshake: got %d, want 500", CodeHandshakeRefused)
	}
}

// The player sees code and message; the operator sees the cause as well.
func TestErrorShowsTheCauseToTheOperatorOnly(t *testing.T) {
	err := error(Errorf(CodeConflict, "room %q is full", "a").With(io.ErrUnexpectedEOF))
	if got, want := err.Error(), `room "a" is full (code 409): unexpected EOF`; got != want {
		t.Errorf("operator: got %s, want %s", got, want)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("errors.Is does not find the cause")
	}
	if got, want := string(AppendErrorBody(nil, AsError(err))), `{"code":409,"msg":"room \"a\" is full"}`; got != want {
		t.Errorf("player: got %s, want %s", got, want)
	}
	if got := (*Error)(nil).Error(); got == "" {
		t.Error("a nil *Error says nothing in the log")
	}
	if got, want := Errorf(CodeRefused, "no").Error(), "no (code 403)"; got != want {
		t.Errorf("without a cause: got %s, want %s", got, want)
	}
}

// "Handlers add their own" codes; what is no Error gives nothing away.
func TestAsError(t *testing.T) {
	own := Errorf(1001, "out of gold")
	var none *Error
	for _, tt := range []struct {
		err  error
		want string
	}{
		{own, `{"code":1001,"msg":"out of gold"}`},
		{fmt.Errorf("buy sword: %w", own), `{"code":1001,"msg":"out of gold"}`},
		{fmt.Errorf("ask room: %w", context.DeadlineExceeded), `{"code":408,"msg":"timeout"}`},
		{errors.New("dial tcp 10.0.0.1: refused"), `{"code":500,"msg":"internal error"}`},
		{none, `{"code":500,"msg":"internal error"}`},
		{nil, `{"code":500,"msg":"internal error"}`},
	} {
		if got := string(AppendErrorBody(nil, AsError(tt.err))); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
	if AsError(nil) != nil {
		t.Error("AsError(nil) is not nil")
	}
	if err := AsError(io.EOF); !errors.Is(err, io.EOF) {
		t.Errorf("%v has lost its cause", err)
	}
}

// Whatever a message contains, the body is JSON that every client can read.
func TestErrorBodyIsJSON(t *testing.T) {
	for _, msg := range []string{"", "plain", `quote " \ back`, "line\nfeed\x00\x1f", "我们", "emoji 😀", "\u2028", "bad \xff\xed\xa0\x80"} {
		body := AppendErrorBody([]byte("x"), Errorf(-1, "%s", msg))[1:]
		var got struct {
			Code int
			Msg  string
		}
		if err := json.Unmarshal(body, &got); err != nil || got.Code != -1 || got.Msg != string([]rune(msg)) {
			t.Errorf("%q: got %s, which reads as %+v, %v", msg, body, got, err)
		}
		for _, b := range body {
			if b >= 0xF0 {
				t.Errorf("%q: got %s with a four-byte character", msg, body)
			}
		}
	}
}
