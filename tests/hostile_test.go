package tests

import (
	"bytes"
	"encoding/hex"
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

// PROTOCOL, "Inputs that have killed other servers in the field": each is sent to
// a running server; the rule is that only its sender may feel it.
func TestKillerMessages(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	witness := join(t, addr, "/nano")
	witness.wantAnswer("the witness joins", witness.request("room.join", `{}`))

	valid := data(t, protocol.Message{Type: protocol.Request, ID: 300, Route: "room.echo", Body: []byte(`{"a":1}`)})[protocol.HeadLen:]
	inputs := []string{"0001", "0101", "010100", "0300", "060561", "00818283", "080000", "", "00", "ff", "00ffffffffffffffffffff01"}
	for n := range valid {
		inputs = append(inputs, hex.EncodeToString(valid[:n]))
	}
	for _, path := range []string{"", "/nano"} {
		for _, in := range inputs {
			b, err := hex.DecodeString(in)
			if err != nil {
				t.Fatal(err)
			}
			p := join(t, addr, path)
			p.send(protocol.AppendPacket(nil, protocol.Data, b))
			// It is answered, ignored or closed; nobody else notices.
			_ = p.trySend(protocol.AppendPacket(nil, protocol.Heartbeat, nil))
			p.conn.Close()
		}
	}
	witness.notify("room.message", `{"name":"w","content":"still here"}`)
	witness.want("the room lives on", protocol.Push, "onMessage", `{"name":"w","content":"still here"}`)
}

// Every message that can never be valid closes its connection with the protocol
// reason, and says so in a kick.
func TestMalformedMessageClosesItsSender(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	for _, in := range []string{"0001", "0300", "00818283", "080000"} {
		b, _ := hex.DecodeString(in)
		p := join(t, addr, "")
		p.send(protocol.AppendPacket(nil, protocol.Data, b))
		p.wantClosed("message "+in, protocol.ReasonProtocol)
	}
}

// "a package whose 1–3-byte body arrives in a later read than its header", and
// every other cut of a conversation into single bytes.
func TestPackagesSplitAtEveryByte(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	for _, path := range []string{"", "/nano"} {
		p := dial(t, addr, path)
		stream := protocol.AppendPacket(nil, protocol.Handshake, []byte(`{"sys":{}}`))
		stream = protocol.AppendPacket(stream, protocol.HandshakeAck, nil)
		stream = append(stream, data(t, protocol.Message{Type: protocol.Request, ID: 1, Route: "room.echo", Body: []byte("ab")})...)
		for i := range stream {
			p.send(stream[i : i+1])
		}
		if pkt := p.recv("the answer to the handshake"); pkt.Type != protocol.Handshake {
			t.Fatalf("got %v", pkt)
		}
		if m := p.wantAnswer("echo", 1); string(m.Body) != "ab" {
			t.Fatalf("echo answered %q", m.Body)
		}
	}
}

// PROTOCOL, "Order is enforced".
func TestHandshakeOrder(t *testing.T) {
	hello := protocol.AppendPacket(nil, protocol.Handshake, []byte(`{"sys":{}}`))
	ack := protocol.AppendPacket(nil, protocol.HandshakeAck, nil)
	msg := data(t, protocol.Message{Type: protocol.Request, ID: 1, Route: "room.echo", Body: []byte(`{}`)})
	addr, _ := serve(t, app.Config{})
	for name, stream := range map[string][]byte{
		"data first":                     msg,
		"ack first":                      ack,
		"ack first, then data":           append(bytes.Clone(ack), msg...),
		"data between handshake and ack": append(bytes.Clone(hello), msg...),
		"handshake twice":                append(bytes.Clone(hello), hello...),
		"ack twice":                      bytes.Join([][]byte{hello, ack, ack}, nil),
		"handshake after the ack":        bytes.Join([][]byte{hello, ack, hello}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			p := dial(t, addr, "/nano")
			p.send(stream)
			p.wantClosed(name, protocol.ReasonProtocol)
		})
	}
	t.Run("no JSON", func(t *testing.T) {
		p := dial(t, addr, "")
		p.send(protocol.AppendPacket(nil, protocol.Handshake, []byte("hello")))
		if pkt := p.recv("the refusal"); !bytes.Contains(pkt.Body, []byte(`"code":400`)) {
			t.Fatalf("got %s, want code 400", pkt.Body)
		}
		p.wantClosed("a handshake that is no JSON", protocol.ReasonNone)
	})
	t.Run("empty", func(t *testing.T) {
		p := dial(t, addr, "")
		p.handshake("") // as nano's benchmark client does
		p.wantEcho("an empty handshake is accepted")
	})
	t.Run("kick from a client", func(t *testing.T) {
		p := join(t, addr, "")
		p.send(protocol.AppendPacket(nil, protocol.Kick, []byte("{}")))
		p.wantEcho("is ignored")
	})
}

// "handshake repeated while pushes flow": the one who repeats it is closed, the
// room's other members miss nothing.
func TestHandshakeRepeatedWhilePushesFlow(t *testing.T) {
	addr, _ := serve(t, app.Config{RateLimit: -1, ByteRate: -1})
	ann, bob := join(t, addr, "/nano"), join(t, addr, "/nano")
	for _, p := range []*peer{ann, bob} {
		p.wantAnswer("join", p.request("room.join", `{}`))
	}
	const n = 500
	go func() {
		for i := range n {
			_ = ann.trySend(data(t, protocol.Message{Type: protocol.Notify, Route: "room.message", Body: fmt.Appendf(nil, `{"name":"a","content":"%d"}`, i)}))
		}
	}()
	bob.send(protocol.AppendPacket(nil, protocol.Handshake, []byte(`{"sys":{}}`)))
	bob.wantClosed("a repeated handshake", protocol.ReasonProtocol)
	for i := 0; i < n; {
		m := ann.message("pushes")
		if m.Route != "onMessage" {
			continue // bob came and went
		}
		if want := fmt.Sprintf(`{"name":"a","content":"%d"}`, i); string(m.Body) != want {
			t.Fatalf("push %d is %s", i, m.Body)
		}
		i++
	}
}

