package protocol

import (
	"encoding/json"
	"strings"
)

// HandshakeRequest is what a client says about itself in its first package. All
// of it is the client's claim, and any of it may be missing. The zero value is
// the client that sends an empty body. It aliases no input.
type HandshakeRequest struct {
	// What pomelo clients send.
	Type         string          // sys.type: "js-websocket", "unity-socket", …
	Version      string          // sys.version, of the client library
	ProtoVersion string          // sys.protoVersion
	DictVersion  string          // sys.dictVersion: the dictionary kept from an earlier connection
	RSA          json.RawMessage // sys.rsa: {} or {"rsa_n","rsa_e"}; nil when absent

	// What pitaya clients send.
	Platform          string // sys.platform
	LibVersion        string // sys.libVersion
	ClientBuildNumber string // sys.clientBuildNumber
	ClientVersion     string // sys.clientVersion

	// Deflate is sys.deflate: the client wants bodies as zlib data where that is shorter.
	Deflate bool

	// User is the member "user" as it came, for the validator; nil when absent.
	User json.RawMessage
}

// IsPomelo reports whether the client is of the pomelo family, which expects the
// dictionary under all of pomelo's names.
func (h *HandshakeRequest) IsPomelo() bool { return h.Type != "" && h.LibVersion == "" }

// IsJS reports whether the client is one of pomelo's JavaScript clients, which
// answer heartbeats and never start one.
func (h *HandshakeRequest) IsJS() bool { return strings.HasPrefix(h.Type, "js-") }

// MayCompress reports whether routes sent to the client may be compressed. Who
// sends a libVersion may be libpitaya, which ignores the dictionary and misreads
// compressed routes.
func (h *HandshakeRequest) MayCompress() bool { return h.LibVersion == "" }

// word is a JSON string, number or bool as text, and "" for all else. Clients do
// not agree on the type of a version: the same one sends 0 at first and the
// string of the server later.
type word string

// UnmarshalJSON implements json.Unmarshaler.
func (w *word) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(w))
	case 'n', '{', '[':
		*w = ""
	default:
		*w = word(b)
	}
	return nil
}

// ParseHandshake parses the body of a client's handshake. An empty body is
// valid. The error is a *DecodeError: answer it with CodeBadRequest and close.
func ParseHandshake(body []byte) (HandshakeRequest, error) {
	if len(body) == 0 {
		return HandshakeRequest{}, nil
	}
	var in struct {
		Sys struct {
			Type, Version, ProtoVersion, DictVersion               word
			RSA                                                    json.RawMessage
			Platform, LibVersion, ClientBuildNumber, ClientVersion word
			Deflate                                                word
		}
		User json.RawMessage
	}
	if err := json.Unmarshal(joinSurrogates(body), &in); err != nil {
		return HandshakeRequest{}, badHandshake(err)
	}
	s := &in.Sys
	return HandshakeRequest{
		Type: string(s.Type), Version: string(s.Version),
		ProtoVersion: string(s.ProtoVersion), DictVersion: string(s.DictVersion),
		RSA:      s.RSA,
		Platform: string(s.Platform), LibVersion: string(s.LibVersion),
		ClientBuildNumber: string(s.ClientBuildNumber), ClientVersion: string(s.ClientVersion),
		Deflate: s.Deflate == "true",
		User:    in.User,
	}, nil
}

func badHandshake(err error) error {
	return &DecodeError{Layer: "handshake", Rule: "a JSON object", Reason: ReasonProtocol, Err: err}
}

// AppendHandshake appends the body of a client's handshake. RSA and User are
// sent as they are and must be JSON; what is empty is left out.
func AppendHandshake(dst []byte, h *HandshakeRequest) []byte {
	body := beginObject(dst)
	body.key("sys")
	sys := beginObject(body.b)
	sys.said("type", h.Type)
	sys.said("version", h.Version)
	sys.said("protoVersion", h.ProtoVersion)
	sys.said("dictVersion", h.DictVersion)
	if h.RSA != nil {
		sys.raw("rsa", h.RSA)
	}
	sys.said("platform", h.Platform)
	sys.said("libVersion", h.LibVersion)
	sys.said("clientBuildNumber", h.ClientBuildNumber)
	sys.said("clientVersion", h.ClientVersion)
	if h.Deflate {
		sys.raw("deflate", []byte("true"))
	}
	body.b = sys.end()
	if h.User != nil {
		body.raw("user", h.User)
	}
	return body.end()
}
