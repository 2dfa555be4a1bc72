package transport

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gobwas/ws"
)

// upgradeConfig says which requests become WebSockets. It is read-only.
type upgradeConfig struct {
	paths     []string // binary endpoints, exact
	textPaths []string // JSON text endpoints, exact
	origins   originPolicy
}

// upgradeResult is what a request asked for.
type upgradeResult struct {
	// handOff: not for us. The head, untouched, and all read after it go to the
	// HTTP handler; the other fields are empty.
	handOff bool

	// response is what to write first. With an error it is the refusal, after
	// which the connection closes.
	response []byte

	path   string        // of the configuration: no copy per connection
	text   bool          // path is a text endpoint
	query  string        // without the question mark
	header requestHeader // what handshake validators may ask for
}

// requestHeader is what is kept of a request's fields, Host and Origin among
// them: "Name: value\r\n" in the canonical spelling, one string instead of a
// map, because each connection has one for as long as it is wanted. Fields of
// the upgrade itself and those that only browsers care about are not kept.
type requestHeader string

// get returns the first value of the field, "" when there is none. The name is
// case-insensitive.
func (h requestHeader) get(name string) string {
	for line := range strings.Lines(string(h)) {
		key, value, _ := strings.Cut(line, ": ")
		if strings.EqualFold(key, name) {
			return strings.TrimSuffix(value, "\r\n")
		}
	}
	return ""
}

// upgradeError is why a request for one of our paths was refused.
type upgradeError struct {
	status int
	text   string
}

// Error is one line for the operator.
func (e *upgradeError) Error() string { return fmt.Sprintf("upgrade: %d: %s", e.status, e.text) }

// parseUpgrade decides what becomes of a request whose head is complete, as
// headEnd found it. It spells field names canonically in head itself, but
// leaves head alone when it hands off. The error is an *upgradeError; then
// res.response is the refusal and nothing else is set.
func parseUpgrade(head []byte, cfg *upgradeConfig) (res upgradeResult, err error) {
	path, query, ok := requestTarget(head)
	if protocols, _ := headField(head, "Upgrade"); !ok || !hasToken(protocols, "websocket") {
		return upgradeResult{handOff: true}, nil
	}
	if i := slices.Index(cfg.paths, string(path)); i >= 0 {
		res.path = cfg.paths[i]
	} else if i := slices.Index(cfg.textPaths, string(path)); i >= 0 {
		res.path, res.text = cfg.textPaths[i], true
	} else {
		return upgradeResult{handOff: true}, nil
	}
	res.query = string(query)
	if err := checkHead(head); err != nil {
		return upgradeResult{response: err.response()}, err
	}
	if err := res.upgrade(head, cfg); err != nil {
		return upgradeResult{response: err.response()}, err
	}
	return res, nil
}

// upgrade answers a request that names one of our endpoints.
func (res *upgradeResult) upgrade(head []byte, cfg *upgradeConfig) *upgradeError {
	conn := headConn{head: head}
	var kept []byte
	keep := func(key, value []byte) error {
		if !forBrowsers(key) {
			kept = append(kept, key...)
			kept = append(kept, ": "...)
			kept = append(kept, value...)
			kept = append(kept, "\r\n"...)
		}
		return nil
	}
	upgrader := ws.Upgrader{
		OnHost:   func(host []byte) error { return keep([]byte("Host"), host) },
		OnHeader: keep,
		OnBeforeUpgrade: func() (ws.HandshakeHeader, error) {
			res.header = requestHeader(kept)
			if err := checkOrigin(res.header, &cfg.origins); err != nil {
				return nil, err
			}
			return nil, nil
		},
	}
	_, err := upgrader.Upgrade(&conn)
	if err == nil {
		res.response = conn.out
		return nil
	}
	if ours, ok := errors.AsType[*upgradeError](err); ok {
		return ours
	}
	if theirs, ok := errors.AsType[*ws.ConnectionRejectedError](err); ok {
		return &upgradeError{status: theirs.StatusCode(), text: theirs.Error()}
	}
	return &upgradeError{status: http.StatusBadRequest, text: "malformed HTTP request"}
}

// checkOrigin refuses pages from elsewhere (RFC 6455, 10.2). The text goes to
// whoever set the server up and wonders, so it names what to change.
func checkOrigin(h requestHeader, origins *originPolicy) *upgradeError {
	origin := h.get("Origin")
	if origins.allow(origin, h.get("Host")) {
		return nil
	}
	return &upgradeError{status: http.StatusForbidden, text: fmt.Sprintf(
		"origin %q may not connect: only pages of this host may, and those that the server's setting origins lists", origin)}
}