// "a WebSocket that never sends a frame, a TCP connection that never sends a
// byte, an HTTP request sent one byte a second": all are closed by the deadline.
func TestSilentConnectionsAreClosed(t *testing.T) {
	addr, _ := serve(t, app.Config{Handshake: 300 * time.Millisecond})
	t.Run("websocket", func(t *testing.T) {
		dial(t, addr, "/nano").wantClosed("no frame", protocol.ReasonHandshakeTimeout)
	})
	t.Run("tcp", func(t *testing.T) {
		dial(t, addr, "").wantClosed("no byte", protocol.ReasonNone)
	})
	t.Run("no ack", func(t *testing.T) {
		p := dial(t, addr, "")
		p.send(protocol.AppendPacket(nil, protocol.Handshake, nil))
		p.recv("the answer to the handshake")
		p.wantClosed("no ack", protocol.ReasonHandshakeTimeout)
	})
	t.Run("http byte by byte", func(t *testing.T) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		drip := time.NewTicker(50 * time.Millisecond)
		defer drip.Stop()
		head := []byte("GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 400))
		for i := range 400 {
			<-drip.C
			if _, err := c.Write(head[i : i+1]); err != nil {
				return // closed, as it must be
			}
		}
		t.Error("a head that never ends was not cut off")
	})
}

// "65,536- and 65,537-byte bodies": the limit is the last that is accepted.
func TestBodyLimit(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	for _, path := range []string{"", "/nano"} {
		p := join(t, addr, path)
		frame := len(data(t, protocol.Message{Type: protocol.Request, ID: 1, Route: "room.echo"})) - protocol.HeadLen
		id := p.request("room.echo", strings.Repeat("x", 65536-frame))
		if m := p.wantAnswer("the largest body", id); len(m.Body) != 65536-frame {
			t.Fatalf("echo answered %d bytes", len(m.Body))
		}
		p.request("room.echo", strings.Repeat("x", 65537-frame))
		p.wantClosed("one byte more", protocol.ReasonTooBig)
	}
	// The length alone is refused, before a byte of the body has come.
	p := join(t, addr, "")
	p.send([]byte{byte(protocol.Data), 0xff, 0xff, 0xff})
	p.wantClosed("a header that announces 16 MiB", protocol.ReasonTooBig)
}

// RFC 6455, 5.1: "The server MUST close the connection upon receiving a frame
// that is not masked"; 5.5 and 7.4.1 for the rest.
func TestWebSocketRules(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	heartbeat := protocol.AppendPacket(nil, protocol.Heartbeat, nil)
	for name, tc := range map[string]struct {
		frame ws.Frame
		code  ws.StatusCode
	}{
		"unmasked":           {ws.NewBinaryFrame(heartbeat), ws.StatusProtocolError},
		"text":               {ws.MaskFrame(ws.NewTextFrame(heartbeat)), ws.StatusUnsupportedData},
		"reserved bit":       {ws.MaskFrame(ws.Frame{Header: ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpBinary, Length: 4}, Payload: heartbeat}), ws.StatusProtocolError},
		"unknown opcode":     {ws.MaskFrame(ws.Frame{Header: ws.Header{Fin: true, OpCode: 3, Length: 4}, Payload: heartbeat}), ws.StatusProtocolError},
		"fragmented ping":    {ws.MaskFrame(ws.Frame{Header: ws.Header{OpCode: ws.OpPing}}), ws.StatusProtocolError},
		"stray continuation": {ws.MaskFrame(ws.Frame{Header: ws.Header{Fin: true, OpCode: ws.OpContinuation}}), ws.StatusProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			p := dial(t, addr, "/nano")
			if err := ws.WriteFrame(p.conn, tc.frame); err != nil {
				t.Fatal(err)
			}
			_ = p.conn.SetReadDeadline(time.Now().Add(patience))
			for {
				f, err := readFrame(p.conn)
				if err != nil {
					t.Fatalf("closed without a close frame: %v", err)
				}
				if f.Header.OpCode != ws.OpClose {
					continue
				}
				if code, _ := ws.ParseCloseFrameData(f.Payload); code != tc.code {
					t.Errorf("closed with %d, want %d", code, tc.code)
				}
				return
			}
		})
	}
	t.Run("ping is answered", func(t *testing.T) {
		p := join(t, addr, "/nano")
		if err := wsutil.WriteClientMessage(p.conn, ws.OpPing, []byte("x")); err != nil {
			t.Fatal(err)
		}
		_ = p.conn.SetReadDeadline(time.Now().Add(patience))
		for {
			f, err := readFrame(p.conn)
			if err != nil {
				t.Fatal(err)
			}
			if f.Header.OpCode == ws.OpPong && string(f.Payload) == "x" {
				return
			}
		}
	})
}

// readFrame reads one frame from a server that this test trusts.
func readFrame(r io.Reader) (ws.Frame, error) {
	h, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	payload := make([]byte, h.Length)
	_, err = io.ReadFull(r, payload)
	return ws.Frame{Header: h, Payload: payload}, err
}
