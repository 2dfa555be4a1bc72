package transport

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// goodKey and goodAccept are the pair of RFC 6455, 1.3.
const (
	goodKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	goodAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

var testUpgrade = upgradeConfig{
	paths:     []string{"/nano", "/"},
	textPaths: []string{"/text"},
}

// request is a good upgrade request after some edits: "Name: value" replaces
// the field or adds it, "-Name" removes it, "+Name: value" adds another one,
// "GET /x HTTP/1.1" replaces the first line.
func request(edits ...string) []byte {
	lines := []string{
		"GET /nano HTTP/1.1", "Host: game.example:3250", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + goodKey,
	}
	at := func(name string) int {
		for i, line := range lines[1:] {
			if strings.HasPrefix(line, name+":") {
				return i + 1
			}
		}
		return 0
	}
	for _, e := range edits {
		name, _, isField := strings.Cut(e, ":")
		switch {
		case strings.HasPrefix(e, "-"):
			i := at(e[1:])
			lines = append(lines[:i:i], lines[i+1:]...)
		case strings.HasPrefix(e, "+"):
			lines = append(lines, e[1:])
		case !isField || strings.Contains(name, " "):
			lines[0] = e
		case at(name) > 0:
			lines[at(name)] = e
		default:
			lines = append(lines, e)
		}
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

type upgradeRow struct {
	name   string
	rule   string // the sentence of RFC 6455
	head   []byte
	status int // 0: handed off
	path   string
	body   string // what a refusal says
}

var upgradeTable = []upgradeRow{
	{name: "good", head: request(), status: 101, path: "/nano"},
	{name: "the other path", head: request("GET / HTTP/1.1"), status: 101, path: "/"},
	{name: "text path", head: request("GET /text HTTP/1.1"), status: 101, path: "/text"},
	{name: "query", head: request("GET /nano?token=a%20b&x HTTP/1.1"), status: 101, path: "/nano"},
	{name: "whole URL",
		rule: `"Request-URI" … should be interpreted as defined in Section 3 (the Request-URI can be an absolute HTTP/HTTPS URI)`,
		head: request("GET http://game.example:3250/nano?x HTTP/1.1"), status: 101, path: "/nano"},
	{name: "whole URL without a path", head: request("GET http://game.example:3250 HTTP/1.1"), status: 101, path: "/"},
	{name: "whole URL with a query alone", head: request("GET http://game.example:3250?/x HTTP/1.1"), status: 101, path: "/"},
	{name: "field names in any case", head: bytes.ReplaceAll(request(), []byte("Sec-WebSocket"), []byte("sec-webSOCKET")), status: 101, path: "/nano"},
	{name: "values in any case", head: request("Upgrade: WebSocket", "Connection: keep-alive, UPGRADE"), status: 101, path: "/nano"},
	{name: "bare line feeds", head: bytes.ReplaceAll(request(), []byte("\r\n"), []byte("\n")), status: 101, path: "/nano"},
	{name: "compression is offered",
		rule: "If a server does not wish to agree to one of the suggested extensions, it MUST NOT send back a |Sec-WebSocket-Extensions| field for it",
		head: request("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"), status: 101, path: "/nano"},
	{name: "page of the same host", head: request("Origin: http://game.example:3250"), status: 101, path: "/nano"},

	{name: "no upgrade", head: request("-Upgrade")},
	{name: "another upgrade", head: request("Upgrade: h2c")},
	{name: "not our path", head: request("GET /other HTTP/1.1")},
	{name: "path is a prefix", head: request("GET /nano/ HTTP/1.1")},
	{name: "path in another case", head: request("GET /Nano HTTP/1.1")},
	{name: "path only inside the query", head: request("GET /x?/nano HTTP/1.1")},
	{name: "another method", head: request("POST /nano HTTP/1.1")},
	{name: "no target", head: request("GET")},
	{name: "not HTTP after all", head: []byte("GARBAGE\r\n\r\n")},
	{name: "HTTP/2 preface", head: []byte("PRI * HTTP/2.0\r\n\r\n")},

	{name: "page from elsewhere",
		rule: "If the |Origin| received is not acceptable to the server, it MUST return an appropriate HTTP error code such as 403 Forbidden",
		head: request("Origin: https://evil.example"), status: 403, body: `origin "https://evil.example" may not connect: only pages of this host may, and those that the server's setting origins lists`},
	{name: "wrong version",
		rule: "the server MUST … send an appropriate HTTP error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header field",
		head: request("Sec-WebSocket-Version: 8"), status: 426},
	{name: "no version", head: request("-Sec-WebSocket-Version"), status: 400},
	{name: "two versions", head: request("+Sec-WebSocket-Version: 13"), status: 400},
	{name: "no key", head: request("-Sec-WebSocket-Key"), status: 400},
	{name: "short key",
		rule: "a base64-encoded value that, when decoded, is 16 bytes in length",
		head: request("Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="), status: 400, body: "Sec-WebSocket-Key is not 16 bytes in base64"},
	{name: "long key", head: request("Sec-WebSocket-Key: " + goodKey + "AA"), status: 400},
	{name: "key of 18 bytes", head: request("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA"), status: 400},
	{name: "key that is no base64", head: request("Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="), status: 400},
	{name: "two keys", head: request("+Sec-WebSocket-Key: " + goodKey), status: 400, body: "more than one Sec-WebSocket-Key field"},
	{name: "no host", head: request("-Host"), status: 400},
	{name: "two hosts", head: request("+host: evil.example"), status: 400},
	{name: "two origins", head: request("Origin: http://game.example:3250", "+Origin: https://evil.example"), status: 400},
	{name: "no connection", head: request("-Connection"), status: 400},
	{name: "connection says close", head: request("Connection: close"), status: 400},
	{name: "HTTP/1.0", rule: "an HTTP/1.1 or higher GET request", head: request("GET /nano HTTP/1.0"), status: 505},
	{name: "no HTTP version", head: request("GET /nano nonsense"), status: 400},
	{name: "a line without a colon", head: request("+nonsense"), status: 400},
	{name: "NUL in a field", head: request("+X-Name: a\x00b"), status: 400, body: "control character in the head"},
	{name: "carriage return in a field", head: request("+X-Name: a\rb"), status: 400},
}

func TestUpgrade(t *testing.T) {
	for _, row := range upgradeTable {
		t.Run(row.name, func(t *testing.T) {
			if n := headEnd(row.head, 0); n != len(row.head) {
				t.Fatalf("the head ends at %d of %d", n, len(row.head))
			}
			head := bytes.Clone(row.head)
			res, err := parseUpgrade(head, &testUpgrade)
			if row.status == 0 {
				if !res.handOff || err != nil || len(res.response) > 0 || !bytes.Equal(head, row.head) {
					t.Fatalf("got %+v and error %v, want it handed off untouched", res, err)
				}
				return
			}
			got := parseAnswer(t, res.response)
			if got.status != row.status || res.path != row.path {
				t.Fatalf("got %d on path %q, want %d on %q (%s)", got.status, res.path, row.status, row.path, row.rule)
			}
			if row.status == 101 {
				row.checkAccepted(t, res, got, err)
			} else {
				row.checkRefused(t, got, err)
			}
		})
	}
}

func (row upgradeRow) checkAccepted(t *testing.T, res upgradeResult, got answer, err error) {
	t.Helper()
	if err != nil || res.text != (row.path == "/text") || got.header.Get("Sec-WebSocket-Accept") != goodAccept ||
		got.header.Get("Upgrade") != "websocket" || got.header.Get("Connection") != "Upgrade" || got.header.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("got text %t, error %v, fields %v", res.text, err, got.header)
	}
	if host := res.header.get("host"); host != "game.example:3250" {
		t.Errorf("got host %q", host)
	}
}

func (row upgradeRow) checkRefused(t *testing.T, got answer, err error) {
	t.Helper()
	refused, ok := errors.AsType[*upgradeError](err)
	if !ok || refused.status != row.status || got.body != refused.text+"\n" || row.body != "" && refused.text != row.body {
		t.Errorf("got error %v and body %q, want status %d and %q (%s)", err, got.body, row.status, row.body, row.rule)
	}
	if !got.close {
		t.Error("the refusal leaves the connection open")
	}
	if version := got.header.Get("Sec-WebSocket-Version"); (version == "13") != (row.status == 426) {
		t.Errorf("got Sec-WebSocket-Version %q", version)
	}
}

// answer is a response as net/http read it.
type answer struct {
	status int
	header http.Header
	close  bool
	body   string
}

// parseAnswer has net/http read a response, which must be one and no more.
func parseAnswer(t *testing.T, response []byte) answer {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(response))
	got, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatalf("response %q: %v", response, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil || in.Buffered() > 0 {
		t.Fatalf("response %q: error %v, %d bytes too many", response, err, in.Buffered())
	}
	return answer{status: got.StatusCode, header: got.Header, close: got.Close, body: string(body)}
}

func TestRequestHeader(t *testing.T) {
	res, err := parseUpgrade(request("GET /nano?token=1 HTTP/1.1",
		"Origin: http://game.example:3250", "cookie: a=b; c=d", "+Cookie: second", "X-Forwarded-For: 192.0.2.1", "User-Agent:",
		"Accept-Encoding: gzip", "Sec-Fetch-Mode: websocket"), &testUpgrade)
	if err != nil || res.query != "token=1" {
		t.Fatalf("got query %q and error %v", res.query, err)
	}
	for name, want := range map[string]string{
		"Cookie": "a=b; c=d", "COOKIE": "a=b; c=d", "x-forwarded-for": "192.0.2.1", "Origin": "http://game.example:3250",
		"User-Agent": "", "Accept-Encoding": "", "Sec-Fetch-Mode": "", "Upgrade": "", "Cook": "", "": "",
	} {
		if got := res.header.get(name); got != want {
			t.Errorf("field %q: got %q, want %q", name, got, want)
		}
	}
	if requestHeader("").get("Cookie") != "" {
		t.Error("a header without fields has a cookie")
	}
}

// What gobwas/ws sends as a client, this package accepts, and the other way
// around.
func TestUpgradeWithGobwas(t *testing.T) {
	u, err := url.Parse("ws://game.example:3250/nano?x=1")
	if err != nil {
		t.Fatal(err)
	}
	server := &answerer{t: t}
	if _, _, err := ws.DefaultDialer.Upgrade(server, u); err != nil {
		t.Errorf("gobwas/ws as client: %v", err)
	}
	key := newUpgradeKey()
	conn := headConn{head: appendUpgradeRequest(nil, "game.example:3250", "/nano?x=1", key, http.Header{"Cookie": {"a=b"}})}
	if _, err := ws.Upgrade(&conn); err != nil {
		t.Errorf("gobwas/ws as server: %v", err)
	}
	if err := parseUpgradeResponse(conn.out, nil, key); err != nil {
		t.Errorf("answer of gobwas/ws: %v", err)
	}
}

// answerer is a server for a client that writes its request and reads.
type answerer struct {
	t       *testing.T
	in, out []byte
}

func (a *answerer) Write(p []byte) (int, error) {
	a.in = append(a.in, p...)
	if n := headEnd(a.in, 0); n > 0 {
		res, err := parseUpgrade(a.in[:n], &testUpgrade)
		if err != nil {
			a.t.Error(err)
		}
		a.out = res.response
	}
	return len(p), nil
}

func (a *answerer) Read(p []byte) (int, error) {
	if len(a.out) == 0 {
		return 0, io.EOF
	}
	n := copy(p, a.out)
	a.out = a.out[n:]
	return n, nil
}

// FuzzUpgrade checks that no head makes parseUpgrade panic, that what it refuses
// is an HTTP response, and that net/http agrees about what it accepts.
func FuzzUpgrade(f *testing.F) {
	for _, row := range upgradeTable {
		f.Add(row.head)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		n := headEnd(in, 0)
		if n == 0 {
			return
		}
		head := bytes.Clone(in[:n])
		res, err := parseUpgrade(head, &testUpgrade)
		switch {
		case res.handOff:
			if err != nil || !bytes.Equal(head, in[:n]) {
				t.Fatalf("handed off with error %v as %q", err, head)
			}
		case err != nil:
			got := parseAnswer(t, res.response)
			if got.status < 400 {
				t.Fatalf("error %v is answered by %d", err, got.status)
			}
		default:
			got := parseAnswer(t, res.response)
			if got.status != http.StatusSwitchingProtocols {
				t.Fatalf("accepted, and answered by %d", got.status)
			}
			fuzzAccepted(t, in[:n], res)
		}
	})
}

// fuzzAccepted compares with what net/http reads from the same head, where it
// reads anything: it is stricter about names and hosts.
func fuzzAccepted(t *testing.T, head []byte, res upgradeResult) {
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		return
	}
	path := cmp.Or(req.URL.EscapedPath(), "/")
	if req.Method != http.MethodGet || path != res.path && req.URL.Path != res.path || req.URL.RawQuery != res.query && !strings.Contains(res.query, "#") {
		t.Fatalf("got path %q and query %q, net/http has %s %q", res.path, res.query, req.Method, req.URL)
	}
	if !strings.EqualFold(req.Header.Get("Upgrade"), "websocket") {
		t.Fatalf("net/http has Upgrade %q", req.Header.Get("Upgrade"))
	}
	if origin := res.header.get("Origin"); origin != req.Header.Get("Origin") {
		t.Fatalf("got origin %q, net/http has %q", origin, req.Header.Get("Origin"))
	}
}

