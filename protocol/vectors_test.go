package protocol

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// vector is one package on the wire and what it means. The table below drives
// the tests of encoding, decoding and truncation, and seeds every fuzz target.
type vector struct {
	name string
	rule string // what it checks, in the words of the protocol's description

	wire   string // see wireBytes
	server bool   // the server sends it; only handshakes look different

	send any    // what encodes to wire; nil: we never send this
	want any    // what wire decodes to; nil: send
	bad  Reason // what refuses wire, instead of the three above
}

// What a package means: a Message, a HandshakeRequest, a HandshakeResponse, or
// one of these.
type (
	empty    struct{ typ PacketType } // a package that needs no body
	farewell struct {
		reason Reason
		text   string
	}
	answer struct { // a HandshakeResponse depends on who asked
		req HandshakeRequest
		res HandshakeResponse
	}
)

// The dictionary of the table.
var vectorDict = map[string]uint16{"onMessage": 1, "room.join": 2, "game.fire": 0x0102, "last": math.MaxUint16}

var vectorRoutes = mustRoutes([]string{"room.message", "room.join"}, vectorDict)

func mustRoutes(known []string, dict map[string]uint16) *Routes {
	r, err := NewRoutes(known, dict)
	if err != nil {
		panic(err)
	}
	return r
}

const (
	dictJSON    = `{"onMessage":1,"room.join":2,"game.fire":258,"last":65535}`
	codesJSON   = `{"1":"onMessage","2":"room.join","258":"game.fire","65535":"last"}`
	dictVersion = "34d7a4ce4391451e"
)

var longRoute = strings.Repeat("r", MaxRouteLen)

const (
	ruleTypes     = "0 and 6..255 are a protocol error"
	ruleLimit     = "body limit: checked before anything is allocated"
	ruleNoBody    = "2 ack, 3 heartbeat: no body"
	ruleID        = "id: little-endian base-128, requests and responses only; more than 10 bytes and an unterminated id are rejected"
	ruleRoute     = "route: uncompressed len u8 + UTF-8; requests, notifies and pushes carry it, responses never"
	ruleCode      = "route: compressed u16 big-endian code 1..65535"
	ruleUnknown   = "an unknown code is not a closed connection"
	ruleFlags     = "0x10 deflated, 0x20 error, 0xC0 unused; tolerated"
	ruleMsgTypes  = "type << 1: 0 request, 1 notify, 2 response, 3 push; 4–7 invalid"
	ruleKillers   = "two-byte messages right after the ack have killed other servers"
	ruleEmptyBody = "an empty response body is valid"
	ruleHandshake = "an empty body is accepted; a body that is not JSON is answered 400 and closed"
	ruleFamilies  = "client families tell themselves by sys.type and sys.libVersion"
	ruleResponse  = "heartbeat is an integer; {} is never sent as a dictionary; servertime is unix seconds"
	rulePomelo    = "useDict, routeToCode, codeToRoute, dictVersion only to pomelo clients"
	rulePitaya    = "never compress to clients that sent libVersion"
	ruleHave      = "a client that sends the current dictVersion gets no dictionary again"
	ruleRefused   = "errors are sent, then the connection closes after the flush"
	ruleKick      = `kick: body is JSON, never empty: {"reason":"…","code":n}`
)