// once are the fields that RFC 6455, 11.3 and RFC 9110, 7.2 allow a single time.
// Which of two would count is for each proxy to guess, so none does.
var once = [...]string{"Host", "Origin", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}

// checkHead applies the rules that gobwas/ws does not.
func checkHead(head []byte) *upgradeError {
	for _, name := range once {
		if _, n := headField(head, name); n > 1 {
			return &upgradeError{status: http.StatusBadRequest, text: "more than one " + name + " field"}
		}
	}
	for i, c := range head {
		ended := c == '\r' && head[i+1] == '\n' // a complete head ends with a line feed
		if c < ' ' && c != '\t' && c != '\n' && !ended || c == 0x7f {
			return &upgradeError{status: http.StatusBadRequest, text: "control character in the head"}
		}
	}
	// RFC 6455, 4.1: "a nonce consisting of a randomly selected 16-byte value
	// that has been base64-encoded".
	var nonce [18]byte
	key, n := headField(head, "Sec-WebSocket-Key")
	if size, err := base64.StdEncoding.Strict().Decode(nonce[:], key[:min(len(key), 24)]); n == 1 && (err != nil || size != 16 || len(key) != 24) {
		return &upgradeError{status: http.StatusBadRequest, text: "Sec-WebSocket-Key is not 16 bytes in base64"}
	}
	return nil
}

// forBrowsers reports whether a field says nothing to a game server.
func forBrowsers(key []byte) bool {
	switch string(key) {
	case "Accept", "Accept-Encoding", "Cache-Control", "Pragma":
		return true
	}
	return bytes.HasPrefix(key, []byte("Sec-"))
}

// headConn lets gobwas/ws, which reads and writes, work on bytes.
type headConn struct{ head, out []byte }

func (c *headConn) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.head)
	c.head = c.head[n:]
	return n, nil
}

func (c *headConn) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	return len(p), nil
}

// requestTarget returns path and query of a GET request, raw. The target may be
// a whole URL (RFC 6455, 4.2.1).
func requestTarget(head []byte) (path, query []byte, ok bool) {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	target, get := bytes.CutPrefix(line, []byte("GET "))
	target, _, found := bytes.Cut(target, []byte(" "))
	if !get || !found {
		return nil, nil, false
	}
	if scheme := bytes.Index(target, []byte("://")); scheme > 0 && target[0] != '/' {
		target = bytes.TrimLeftFunc(target[scheme+len("://"):], func(c rune) bool { return c != '/' && c != '?' })
		if len(target) == 0 || target[0] == '?' {
			return []byte("/"), bytes.TrimPrefix(target, []byte("?")), true
		}
	}
	path, query, _ = bytes.Cut(target, []byte("?"))
	return path, query, true
}

// headField returns the first value of a field and how many times it is there.
func headField(head []byte, name string) (value []byte, n int) {
	_, rest, _ := bytes.Cut(head, []byte("\n")) // not the request line
	for line := range bytes.Lines(rest) {
		key, v, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(bytes.TrimSpace(key), []byte(name)) {
			if n++; n == 1 {
				value = bytes.TrimSpace(v)
			}
		}
	}
	return value, n
}

// hasToken reports whether a comma-separated list holds token, in any case.
func hasToken(list []byte, token string) bool {
	for item := range bytes.SplitSeq(list, []byte(",")) {
		if bytes.EqualFold(bytes.TrimSpace(item), []byte(token)) {
			return true
		}
	}
	return false
}

// response is the whole HTTP answer.
func (e *upgradeError) response() []byte {
	if e.status == http.StatusUpgradeRequired {
		// RFC 6455, 4.2.2: "a |Sec-WebSocket-Version| header field indicating
		// the version(s) the server is capable of understanding".
		return httpRefusal(e.status, e.text, "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n")
	}
	return httpRefusal(e.status, e.text, "")
}

// httpRefusal is a whole answer in plain text, after which the connection
// closes. fields are whole lines.
func httpRefusal(status int, text, fields string) []byte {
	b := make([]byte, 0, 256+len(text)+len(fields))
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	b = append(b, "\r\n"...)
	b = append(b, fields...)
	b = append(b, "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(text)+1), 10)
	b = append(b, "\r\n\r\n"...)
	b = append(b, text...)
	return append(b, '\n')
}