func TestUpgradeRequest(t *testing.T) {
	got := appendUpgradeRequest([]byte("before"), "game.example", "", goodKey, http.Header{
		"Cookie": {"a=b\r\nX-Evil: 1"}, "Sec-Websocket-Key": {"mine"}, "Sec-Websocket-Protocol": {"chat"}, "Content-Length": {"5"}, "Host": {"other.example"},
	})
	head, ok := bytes.CutPrefix(got, []byte("before"))
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil || !ok {
		t.Fatal(err)
	}
	if req.RequestURI != "/" || req.Host != "other.example" || req.Header.Get("X-Evil") != "" ||
		len(req.Header["Sec-Websocket-Key"]) != 1 || req.Header.Get("Sec-WebSocket-Key") != goodKey ||
		req.Header.Get("Sec-WebSocket-Protocol") != "" || req.ContentLength != 0 {
		t.Errorf("got %q", head)
	}
	if a, b := newUpgradeKey(), newUpgradeKey(); a == b || len(a) != 24 {
		t.Errorf("keys: got %q and %q, want two of 24 bytes", a, b)
	}
}

func TestUpgradeResponse(t *testing.T) {
	good := "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " + goodAccept + "\r\n\r\n"
	for _, tt := range []struct {
		name, rule, head, body string
		status                 int // of the error; -1: none
	}{
		{name: "good", head: good, status: -1},
		{name: "packages behind it", head: good, body: "\x82\x00", status: -1},
		{name: "wrong accept", rule: "the client MUST _Fail the WebSocket Connection_",
			head: strings.Replace(good, goodAccept, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1), status: 101},
		{name: "no accept", head: strings.Replace(good, "Accept", "Except", 1), status: 101},
		{name: "no upgrade", head: strings.Replace(good, "WebSocket\r", "h2c\r", 1), status: 101},
		{name: "no connection", head: strings.Replace(good, ": upgrade", ": close", 1), status: 101},
		{name: "extension", head: strings.Replace(good, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1), status: 101},
		{name: "subprotocol", head: strings.Replace(good, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n", 1), status: 101},
		{name: "refusal", head: "HTTP/1.1 403 Forbidden\r\n\r\n", body: "origin\n", status: 403},
		{name: "redirect", head: "HTTP/1.1 301 Moved\r\n\r\n", status: 301},
		{name: "not HTTP", head: "SSH-2.0-x\r\n\r\n", status: 0},
		{name: "no status", head: "HTTP/1.1 \r\n\r\n", status: 0},
		{name: "old HTTP", head: strings.Replace(good, "1.1", "1.0", 1), status: 0},
	} {
		err := parseUpgradeResponse([]byte(tt.head), []byte(tt.body), goodKey)
		refused, ok := errors.AsType[*UpgradeError](err)
		if tt.status < 0 && err != nil || tt.status >= 0 && (!ok || refused.Status != tt.status) {
			t.Errorf("%s: got error %v, want status %d (%s)", tt.name, err, tt.status, tt.rule)
		}
		if tt.name == "refusal" && (!ok || refused.Text != "origin") {
			t.Errorf("refusal: got %v, want the body", err)
		}
	}
}

func TestRefusal(t *testing.T) {
	for _, status := range []int{404, 408, 431, 503} {
		got := parseAnswer(t, httpRefusal(status, "no "+strconv.Itoa(status), ""))
		if got.status != status || got.body != "no "+strconv.Itoa(status)+"\n" || !got.close {
			t.Errorf("got %d and %q, want %d", got.status, got.body, status)
		}
	}
}