var vectors = []vector{
	// Packages.
	{name: "heartbeat", rule: ruleNoBody, wire: `03 000000`, send: empty{Heartbeat}},
	{name: "ack", rule: ruleNoBody, wire: `02 000000`, send: empty{HandshakeAck}},
	{name: "type 0", rule: ruleTypes, wire: `00 000000`, bad: ReasonProtocol},
	{name: "type 6", rule: ruleTypes, wire: `06 000000`, bad: ReasonProtocol},
	{name: "type 255", rule: ruleTypes, wire: `ff 000000`, bad: ReasonProtocol},
	{name: "http", rule: ruleTypes, wire: `'GET / HTTP/1.1'`, bad: ReasonProtocol},
	{name: "one over the limit", rule: ruleLimit, wire: `04 010001`, bad: ReasonTooBig},
	{name: "the longest length", rule: ruleLimit, wire: `04 ffffff 00`, bad: ReasonTooBig},

	// Messages.
	{name: "request", rule: ruleRoute, wire: `04 000011 00 01 0c 'room.message' '{}'`,
		send: Message{Type: Request, ID: 1, Route: "room.message", Body: []byte("{}")}},
	{name: "request without an answer", rule: ruleID, wire: `04 000006 00 00 01 'a' '{}'`,
		send: Message{Type: Request, Route: "a", Body: []byte("{}")}},
	{name: "id of one byte", rule: ruleID, wire: `04 000006 00 7f 01 'a' '{}'`,
		send: Message{Type: Request, ID: 127, Route: "a", Body: []byte("{}")}},
	{name: "id of two bytes", rule: ruleID, wire: `04 000007 00 8001 01 'a' '{}'`,
		send: Message{Type: Request, ID: 128, Route: "a", Body: []byte("{}")}},
	{name: "id as javascript ends", rule: ruleID, wire: `04 00000a 00 ffffffff07 01 'a' '{}'`,
		send: Message{Type: Request, ID: math.MaxInt32, Route: "a", Body: []byte("{}")}},
	{name: "the longest id", rule: ruleID, wire: `04 00000b 04 ffffffffffffffffff01`,
		send: Message{Type: Response, ID: math.MaxUint64, Body: []byte{}}},
	{name: "id with idle bytes", rule: ruleID, wire: `04 000006 00 818000 01 'a'`,
		want: Message{Type: Request, ID: 1, Route: "a", Body: []byte{}}},
	{name: "id over 64 bits", rule: ruleID, wire: `04 00000b 04 ffffffffffffffffff02`, bad: ReasonProtocol},
	{name: "id of eleven bytes", rule: ruleID, wire: `04 00000c 04 8080808080808080808001`, bad: ReasonProtocol},
	{name: "notify", rule: ruleRoute, wire: `04 000010 02 0c 'room.message' '{}'`,
		send: Message{Type: Notify, Route: "room.message", Body: []byte("{}")}},
	{name: "push", rule: ruleRoute, wire: `04 00000d 06 09 'onMessage' '{}'`,
		send: Message{Type: Push, Route: "onMessage", Body: []byte("{}")}},
	{name: "push to a route in chinese", rule: ruleRoute, wire: `04 000008 06 06 e68891e4bbac`,
		send: Message{Type: Push, Route: "我们", Body: []byte{}}},
	{name: "the longest route", rule: ruleRoute, wire: `04 000101 02 ff '` + longRoute + `'`,
		send: Message{Type: Notify, Route: longRoute, Body: []byte{}}},
	{name: "empty route", rule: ruleRoute, wire: `04 000004 02 00 '{}'`,
		send: Message{Type: Notify, Body: []byte("{}")}},
	{name: "response", rule: ruleRoute, wire: `04 000006 04 8001 '{ }'`,
		send: Message{Type: Response, ID: 128, Body: []byte("{ }")}},
	{name: "empty response", rule: ruleEmptyBody, wire: `04 000002 04 05`,
		send: Message{Type: Response, ID: 5, Body: []byte{}}},
	{name: "response with the route bit", rule: ruleRoute, wire: `04 000003 05 05 'b'`,
		want: Message{Type: Response, ID: 5, Body: []byte("b")}},
	{name: "error", rule: ruleFlags, wire: `04 len 24 05 '{"code":404,"msg":"no room"}'`,
		send: Message{Type: Response, ID: 5, Error: true, Body: AppendErrorBody(nil, Errorf(CodeNoRoute, "no room"))}},
	{name: "deflated", rule: ruleFlags, wire: `04 000004 16 01 'a' 78`,
		send: Message{Type: Push, Deflated: true, Route: "a", Body: []byte("x")}},
	{name: "unused bits", rule: ruleFlags, wire: `04 000003 c2 01 'a'`,
		want: Message{Type: Notify, Route: "a", Body: []byte{}}},
	{name: "compressed request", rule: ruleCode, wire: `04 000006 01 07 0002 '{}'`,
		send: Message{Type: Request, ID: 7, Code: 2, Route: "room.join", Body: []byte("{}")}},
	{name: "compressed notify", rule: ruleCode, wire: `04 000005 03 0102 '{}'`,
		send: Message{Type: Notify, Code: 0x0102, Route: "game.fire", Body: []byte("{}")}},
	{name: "compressed push", rule: ruleCode, wire: `04 000003 07 ffff`,
		send: Message{Type: Push, Code: math.MaxUint16, Route: "last", Body: []byte{}}},
	{name: "unknown code", rule: ruleUnknown, wire: `04 000006 01 07 0003 '{}'`,
		send: Message{Type: Request, ID: 7, Code: 3, Body: []byte("{}")}},
	{name: "code beyond the dictionary", rule: ruleUnknown, wire: `04 000003 03 fffe`,
		send: Message{Type: Notify, Code: 0xfffe, Body: []byte{}}},
	{name: "code 0", rule: ruleUnknown, wire: `04 000006 01 07 0000 '{}'`,
		want: Message{Type: Request, ID: 7, Body: []byte("{}")}},

	// What has killed other servers.
	{name: "killer: no flag", rule: ruleKillers, wire: `04 000000`, bad: ReasonProtocol},
	{name: "killer: 00 01", rule: ruleKillers, wire: `04 000002 00 01`, bad: ReasonProtocol},
	{name: "killer: 01 01", rule: ruleKillers, wire: `04 000002 01 01`, bad: ReasonProtocol},
	{name: "killer: 01 01 00", rule: ruleKillers, wire: `04 000003 01 01 00`, bad: ReasonProtocol},
	{name: "killer: 03 00", rule: ruleKillers, wire: `04 000002 03 00`, bad: ReasonProtocol},
	{name: "killer: 06 05 61", rule: ruleKillers, wire: `04 000003 06 05 61`, bad: ReasonProtocol},
	{name: "killer: 00 81 82 83", rule: ruleKillers, wire: `04 000004 00 81 82 83`, bad: ReasonProtocol},
	{name: "killer: 08 00 00", rule: ruleMsgTypes, wire: `04 000003 08 00 00`, bad: ReasonProtocol},
	{name: "type 7", rule: ruleMsgTypes, wire: `04 000003 0e 00 00`, bad: ReasonProtocol},

	// Handshakes of clients.
	{name: "nano's client", rule: ruleHandshake, wire: `01 000000`, want: HandshakeRequest{}},
	{name: "not JSON", rule: ruleHandshake, wire: `01 000005 'hello'`, bad: ReasonProtocol},
	{name: "half JSON", rule: ruleHandshake, wire: `01 000007 '{"sys":'`, bad: ReasonProtocol},
	{name: "JSON but no object", rule: ruleHandshake, wire: `01 000002 '[]'`, bad: ReasonProtocol},
	{name: "sys is no object", rule: ruleHandshake, wire: `01 000009 '{"sys":1}'`, bad: ReasonProtocol},
	{name: "null", rule: ruleHandshake, wire: `01 000004 'null'`, want: HandshakeRequest{}},
	{name: "javascript", rule: ruleFamilies,
		wire: `01 len '{"sys":{"type":"js-websocket","version":"0.0.1","rsa":{},"protoVersion":0},"user":{}}'`,
		want: HandshakeRequest{Type: "js-websocket", Version: "0.0.1", ProtoVersion: "0", RSA: json.RawMessage(`{}`), User: json.RawMessage(`{}`)}},
	{name: "javascript, signing", rule: ruleFamilies,
		wire: `01 len '{"sys":{"type":"js-websocket","rsa":{"rsa_n":"ab","rsa_e":"10001"}}}'`,
		send: HandshakeRequest{Type: "js-websocket", RSA: json.RawMessage(`{"rsa_n":"ab","rsa_e":"10001"}`)}},
	{name: "javascript, emoji", rule: "characters outside the BMP arrive as two 3-byte surrogates",
		wire: `01 len '{"user":{"name":"' eda0bd edb880 '"}}'`,
		want: HandshakeRequest{User: json.RawMessage(`{"name":"😀"}`)}},
	{name: "unity", rule: ruleFamilies,
		wire: `01 len '{"sys":{"type":"unity-socket","version":"0.3.0"},"user":{"token":"t"}}'`,
		send: HandshakeRequest{Type: "unity-socket", Version: "0.3.0", User: json.RawMessage(`{"token":"t"}`)}},
	{name: "libpomelo2", rule: ruleFamilies,
		wire: `01 len '{"sys":{"type":"ios","version":"0.2.0","protoVersion":"p","dictVersion":"d"}}'`,
		send: HandshakeRequest{Type: "ios", Version: "0.2.0", ProtoVersion: "p", DictVersion: "d"}},
	{name: "libpitaya", rule: ruleFamilies,
		wire: `01 len '{"sys":{"platform":"mac","libVersion":"0.3.5","clientBuildNumber":"20","clientVersion":"2.1"},"user":{"age":30}}'`,
		send: HandshakeRequest{Platform: "mac", LibVersion: "0.3.5", ClientBuildNumber: "20", ClientVersion: "2.1", User: json.RawMessage(`{"age":30}`)}},
	{name: "wants zlib", rule: "body compressed: off unless the client asked",
		wire: `01 len '{"sys":{"deflate":true}}'`, send: HandshakeRequest{Deflate: true}},
	{name: "versions of every type", rule: ruleFamilies,
		wire: `01 len '{"sys":{"type":null,"version":1.5,"protoVersion":true,"dictVersion":{"a":[]}}}'`,
		want: HandshakeRequest{Version: "1.5", ProtoVersion: "true"}},

	// Handshakes of the server.
	{name: "plain", rule: ruleResponse, server: true, wire: `01 len '{"code":200,"sys":{}}'`,
		send: answer{}, want: HandshakeResponse{Code: CodeOK}},
	{name: "full", rule: ruleResponse, server: true,
		wire: `01 len '{"code":200,"sys":{"heartbeat":30,"servertime":1700000000,"serializer":"json","dict":` + dictJSON + `},"user":{"id":7}}'`,
		send: answer{res: HandshakeResponse{Heartbeat: 30 * time.Second, ServerTime: time.Unix(1700000000, 999), Serializer: "json", Routes: vectorRoutes, User: map[string]int{"id": 7}}},
		want: HandshakeResponse{Code: CodeOK, Heartbeat: 30 * time.Second, ServerTime: time.Unix(1700000000, 0), Serializer: "json", Routes: mustRoutes(nil, vectorDict), User: json.RawMessage(`{"id":7}`)}},
	{name: "heartbeat of a fraction", rule: ruleResponse, server: true, wire: `01 len '{"code":200,"sys":{"heartbeat":2}}'`,
		send: answer{res: HandshakeResponse{Code: CodeOK, Heartbeat: 1100 * time.Millisecond}},
		want: HandshakeResponse{Code: CodeOK, Heartbeat: 2 * time.Second}},
	{name: "shortest heartbeat", rule: ruleResponse, server: true, wire: `01 len '{"code":200,"sys":{"heartbeat":1}}'`,
		send: answer{res: HandshakeResponse{Heartbeat: 1}},
		want: HandshakeResponse{Code: CodeOK, Heartbeat: time.Second}},
	{name: "empty dictionary", rule: ruleResponse, server: true, wire: `01 len '{"code":200,"sys":{}}'`,
		send: answer{req: HandshakeRequest{Type: "js-websocket"}, res: HandshakeResponse{Routes: mustRoutes([]string{"a"}, nil)}},
		want: HandshakeResponse{Code: CodeOK}},
	{name: "dictionary for pomelo", rule: rulePomelo, server: true,
		wire: `01 len '{"code":200,"sys":{"dict":` + dictJSON + `,"useDict":true,"routeToCode":` + dictJSON + `,"codeToRoute":` + codesJSON + `,"dictVersion":"` + dictVersion + `"}}'`,
		send: answer{req: HandshakeRequest{Type: "ios"}, res: HandshakeResponse{Routes: vectorRoutes}},
		want: HandshakeResponse{Code: CodeOK, Routes: mustRoutes(nil, vectorDict)}},
	{name: "dictionary known to pomelo", rule: ruleHave, server: true, wire: `01 len '{"code":200,"sys":{"useDict":true}}'`,
		send: answer{req: HandshakeRequest{Type: "ios", DictVersion: dictVersion}, res: HandshakeResponse{Routes: vectorRoutes}},
		want: HandshakeResponse{Code: CodeOK}},
	{name: "dictionary for libpitaya", rule: rulePitaya, server: true, wire: `01 len '{"code":200,"sys":{}}'`,
		send: answer{req: HandshakeRequest{LibVersion: "0.3.5"}, res: HandshakeResponse{Routes: vectorRoutes}},
		want: HandshakeResponse{Code: CodeOK}},
	{name: "bad request", rule: ruleRefused, server: true, wire: `01 len '{"code":400}'`,
		send: answer{res: HandshakeResponse{Code: CodeBadRequest, Heartbeat: time.Second, User: 1}},
		want: HandshakeResponse{Code: CodeBadRequest}},
	{name: "refused", rule: ruleRefused, server: true, wire: `01 len '{"code":500,"msg":"no \"token\""}'`,
		send: answer{res: HandshakeResponse{Code: CodeHandshakeRefused, Msg: `no "token"`}},
		want: HandshakeResponse{Code: CodeHandshakeRefused, Msg: `no "token"`}},
	{name: "too old", rule: ruleRefused, server: true, wire: `01 len '{"code":501}'`,
		send: answer{res: HandshakeResponse{Code: CodeClientTooOld}},
		want: HandshakeResponse{Code: CodeClientTooOld}},
	{name: "dictionary that is none", rule: "bijective, codes 1..65535", server: true,
		wire: `01 len '{"code":200,"sys":{"dict":{"a":1,"b":1}}}'`, bad: ReasonProtocol},
	{name: "no handshake at all", rule: ruleResponse, server: true, wire: `01 000000`, bad: ReasonProtocol},

	// Kicks.
	{name: "kick", rule: ruleKick, wire: `05 len '{"reason":"logged in elsewhere","code":10}'`,
		send: farewell{reason: ReasonReplaced}, want: farewell{ReasonReplaced, "logged in elsewhere"}},
	{name: "kick with the game's words", rule: ruleKick, wire: `05 len '{"reason":"bye \ud83d\ude00","code":9}'`,
		send: farewell{ReasonKicked, "bye 😀"}},
	{name: "kick of another server", rule: ruleKick, wire: `05 len '{"reason":"kick"}'`, want: farewell{ReasonKicked, "kick"}},
	{name: "kick of a later server", rule: ruleKick, wire: `05 len '{"reason":"r","code":999}'`, want: farewell{ReasonKicked, "r"}},
	{name: "empty kick", rule: ruleKick, wire: `05 000000`, bad: ReasonProtocol},
}

