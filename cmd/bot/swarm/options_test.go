package swarm

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/transport"
)

// The same scenario over every kind of connection.
func TestEveryTransportCarriesTheSameScenario(t *testing.T) {
	cert, pemFile := selfSigned(t)
	secure := transport.Config{Certificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, nil }}
	for scheme, cfg := range map[string]transport.Config{"ws": {}, "tcp": {}, "wss": secure, "tls": secure} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			d := newDoubleWith(t, func(int, int) fate { return fate{copies: 1} }, cfg)
			addr := scheme + strings.TrimPrefix(d.url, "ws")
			res := d.run(t, Config{Addr: []string{addr}, CA: pemFile, Scenario: "chat", Sessions: 8, Rooms: 2, Rate: "100", Duration: 500 * time.Millisecond})
			if dl := res.Deliveries; dl.Expected != 200 || dl.Lost != 0 || res.Failures() != 0 {
				t.Errorf("%+v, %d errors; want 200 deliveries and none lost", dl, res.Failures())
			}
			upgrades := int64(0)
			if strings.HasPrefix(scheme, "ws") {
				upgrades = 8
			}
			want(t, res, "upgrade", upgrades, nil)
			want(t, res, "connect", 8, nil)
			want(t, res, "handshake", 8, nil)
		})
	}
	t.Run("nobody vouches for it", func(t *testing.T) {
		d := newDoubleWith(t, nil, secure)
		_, err := Run(context.Background(), Config{Addr: []string{"wss" + strings.TrimPrefix(d.url, "ws")}, Scenario: "idle", Sessions: 50})
		if err == nil {
			t.Error("a certificate that nobody vouches for was accepted without --insecure")
		}
	})
}

func selfSigned(t *testing.T) (*tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, name
}

func TestADictionaryIsUsedBothWaysUnlessToldNotTo(t *testing.T) {
	t.Parallel()
	for _, noDict := range []bool{false, true} {
		d := newDouble(t, nil)
		d.greet(`{"code":200,"sys":{"dict":{"room.echo":7}}}`)
		res := d.run(t, Config{Scenario: "echo", Sessions: 3, Rate: "60", Duration: 500 * time.Millisecond, NoDict: noDict})
		want(t, res, "request[room.echo]", 30, nil)
		d.mu.Lock()
		if n := d.codes[7]; n != 30 && !noDict || n != 0 && noDict {
			t.Errorf("--no-dict %t: %d of 30 requests were compressed", noDict, n)
		}
		d.mu.Unlock()
	}
}

func TestTokensGoIntoTheHandshake(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"file":    {Tokens: file(t, "t-0\nt-1\n\nt-2\n")},
		"command": {TokenCmd: `for i in $(seq 0 $((BOT_SESSIONS-1))); do echo t-$i; done`},
	} {
		d := newDouble(t, nil)
		cfg.Scenario, cfg.Sessions, cfg.User, cfg.Duration = "idle", 3, `{"token":"{{token}}","nr":"{{session}}"}`, 10*time.Millisecond
		d.run(t, cfg)
		d.mu.Lock()
		all := strings.Join(d.hellos, "\n")
		d.mu.Unlock()
		for _, part := range []string{`"user":{"token":"t-0","nr":0}`, `"user":{"token":"t-1","nr":1}`, `"user":{"token":"t-2","nr":2}`} {
			if !strings.Contains(all, part) {
				t.Errorf("%s: no handshake holds %s:\n%s", name, part, all)
			}
		}
	}
}

func TestBodiesInProtobuf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	d := newDouble(t, func(int, int) fate { return fate{copies: 1} })
	res := d.run(t, Config{
		Sessions: 4, Rooms: 2, Rate: "40", Duration: 500 * time.Millisecond,
		Proto:    write("game.proto", `syntax = "proto3"; package game; message Echo { int32 nr = 1; string who = 2; } message Say { string content = 1; }`),
		Messages: write("messages.yaml", "room.echo: {request: game.Echo, response: game.Echo}\nroom.message: game.Say\n"),
		Scenario: file(t, `
name: protobuf
behaviours:
  - name: all
    setup:
      - request: {route: room.echo, body: {nr: 300, who: "n{{session}}"}, expect: {nr: 300}, bind: {who: who}}
      - request: {route: room.join, body: {room: "{{room}}"}, enter: true}
    act:
      - publish: {route: room.message, body: {content: "{{mark}}"}, push: onMessage}
`)})
	want(t, res, "request[room.echo]", 4, nil)
	want(t, res, "push[onMessage]", 40, nil)
	const size = 4 + 1 + 1 + 12 + 2 + 39 // head, flag, route, and a string field with a mark
	if tr := res.Traffic; res.Failures() != 0 || tr.PackagesOut == 0 || tr.BytesOut != tr.PackagesOut*size {
		t.Errorf("%d errors, %d bytes in %d packages; want none, and %d each", res.Failures(), tr.BytesOut, tr.PackagesOut, size)
	}
}

func TestTextEndpointAndPushAPI(t *testing.T) {
	t.Parallel()
	d := newDoubleWith(t, func(int, int) fate { return fate{copies: 1} }, transport.Config{TextPaths: []string{"/connect"}})
	res := d.run(t, Config{
		Addr: []string{d.url + "connect"}, Sessions: 5, Rooms: 1, Rate: "20", Duration: time.Second, Scenario: file(t, `
name: text
protocol: text
behaviours:
  - name: watcher
    setup:
      - send: {body: {type: JOIN, data: {room: r}}, enter: true}
    act:
      - send: {body: {type: SEND, data: {content: "{{mark}}"}}, push: PUSH}
      - http: {url: /push/room, header: {X-Key: k}, form: {room: r, items: ["{{mark}}"]}, push: PUSH}
      - http: {url: /push/room, as: refused, json: {}, status: 401}
`)})
	want(t, res, "http[/push/room]", 20, nil)
	want(t, res, "http[refused]", 20, nil)
	if dl := res.Deliveries; dl.Expected != 200 || dl.Lost != 0 || dl.Duplicated != 0 || res.Failures() != 0 { // order holds within a channel only
		t.Errorf("%+v, %d errors; want 200 deliveries: 20 acts of two publications to five", dl, res.Failures())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.http) != 20 || !strings.HasPrefix(d.http[0], "application/x-www-form-urlencoded items=") {
		t.Errorf("%d pushes arrived, the first as %.60q", len(d.http), d.http)
	}
}

func TestHeartbeatsAreTimedAndHeld(t *testing.T) {
	t.Parallel()
	d := newDouble(t, nil)
	d.greet(`{"code":200,"sys":{"heartbeat":1}}`)
	res := d.run(t, Config{Scenario: "idle", Sessions: 3, Duration: 2700 * time.Millisecond})
	if m := res.Metrics["heartbeat"]; m.Count < 6 || m.Count > 12 || m.Failures() != 0 {
		t.Errorf("%d heartbeats of 3 sessions in about three seconds, %v", m.Count, m.Errors)
	}
}
