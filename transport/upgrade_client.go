package transport

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// wsGUID is added to the key to make the accept value (RFC 6455, 1.3).
const wsGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// ownFields are what appendUpgradeRequest writes itself.
var ownFields = map[string]bool{
	"Host": true, "Upgrade": true, "Connection": true, "Content-Length": true, "Transfer-Encoding": true,
	"Sec-Websocket-Key": true, "Sec-Websocket-Version": true,
	"Sec-Websocket-Extensions": true, "Sec-Websocket-Protocol": true,
}

// newUpgradeKey returns the Sec-WebSocket-Key of a request: 16 random bytes, in
// base64.
func newUpgradeKey() string {
	var nonce [16]byte
	rand.Read(nonce[:])
	return base64.StdEncoding.EncodeToString(nonce[:])
}

// acceptKey is what a server answers to key.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + wsGUID))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// appendUpgradeRequest appends the request of a client. target is path and query
// as in url.URL.RequestURI; header may be nil, a Host in it wins over host, and
// the fields of the upgrade itself in it are ignored: neither extensions nor
// subprotocols are asked for.
func appendUpgradeRequest(dst []byte, host, target, key string, header http.Header) []byte {
	dst = append(dst, "GET "...)
	dst = append(dst, cmp.Or(target, "/")...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, cmp.Or(header.Get("Host"), host)...)
	dst = append(dst, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "...)
	dst = append(dst, key...)
	dst = append(dst, "\r\n"...)
	buf := bytes.NewBuffer(dst)
	_ = header.WriteSubset(buf, ownFields) // a buffer does not fail
	return append(buf.Bytes(), "\r\n"...)
}

// UpgradeError is a server's refusal to become a WebSocket, as the cause in
// ClientReceiver.Closed.
type UpgradeError struct {
	// Status is the HTTP status code, 101 when the answer is an upgrade that
	// breaks RFC 6455.
	Status int
	// Text is the start of the body, or the rule that was broken.
	Text string
}

// Error says both.
func (e *UpgradeError) Error() string {
	return fmt.Sprintf("websocket upgrade: server answered %d: %s", e.Status, e.Text)
}

// parseUpgradeResponse checks the server's answer to the request with key. head
// is complete, as headEnd found it, and body what came after it: packages, or
// the text of a refusal. The error is an *UpgradeError.
func parseUpgradeResponse(head, body []byte, key string) error {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	version, rest, _ := strings.Cut(strings.TrimSuffix(string(line), "\r"), " ")
	code, text, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || version != "HTTP/1.1" {
		return &UpgradeError{Text: "not an HTTP/1.1 answer"}
	}
	if status != http.StatusSwitchingProtocols {
		const enough = 256
		text = cmp.Or(strings.TrimSpace(string(body[:min(len(body), enough)])), text)
		return &UpgradeError{Status: status, Text: strings.ToValidUTF8(text, "")}
	}
	if rule := brokenRule(head, key); rule != "" {
		return &UpgradeError{Status: status, Text: rule}
	}
	return nil
}

// brokenRule applies RFC 6455, 4.1, "If the response lacks …" and what follows.
// "" is a valid answer.
func brokenRule(head []byte, key string) string {
	upgrade, _ := headField(head, "Upgrade")
	connection, _ := headField(head, "Connection")
	accept, accepts := headField(head, "Sec-WebSocket-Accept")
	_, extensions := headField(head, "Sec-WebSocket-Extensions")
	_, protocols := headField(head, "Sec-WebSocket-Protocol")
	switch {
	case !bytes.EqualFold(upgrade, []byte("websocket")):
		return "Upgrade is not websocket"
	case !hasToken(connection, "upgrade"):
		return "Connection is not Upgrade"
	case accepts != 1 || string(accept) != acceptKey(key):
		return "Sec-WebSocket-Accept is not the answer to our key"
	case extensions > 0:
		return "an extension nobody asked for"
	case protocols > 0:
		return "a subprotocol nobody asked for"
	}
	return ""
}
