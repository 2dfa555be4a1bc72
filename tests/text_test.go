package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/protocol"
)

// page is what a browser page without an SDK does: JSON text over WebSocket.
type page struct {
	t    *testing.T
	conn net.Conn
}

func openPage(t *testing.T, addr, path string) *page {
	t.Helper()
	conn, rest, _, err := ws.Dial(context.Background(), "ws://"+addr+path)
	if err != nil {
		t.Fatalf("dial %s: %v", path, err)
	}
	if rest != nil {
		ws.PutReader(rest)
	}
	t.Cleanup(func() { conn.Close() })
	return &page{t, conn}
}

func (p *page) say(text string) {
	p.t.Helper()
	_ = p.conn.SetWriteDeadline(time.Now().Add(patience))
	if err := wsutil.WriteClientText(p.conn, []byte(text)); err != nil {
		p.t.Fatalf("say %s: %v", text, err)
	}
}

func (p *page) next(what string) string {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	b, op, err := wsutil.ReadServerData(p.conn)
	if err != nil || op != ws.OpText {
		p.t.Fatalf("waiting for %s: %v, opcode %v", what, err, op)
	}
	return string(b)
}

func (p *page) want(what, text string) {
	p.t.Helper()
	if got := p.next(what); got != text {
		p.t.Fatalf("%s: got %s, want %s", what, got, text)
	}
}

// wantIdle proves by a round trip that nothing waits.
func (p *page) wantIdle(what string) {
	p.t.Helper()
	p.say(`{"type":"PING"}`)
	p.want(what, `{"type":"PONG","data":{}}`)
}

// items collects the items of pushes until there are n.
func (p *page) items(n int) (all []json.RawMessage) {
	p.t.Helper()
	for len(all) < n {
		var m struct {
			Type string
			Data struct{ Items []json.RawMessage }
		}
		text := p.next(fmt.Sprintf("item %d", len(all)))
		if err := json.Unmarshal([]byte(text), &m); err != nil || m.Type != "PUSH" {
			p.t.Fatalf("after %d items: got %s", len(all), text)
		}
		all = append(all, m.Data.Items...)
	}
	return all
}

func (p *page) wantClosed(what string, code ws.StatusCode) {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		h, err := ws.ReadHeader(p.conn)
		payload := make([]byte, min(h.Length, 1<<16))
		if err == nil {
			_, err = io.ReadFull(p.conn, payload)
		}
		if err != nil {
			p.t.Fatalf("%s: ended without a close frame: %v", what, err)
		}
		if h.OpCode == ws.OpClose {
			if got, reason := ws.ParseCloseFrameData(payload); got != code || reason == "" {
				p.t.Fatalf("%s: closed with %d %q, want %d and a reason", what, got, reason, code)
			}
			return
		}
	}
}

// The conversation of a page written for the reference push system, unmodified.
func TestReferencePage(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	p := openPage(t, addr, "/connect")
	p.say(`{"type":"PING","data":{}}`)
	p.want("PING", `{"type":"PONG","data":{}}`)
	api{t, addr}.post("/push/all", form("items", `[{"msg":"all"}]`)).want("everyone, without a JOIN", 202, 1, 0)
	p.want("pushed to all", `{"type":"PUSH","data":{"items":[{"msg":"all"}]}}`)

	p.say(`{"type":"JOIN","data":{"room":"默认房间"}}`)
	p.wantIdle("a JOIN has no answer")
	api{t, addr}.post("/push/room", form("room", "默认房间", "items", `[{"msg":"hi"},{"msg":"ho"}]`)).want("room", 202, 2, 0)
	p.want("pushed to the room", `{"type":"PUSH","data":{"items":[{"msg":"hi"},{"msg":"ho"}]}}`)
	p.say(`{"type":"JOIN","data":{"room":"默认房间"}}`)
	p.wantIdle("a second JOIN is ignored")

	p.say(`{"type":"LEAVE","data":{"room":"默认房间"}}`)
	p.wantIdle("a LEAVE has no answer")
	api{t, addr}.post("/push/room", form("room", "默认房间", "items", `[1]`)).want("a room that was left", 202, 1, 0)
	p.wantIdle("nothing for who has left")
}

// "at most 5 rooms, configurable"; a message of a pomelo member reaches text members
// and the other way round.
func TestTextAndPomeloShareRooms(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	p, q := openPage(t, addr, "/connect"), join(t, addr, "/nano")
	for i := range 5 {
		p.say(fmt.Sprintf(`{"type":"JOIN","data":{"room":"r%d"}}`, i))
	}
	p.say(`{"type":"JOIN","data":{"room":"r5"}}`)
	p.want("the sixth", `{"type":"ERROR","data":{"code":403,"msg":"in 5 rooms of kind live already, which is as many as there may be"}}`)
	q.wantAnswer("join", q.request("live.join", `{"room":"r1"}`))
	q.notify("live.send", `{"name":"q","content":"from pomelo"}`)
	p.want("text hears pomelo", `{"type":"PUSH","data":{"items":[{"name":"q","content":"from pomelo"}]}}`)
	p.say(`{"type":"SEND","data":{"room":"r1","name":"p","content":"from text"}}`)
	p.want("its own words", `{"type":"PUSH","data":{"items":[{"name":"p","content":"from text"}]}}`)
	for _, want := range []string{`{"name":"q","content":"from pomelo"}`, `{"name":"p","content":"from text"}`} {
		m := q.message("pomelo hears both")
		for m.Route == "onCount" {
			m = q.message("pomelo hears both")
		}
		if m.Type != protocol.Push || m.Route != "onMessage" || string(m.Body) != want {
			t.Fatalf("got %v %s %s, want %s", m.Type, m.Route, m.Body, want)
		}
	}
}

// "Malformed JSON closes with a reason"; a binary message has no place there.
func TestTextEndpointRefuses(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	p := openPage(t, addr, "/connect")
	p.say(`{"type":`)
	p.want("the reason in words", `{"type":"KICK","data":{"code":2,"msg":"a message is a JSON object with a type"}}`)
	p.wantClosed("malformed JSON", ws.StatusProtocolError)
	p = openPage(t, addr, "/connect")
	if err := wsutil.WriteClientBinary(p.conn, []byte(`{"type":"PING"}`)); err != nil {
		t.Fatal(err)
	}
	p.wantClosed("binary", ws.StatusUnsupportedData)
}

func TestEchoEndpoint(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	p := openPage(t, addr, "/ws")
	for _, text := range []string{"hello", `{"type":"PING"}`, "默认房间"} {
		p.say(text)
		p.want("the same", text)
	}
}
