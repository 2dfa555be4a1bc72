package protocol

import (
	"fmt"
	"strconv"
	"time"
)

// HandshakeResponse is the server's answer to a HandshakeRequest.
type HandshakeResponse struct {
	// Code is CodeOK (zero means it too), CodeBadRequest, CodeHandshakeRefused
	// or CodeClientTooOld. With any but CodeOK only Code and Msg are sent, and
	// the connection closes after that.
	Code Code

	// Msg says why not. Older clients look at the code alone.
	Msg string

	// Heartbeat is the interval, sent in whole seconds, rounded up; zero or
	// less: no heartbeats.
	Heartbeat time.Duration

	// ServerTime is now, by the caller's clock, sent in unix seconds; the zero
	// time is not sent.
	ServerTime time.Time

	// Serializer is the name of the codec of bodies; "" is not sent.
	Serializer string

	// Routes holds the dictionary; nil or empty: none.
	Routes *Routes

	// User is what the validator returned, sent as JSON; nil is not sent.
	User any
}

// AppendHandshakeResponse appends the body of the handshake package that answers
// req, and returns the longer slice. A nil req is the zero one. The error is that
// res.User is no JSON, with which dst comes back as it was.
//
// What is sent depends on who asks. Everybody who may see compressed routes gets
// sys.dict, when there is a dictionary and the client does not already have it.
// Pomelo clients get it under all of pomelo's names.
func AppendHandshakeResponse(dst []byte, req *HandshakeRequest, res HandshakeResponse) ([]byte, error) {
	if req == nil {
		req = new(HandshakeRequest)
	}
	if res.Code == 0 {
		res.Code = CodeOK
	}
	out := append(dst, `{"code":`...)
	out = strconv.AppendInt(out, int64(res.Code), 10)
	if res.Code != CodeOK {
		if res.Msg != "" {
			out = appendJSONString(append(out, `,"msg":`...), res.Msg)
		}
		return append(out, '}'), nil
	}
	out = append(out, `,"sys":{`...)
	out = appendSys(out, req, res)
	out = append(out, '}')
	if res.User != nil {
		var err error
		out, err = appendJSON(append(out, `,"user":`...), res.User)
		if err != nil {
			return dst, fmt.Errorf("protocol: handshake response: user: %w", err)
		}
	}
	return append(out, '}'), nil
}

// appendSys appends the members of sys.
func appendSys(dst []byte, req *HandshakeRequest, res HandshakeResponse) []byte {
	begin := len(dst)
	key := func(name string) {
		if len(dst) > begin {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, name...)
		dst = append(dst, `":`...)
	}
	if res.Heartbeat > 0 {
		// Go, C# and C clients parse an int: 0.5 would break them, and 0 is "off".
		key("heartbeat")
		dst = strconv.AppendInt(dst, int64((res.Heartbeat+time.Second-1)/time.Second), 10)
	}
	if !res.ServerTime.IsZero() {
		key("servertime")
		dst = strconv.AppendInt(dst, res.ServerTime.Unix(), 10)
	}
	if res.Serializer != "" {
		key("serializer")
		dst = appendJSONString(dst, res.Serializer)
	}
	version := res.Routes.Version()
	if version == "" || !req.MayCompress() {
		return dst
	}
	send := req.DictVersion != version
	if send {
		key("dict")
		dst = append(dst, res.Routes.routeToCode...)
	}
	if !req.IsPomelo() {
		return dst
	}
	key("useDict")
	dst = append(dst, "true"...)
	if send {
		key("routeToCode")
		dst = append(dst, res.Routes.routeToCode...)
		key("codeToRoute")
		dst = append(dst, res.Routes.codeToRoute...)
		key("dictVersion")
		dst = appendJSONString(dst, version)
	}
	return dst
}