// wireBytes reads the notation of the table: hex bytes, text in single quotes,
// spaces between; and len, which stands for the length of all that follows it.
func wireBytes(tb testing.TB, s string) []byte {
	tb.Helper()
	var out []byte
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if text, ok := strings.CutPrefix(s, "'"); ok {
			var literal string
			literal, s, ok = strings.Cut(text, "'")
			if !ok {
				tb.Fatalf("vector without a closing quote: %s", text)
			}
			out = append(out, literal...)
			continue
		}
		var word string
		word, s, _ = strings.Cut(s, " ")
		if word == "len" {
			rest := wireBytes(tb, s)
			n := len(rest)
			return append(append(out, byte(n>>16), byte(n>>8), byte(n)), rest...)
		}
		b, err := hex.DecodeString(word)
		if err != nil {
			tb.Fatalf("vector: %q: %v", word, err)
		}
		out = append(out, b...)
	}
	return out
}

// encode returns the package that says v.
func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	var b []byte
	var mark int
	var err error
	switch v := v.(type) {
	case empty:
		return AppendPacket(nil, v.typ, nil)
	case farewell:
		return AppendKick(nil, v.reason, v.text)
	case Message:
		b, mark = BeginPacket(nil, Data)
		b, err = AppendMessage(b, v)
	case HandshakeRequest:
		b, mark = BeginPacket(nil, Handshake)
		b = AppendHandshake(b, &v)
	case answer:
		b, mark = BeginPacket(nil, Handshake)
		b, err = AppendHandshakeResponse(b, &v.req, v.res)
	default:
		tb.Fatalf("nothing encodes a %T", v)
	}
	if err != nil {
		tb.Fatalf("encode %+v: %v", v, err)
	}
	return EndPacket(b, mark)
}

// decode returns what p says, as the other side of whoever sent it hears it.
func decode(p Packet, server bool) (any, error) {
	switch {
	case p.Type == Data:
		return hear(ParseMessage(p.Body, vectorRoutes))
	case p.Type == Kick:
		reason, text, err := ParseKick(p.Body)
		return hear(farewell{reason, text}, err)
	case p.Type == Handshake && server:
		return hear(ParseHandshakeResponse(p.Body))
	case p.Type == Handshake:
		return hear(ParseHandshake(p.Body))
	}
	return empty{p.Type}, nil
}

// hear drops a value that comes with an error.
func hear[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}
