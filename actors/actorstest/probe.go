package actorstest

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Probe is a client in memory. Its methods fail the test; the first argument of
// those that expect something is the failure message. Use it from the test's
// goroutine.
type Probe struct {
	*Wire
	Session *actors.Session

	t    testing.TB
	next uint64
}

// Open connects a probe to an application, without a word said.
func Open(t testing.TB, a *actors.App) *Probe {
	t.Helper()
	w := NewWire()
	s := a.Open(w)
	if s == nil {
		t.Fatal("the application opens no session")
	}
	w.open(s)
	t.Cleanup(w.Drop)
	return &Probe{Wire: w, Session: s, t: t}
}

// Connect opens a probe and shakes hands.
func Connect(t testing.TB, a *actors.App) *Probe {
	t.Helper()
	p := Open(t, a)
	p.Packet(protocol.Handshake, `{"sys":{"type":"probe"}}`)
	if got := p.Recv("the answer to the handshake"); got.Type != protocol.Handshake || !bytes.Contains(got.Body, []byte(`"code":200`)) {
		t.Fatalf("handshake was answered with %v %s", got.Type, got.Body)
	}
	p.Packet(protocol.HandshakeAck, "")
	return p
}

// Packet sends one package.
func (p *Probe) Packet(typ protocol.PacketType, body string) {
	c := protocol.NewChunk()
	n := copy(c.Bytes(), body)
	p.session.Packet(protocol.Packet{Type: typ, Body: c.Bytes()[:n]}, c)
	p.session.Batch()
}

// Request sends a request and returns its id.
func (p *Probe) Request(route, body string) uint64 {
	p.next++
	p.message(protocol.Message{Type: protocol.Request, ID: p.next, Route: route, Body: []byte(body)})
	return p.next
}

// Notify sends a notify.
func (p *Probe) Notify(route, body string) {
	p.message(protocol.Message{Type: protocol.Notify, Route: route, Body: []byte(body)})
}

func (p *Probe) message(m protocol.Message) {
	b, err := protocol.AppendMessage(nil, m)
	if err != nil {
		p.t.Fatalf("message: %v", err)
	}
	p.Packet(protocol.Data, string(b))
}

// patience bounds the wait for something that must happen.
const patience = 10 * time.Second

// Recv returns the next package; heartbeats are passed over.
func (p *Probe) Recv(what string) protocol.Packet {
	p.t.Helper()
	pkt, ok := p.tryRecv(patience, false)
	if !ok {
		p.t.Fatalf("waiting for %s: nothing came (closed: %v)", what, p.Reason())
	}
	return pkt
}

func (p *Probe) tryRecv(d time.Duration, beats bool) (protocol.Packet, bool) {
	deadline := time.NewTimer(d)
	defer deadline.Stop()
	for {
		pkt, ok, closed := p.cut()
		if ok && pkt.Type == protocol.Heartbeat && !beats {
			continue
		}
		if ok || closed {
			return pkt, ok
		}
		select {
		case <-p.arrived:
		case <-deadline.C:
			return pkt, false
		}
	}
}

func (p *Probe) cut() (pkt protocol.Packet, ok, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pkt, rest, err := protocol.CutPacket(p.out, protocol.MaxPacketBody)
	if err != nil {
		return pkt, false, p.closed
	}
	p.out = bytes.Clone(rest)
	return pkt, true, false
}

// Want fails unless the next package is the one described.
func (p *Probe) Want(what string, typ protocol.PacketType, body string) {
	p.t.Helper()
	pkt, ok := p.tryRecv(patience, typ == protocol.Heartbeat)
	if !ok || pkt.Type != typ || string(pkt.Body) != body {
		p.t.Fatalf("%s: got %v %q (%v), want %v %q", what, pkt.Type, pkt.Body, ok, typ, body)
	}
}

// Message returns the next message.
func (p *Probe) Message(what string) protocol.Message {
	p.t.Helper()
	pkt := p.Recv(what)
	if pkt.Type != protocol.Data {
		p.t.Fatalf("waiting for %s: got %v %s", what, pkt.Type, pkt.Body)
	}
	m, err := protocol.ParseMessage(pkt.Body, nil)
	if err != nil {
		p.t.Fatalf("waiting for %s: %v", what, err)
	}
	return m
}

// Next returns the next message that is there already.
func (p *Probe) Next() (m protocol.Message, ok bool) {
	p.t.Helper()
	for {
		pkt, ok, _ := p.cut()
		if !ok {
			return m, false
		}
		if pkt.Type != protocol.Data {
			continue
		}
		m, err := protocol.ParseMessage(pkt.Body, nil)
		if err != nil {
			p.t.Fatalf("a message that cannot be read: %v", err)
		}
		return m, true
	}
}

// WantPush fails unless the next message is this push.
func (p *Probe) WantPush(what, route, body string) {
	p.t.Helper()
	if m := p.Message(what); m.Type != protocol.Push || m.Route != route || string(m.Body) != body {
		p.t.Fatalf("%s: got %v %s %s, want push %s %s", what, m.Type, m.Route, m.Body, route, body)
	}
}

// WantReply fails unless the next message answers request id with this body.
func (p *Probe) WantReply(what string, id uint64, body string) {
	p.t.Helper()
	if m := p.Message(what); m.Type != protocol.Response || m.ID != id || m.Error || string(m.Body) != body {
		p.t.Fatalf("%s: got %v %d error=%v %s %s, want the answer %d %s", what, m.Type, m.ID, m.Error, m.Route, m.Body, id, body)
	}
}

// WantCode fails unless the next message answers request id with this error.
func (p *Probe) WantCode(what string, id uint64, code protocol.Code) {
	p.t.Helper()
	var e struct{ Code protocol.Code }
	m := p.Message(what)
	if json.Unmarshal(m.Body, &e) != nil || m.Type != protocol.Response || m.ID != id || !m.Error || e.Code != code {
		p.t.Fatalf("%s: got %v %d error=%v %s, want the answer %d with code %d", what, m.Type, m.ID, m.Error, m.Body, id, code)
	}
}

// WantIdle fails when anything but heartbeats waits to be read.
func (p *Probe) WantIdle(what string) {
	p.t.Helper()
	if pkt, ok := p.tryRecv(50*time.Millisecond, false); ok {
		p.t.Fatalf("%s: got %v %s", what, pkt.Type, pkt.Body)
	}
}

// WantClosed fails unless the session ends with this reason.
func (p *Probe) WantClosed(what string, why protocol.Reason) {
	p.t.Helper()
	for {
		if _, ok := p.tryRecv(patience, true); !ok {
			break
		}
	}
	if got := p.Reason(); got != why {
		p.t.Fatalf("%s: closed with %v, want %v", what, got, why)
	}
}

// Reason is why the connection was closed, ReasonNone while it is open.
func (p *Probe) Reason() protocol.Reason {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		return protocol.ReasonNone
	}
	return p.why
}
