package protocol

import (
	"encoding/json"
	"fmt"
	"time"
)

// HandshakeResponse is the server's answer to a HandshakeRequest.
type HandshakeResponse struct {
	// Code is CodeOK, which zero means too, or CodeBadRequest,
	// CodeHandshakeRefused or CodeClientTooOld: then Code and Msg are all that
	// is sent, and the connection closes behind it.
	Code Code

	// Msg says why not, for the player. Older clients look at the code alone.
	Msg string

	// Heartbeat is the interval. It is sent in whole seconds, rounded up; zero
	// or less: no heartbeats.
	Heartbeat time.Duration

	// ServerTime is now by the caller's clock, sent in unix seconds; the zero
	// time is not sent.
	ServerTime time.Time

	// Serializer names the codec of bodies; "" is not sent.
	Serializer string

	// Routes holds the dictionary; nil or without one: none is sent.
	Routes *Routes

	// User is what the validator returned. It is sent as JSON (json.RawMessage:
	// as it is); nil is not sent. Unity clients want an object.
	User any
}

// AppendHandshakeResponse appends the body of the handshake package that answers
// req, and returns the longer slice. A nil req is the zero one. The only error is
// a res.User that JSON cannot hold, with which dst comes back as it was.
//
// The same res is sent differently to different clients, see the package comment.
func AppendHandshakeResponse(dst []byte, req *HandshakeRequest, res HandshakeResponse) ([]byte, error) {
	if req == nil {
		req = new(HandshakeRequest)
	}
	if res.Code == 0 {
		res.Code = CodeOK
	}
	body := beginObject(dst)
	body.number("code", int64(res.Code))
	if res.Code != CodeOK {
		body.said("msg", res.Msg)
		return body.end(), nil
	}
	body.key("sys") // even when empty: libpomelo2 asserts that it is there
	body.b = appendSys(body.b, req, res)
	if res.User != nil {
		body.key("user")
		var err error
		if body.b, err = appendJSON(body.b, res.User); err != nil {
			return dst, fmt.Errorf("protocol: handshake response: user: %w", err)
		}
	}
	return body.end(), nil
}

func appendSys(dst []byte, req *HandshakeRequest, res HandshakeResponse) []byte {
	sys := beginObject(dst)
	if res.Heartbeat > 0 {
		// Go, C# and C clients parse an int, and to all of them 0 is "off".
		sys.number("heartbeat", int64((res.Heartbeat-1)/time.Second)+1)
	}
	if !res.ServerTime.IsZero() {
		sys.number("servertime", res.ServerTime.Unix())
	}
	sys.said("serializer", res.Serializer)

	version := res.Routes.Version()
	if version == "" || !req.MayCompress() {
		return sys.end()
	}
	send := req.DictVersion != version
	if send {
		sys.raw("dict", res.Routes.routeToCode)
	}
	if !req.IsPomelo() {
		return sys.end()
	}
	// libpomelo2 asserts that the three behind useDict come together or not at all.
	sys.raw("useDict", []byte("true"))
	if send {
		sys.raw("routeToCode", res.Routes.routeToCode)
		sys.raw("codeToRoute", res.Routes.codeToRoute)
		sys.text("dictVersion", version)
	}
	return sys.end()
}

// ParseHandshakeResponse parses the body of a server's handshake, as a client
// does. User is a json.RawMessage, or nil when absent; Routes is nil when the
// server sent no dictionary. The error is a *DecodeError. The result does not
// alias body.
func ParseHandshakeResponse(body []byte) (HandshakeResponse, error) {
	var in struct {
		Code Code
		Msg  string
		Sys  struct {
			Heartbeat  int32 // seconds: of any int32, a Duration can hold the nanoseconds
			ServerTime int64
			Serializer string
			Dict       map[string]uint16
		}
		User json.RawMessage
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return HandshakeResponse{}, badHandshake(err)
	}
	res := HandshakeResponse{
		Code:       in.Code,
		Msg:        in.Msg,
		Heartbeat:  time.Duration(in.Sys.Heartbeat) * time.Second,
		Serializer: in.Sys.Serializer,
	}
	if in.Sys.ServerTime != 0 {
		res.ServerTime = time.Unix(in.Sys.ServerTime, 0)
	}
	if in.User != nil {
		res.User = in.User
	}
	if len(in.Sys.Dict) > 0 {
		r, err := NewRoutes(nil, in.Sys.Dict)
		if err != nil {
			return HandshakeResponse{}, badHandshake(err)
		}
		res.Routes = r
	}
	return res, nil
}
