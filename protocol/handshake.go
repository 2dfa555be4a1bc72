package protocol

import (
	"encoding/json"
	"strings"
)

// HandshakeRequest is what a client says about itself in its first package. All
// fields are its own claims and may be empty. The zero value is the client that
// sent an empty body. It aliases no input.
type HandshakeRequest struct {
	// Pomelo clients.
	Type         string          // sys.type: "js-websocket", "unity-socket", …
	Version      string          // sys.version of the client library
	ProtoVersion string          // sys.protoVersion
	DictVersion  string          // sys.dictVersion: the dictionary it has kept from an earlier connection
	RSA          json.RawMessage // sys.rsa: {} or {"rsa_n","rsa_e"}; nil when absent

	// Pitaya clients.
	Platform          string // sys.platform
	LibVersion        string // sys.libVersion: its presence tells this family
	ClientBuildNumber string // sys.clientBuildNumber
	ClientVersion     string // sys.clientVersion

	// Deflate is sys.deflate: the client understands zlib bodies and wants them.
	Deflate bool

	// User is the member "user" as it came, for the validator; nil when absent.
	User json.RawMessage
}

// word is a JSON string or number or bool as text. Clients do not agree on which
// of them a version is: the same library sends 0 at first and a string later.
type word string

func (w *word) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(w))
	case 'n', '{', '[': // not said
		*w = ""
	default:
		*w = word(b)
	}
	return nil
}

// ParseHandshake parses the body of a client's handshake. An empty body is a
// valid one. The error is a *DecodeError: answer it with CodeBadRequest, then
// close. The result does not alias body.
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
		return HandshakeRequest{}, &DecodeError{Layer: "handshake", Rule: "a JSON object, or nothing", Reason: ReasonProtocol, Err: err}
	}
	return HandshakeRequest{
		Type:              string(in.Sys.Type),
		Version:           string(in.Sys.Version),
		ProtoVersion:      string(in.Sys.ProtoVersion),
		DictVersion:       string(in.Sys.DictVersion),
		RSA:               in.Sys.RSA,
		Platform:          string(in.Sys.Platform),
		LibVersion:        string(in.Sys.LibVersion),
		ClientBuildNumber: string(in.Sys.ClientBuildNumber),
		ClientVersion:     string(in.Sys.ClientVersion),
		Deflate:           in.Sys.Deflate == "true",
		User:              in.User,
	}, nil
}

// IsPomelo reports whether the client is of the pomelo family, which expects the
// dictionary under pomelo's names.
func (h *HandshakeRequest) IsPomelo() bool {
	return h.Type != "" && h.LibVersion == ""
}

// IsJS reports whether the client is one of pomelo's JavaScript clients, which
// only answer heartbeats and never start one.
func (h *HandshakeRequest) IsJS() bool { return strings.HasPrefix(h.Type, "js-") }

// MayCompress reports whether routes sent to the client may be compressed.
// libpitaya and its kin send a libVersion, ignore the dictionary and misread
// compressed routes.
func (h *HandshakeRequest) MayCompress() bool { return h.LibVersion == "" }
