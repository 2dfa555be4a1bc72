package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/protocol"
)

// patience is how long a test waits for something that must happen. It is far
// above what anything takes, because machines that run tests are slow at times.
const patience = 20 * time.Second

// serve runs the real server on free ports until the test ends, and fails the
// test when it does not stop cleanly.
func serve(t *testing.T, cfg app.Config) (players, admin string) {
	t.Helper()
	cfg.Listen, cfg.Admin = "127.0.0.1:0", "127.0.0.1:0"
	up := make(chan [2]string, 1)
	cfg.OnListening = func(p, a string) { up <- [2]string{p, a} }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx, cfg) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("server did not stop cleanly: %v", err)
			}
		case <-time.After(patience):
			t.Error("server did not stop")
		}
	})
	select {
	case a := <-up:
		return a[0], a[1]
	case err := <-done:
		t.Fatalf("server did not start: %v", err)
	case <-time.After(patience):
		t.Fatal("server did not start in time")
	}
	return "", ""
}

// peer is a client that reads and writes the wire by hand, one step at a time.
type peer struct {
	t    *testing.T
	conn net.Conn
	ws   bool
	in   []byte // unread packages
	next uint64 // request ids
}

// dial connects over TCP, or over WebSocket when path is not empty.
func dial(t *testing.T, addr, path string) *peer {
	t.Helper()
	p := &peer{t: t}
	var err error
	if path == "" {
		p.conn, err = net.Dial("tcp", addr)
	} else {
		p.ws = true
		p.conn, _, _, err = ws.Dial(context.Background(), "ws://"+addr+path)
	}
	if err != nil {
		t.Fatalf("dial %s%s: %v", addr, path, err)
	}
	t.Cleanup(func() { p.conn.Close() })
	return p
}

// join dials, shakes hands and acknowledges.
func join(t *testing.T, addr, path string) *peer {
	t.Helper()
	p := dial(t, addr, path)
	p.handshake(`{"sys":{"type":"go-test","version":"1"}}`)
	return p
}

func (p *peer) handshake(body string) {
	p.t.Helper()
	p.send(protocol.AppendPacket(nil, protocol.Handshake, []byte(body)))
	if got := p.recv("the answer to the handshake"); got.Type != protocol.Handshake || !bytes.Contains(got.Body, []byte(`"code":200`)) {
		p.t.Fatalf("handshake was answered with %v %s", got.Type, got.Body)
	}
	p.send(protocol.AppendPacket(nil, protocol.HandshakeAck, nil))
}

// send writes raw bytes: as they are over TCP, as one binary message over WebSocket.
func (p *peer) send(b []byte) {
	p.t.Helper()
	if err := p.trySend(b); err != nil {
		p.t.Fatalf("send: %v", err)
	}
}

func (p *peer) trySend(b []byte) error {
	_ = p.conn.SetWriteDeadline(time.Now().Add(patience))
	if p.ws {
		return wsutil.WriteClientBinary(p.conn, b)
	}
	_, err := p.conn.Write(b)
	return err
}

func (p *peer) request(route, body string) uint64 {
	p.t.Helper()
	p.next++
	p.send(data(p.t, protocol.Message{Type: protocol.Request, ID: p.next, Route: route, Body: []byte(body)}))
	return p.next
}

func (p *peer) notify(route, body string) {
	p.t.Helper()
	p.send(data(p.t, protocol.Message{Type: protocol.Notify, Route: route, Body: []byte(body)}))
}

// data is a whole data package.
func data(t *testing.T, m protocol.Message) []byte {
	t.Helper()
	b, mark := protocol.BeginPacket(nil, protocol.Data)
	b, err := protocol.AppendMessage(b, m)
	if err != nil {
		t.Fatalf("message: %v", err)
	}
	return protocol.EndPacket(b, mark)
}

