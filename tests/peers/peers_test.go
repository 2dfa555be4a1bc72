// Package peers tests that the servers of the comparison hold the same
// conversation, so that their numbers may stand in one table.
package peers

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/shaddock-game/shaddock/tests/peers/child"
)

const patience = 10 * time.Second

// servers are the programs under test and how each is started.
var servers = []struct {
	name, dir, pkg string
	args           []string
}{
	{"nano", ".", "./nano", []string{"--listen", "127.0.0.1:0"}},
	{"bare", ".", "./bare", []string{"--listen", "127.0.0.1:0"}},
}

var binaries string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "peers")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binaries = dir
		return m.Run()
	}())
}

// TestConversation plays the chat of the benchmark with three clients in two rooms.
func TestConversation(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			bin := filepath.Join(binaries, s.name)
			if err := child.Build(s.dir, s.pkg, bin); err != nil {
				t.Fatal(err)
			}
			p, found, err := child.Start(bin, s.args, `(ws://\S+)`)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Stop)
			conversation(t, found[0])
		})
	}
}

func conversation(t *testing.T, url string) {
	a, b, c := dial(t, url), dial(t, url), dial(t, url)

	a.request(1, "room.join", `{"room":"blue"}`)
	a.wantPush("the joiner hears who is there", "onMembers", "")
	a.wantResponse("then it is in", 1, `{"code":0,"result":"success"}`)

	b.request(1, "room.join", `{"room":"blue"}`)
	a.wantPush("members hear of a new one", "onNewUser", "New user: ")
	b.wantPush("the second joiner hears who is there", "onMembers", `{"members":[`)
	b.wantResponse("then it is in", 1, `{"code":0,"result":"success"}`)

	a.notify("room.message", `{"name":"a","content":"hi"}`)
	for _, m := range []*client{a, b} {
		m.wantPush("a message reaches everyone, the sender included", "onMessage", `{"name":"a","content":"hi"}`)
	}

	body := `{"text":"` + string(bytes.Repeat([]byte("x"), 300)) + `"}`
	c.request(1, "room.join", `{"room":"red"}`)
	c.wantPush("another room", "onMembers", "")
	c.wantResponse("is joined", 1, `{"code":0,"result":"success"}`)
	c.request(300, "room.echo", body)
	c.wantResponse("an echo answers with the body, and nothing came from the other room", 300, body)

	b.conn.Close()
	a.request(2, "room.echo", `{}`)
	a.wantResponse("the others stay", 2, `{}`)
	a.notify("room.message", `{"name":"a","content":"still here"}`)
	a.wantPush("and talk on", "onMessage", `{"name":"a","content":"still here"}`)
}

// client is a pomelo client over WebSocket that shares no code with the servers.
type client struct {
	t    *testing.T
	conn net.Conn
	left []byte // packages of the last WebSocket message not looked at yet
}

func dial(t *testing.T, url string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, _, err := ws.Dial(ctx, url)
	if err != nil {
		t.Fatalf("dial %s: %v", url, err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	c := &client{t: t, conn: conn}
	c.send(1, []byte(`{"sys":{"type":"js-websocket","version":"0.0.1"},"user":{}}`))
	if typ, body := c.recv(); typ != 1 || !bytes.Contains(body, []byte(`"code":200`)) {
		t.Fatalf("handshake was answered with type %d, %s", typ, body)
	}
	c.send(2, nil)
	return c
}

func (c *client) request(id uint64, route, body string) {
	c.t.Helper()
	msg := binary.AppendUvarint([]byte{0}, id)
	c.send(4, append(append(append(msg, byte(len(route))), route...), body...))
}

func (c *client) notify(route, body string) {
	c.t.Helper()
	c.send(4, append(append([]byte{1 << 1, byte(len(route))}, route...), body...))
}

func (c *client) send(typ byte, body []byte) {
	c.t.Helper()
	head := []byte{typ, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	if err := wsutil.WriteClientBinary(c.conn, append(head, body...)); err != nil {
		c.t.Fatalf("send package of type %d: %v", typ, err)
	}
}

// recv returns the next package that is no heartbeat.
func (c *client) recv() (typ byte, body []byte) {
	c.t.Helper()
	for {
		for len(c.left) == 0 {
			b, err := wsutil.ReadServerBinary(c.conn)
			if err != nil {
				c.t.Fatalf("receive: %v", err)
			}
			c.left = b
		}
		end := 4 + int(c.left[1])<<16 + int(c.left[2])<<8 + int(c.left[3])
		typ, body, c.left = c.left[0], c.left[4:end], c.left[end:]
		if typ != 3 {
			return typ, body
		}
	}
}

func (c *client) wantPush(what, route, part string) {
	c.t.Helper()
	typ, got := c.recv()
	head := append([]byte{3 << 1, byte(len(route))}, route...)
	if typ != 4 || !bytes.HasPrefix(got, head) || !bytes.Contains(got[len(head):], []byte(part)) {
		c.t.Fatalf("%s: got type %d, %q, want push %s with %s", what, typ, got, route, part)
	}
}

func (c *client) wantResponse(what string, id uint64, body string) {
	c.t.Helper()
	typ, got := c.recv()
	want := append(binary.AppendUvarint([]byte{2 << 1}, id), body...)
	if typ != 4 || !bytes.Equal(got, want) {
		c.t.Fatalf("%s: got type %d, %q, want response %q", what, typ, got, want)
	}
}