// read returns the next package, heartbeats left out, or why there is none.
func (p *peer) read() (protocol.Packet, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		pkt, rest, err := protocol.CutPacket(p.in, 1<<24-1)
		if err == nil {
			p.in = rest
			if pkt.Type == protocol.Heartbeat {
				continue
			}
			return pkt, nil
		}
		if !errors.Is(err, protocol.ErrShort) {
			return pkt, err
		}
		if err := p.fill(); err != nil {
			return pkt, err
		}
	}
}

func (p *peer) fill() error {
	if p.ws {
		b, err := wsutil.ReadServerBinary(p.conn)
		p.in = append(bytes.Clone(p.in), b...)
		return err
	}
	buf := make([]byte, 64<<10)
	n, err := p.conn.Read(buf)
	p.in = append(bytes.Clone(p.in), buf[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

func (p *peer) recv(what string) protocol.Packet {
	p.t.Helper()
	pkt, err := p.read()
	if err != nil {
		p.t.Fatalf("waiting for %s: %v", what, err)
	}
	return pkt
}

// message returns the next message of any kind.
func (p *peer) message(what string) protocol.Message {
	p.t.Helper()
	pkt := p.recv(what)
	if pkt.Type != protocol.Data {
		p.t.Fatalf("waiting for %s: got package %v %q", what, pkt.Type, pkt.Body)
	}
	m, err := protocol.ParseMessage(pkt.Body, nil)
	if err != nil {
		p.t.Fatalf("waiting for %s: %v in %x", what, err, pkt.Body)
	}
	return m
}

// want fails unless the next message is the one described.
func (p *peer) want(what string, typ protocol.MessageType, route, body string) {
	p.t.Helper()
	m := p.message(what)
	if m.Type != typ || m.Route != route || string(m.Body) != body {
		p.t.Fatalf("%s: got %v %q %s, want %v %q %s", what, m.Type, m.Route, m.Body, typ, route, body)
	}
}

// wantAnswer fails unless the next response belongs to request id; pushes before
// it are passed over.
func (p *peer) wantAnswer(what string, id uint64) protocol.Message {
	p.t.Helper()
	for {
		m := p.message(what)
		if m.Type != protocol.Response {
			continue
		}
		if m.ID != id {
			p.t.Fatalf("%s: answer to request %d, want %d", what, m.ID, id)
		}
		return m
	}
}

// wantCode fails unless request id is answered by an error with this code.
func (p *peer) wantCode(what string, id uint64, code protocol.Code) {
	p.t.Helper()
	m := p.wantAnswer(what, id)
	var e struct{ Code protocol.Code }
	if err := json.Unmarshal(m.Body, &e); err != nil || !m.Error || e.Code != code {
		p.t.Fatalf("%s: got error=%v %s, want code %d", what, m.Error, m.Body, code)
	}
}

// wantClosed fails unless the server ends the connection; with a kick before it
// when reason is not none.
func (p *peer) wantClosed(what string, reason protocol.Reason) {
	p.t.Helper()
	for {
		pkt, err := p.read()
		if err != nil {
			if errors.Is(err, io.EOF) || strings.Contains(err.Error(), "reset") || errors.As(err, new(wsutil.ClosedError)) {
				return
			}
			p.t.Fatalf("%s: want the connection closed, got %v", what, err)
		}
		if pkt.Type == protocol.Kick && reason != protocol.ReasonNone {
			if r, _, err := protocol.ParseKick(pkt.Body); err != nil || r != reason {
				p.t.Fatalf("%s: kicked with %s, want %v", what, pkt.Body, reason)
			}
		}
	}
}

// wantEcho proves that a connection works.
func (p *peer) wantEcho(what string) {
	p.t.Helper()
	body := fmt.Sprintf(`{"n":%d}`, p.next)
	id := p.request("room.echo", body)
	if m := p.wantAnswer(what, id); string(m.Body) != body {
		p.t.Fatalf("%s: echo answered %s, want %s", what, m.Body, body)
	}
}
