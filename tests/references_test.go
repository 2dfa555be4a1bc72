package tests

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// Faults of other servers (FEATURES 6) that have no test of their own elsewhere.

// "writer goroutine deadlocking on its own queue under a burst of pushes" and
// "sends dropped beyond 16 queued messages with no word to anyone".
func TestBurstOfPushesFromOneHandler(t *testing.T) {
	const n = 2000
	addr, _ := serve(t, app.Config{Setup: func(a *actors.App, _ *rooms.Host) error {
		actors.HandleRaw(a, "test.burst", func(c *actors.Ctx, _ []byte) ([]byte, error) {
			for i := range n {
				c.Push("onBurst", i)
			}
			for i := range n {
				c.Session().Push("onBurst", n+i)
			}
			return nil, nil
		})
		return nil
	}})
	for _, path := range []string{"", "/nano"} {
		p := join(t, addr, path)
		id := p.request("test.burst", ``)
		for i := range n {
			p.want("pushed ahead of the answer", protocol.Push, "onBurst", fmt.Sprint(i))
		}
		if m := p.message("the answer"); m.Type != protocol.Response || m.ID != id {
			t.Fatalf("the answer: got %v %d", m.Type, m.ID)
		}
		for i := range n {
			p.want("pushed through the reference", protocol.Push, "onBurst", fmt.Sprint(n+i))
		}
		p.wantEcho("and on")
	}
}

// "raw handlers aliasing a reused read buffer": the body stays as it is until the
// handler returns, whatever is read meanwhile.
func TestBodyIsStableWhileItsHandlerWaits(t *testing.T) {
	release := make(chan struct{})
	addr, _ := serve(t, app.Config{RateLimit: -1, ByteRate: -1, Loops: 1, Setup: func(a *actors.App, _ *rooms.Host) error {
		actors.HandleRaw(a, "test.hold", func(_ *actors.Ctx, b []byte) ([]byte, error) {
			<-release
			return b, nil
		})
		return nil
	}})
	holder, other := join(t, addr, ""), join(t, addr, "")
	body := strings.Repeat("a", 1000)
	held := holder.request("test.hold", body)
	for range 100 { // behind it, and through the same buffers
		holder.request("room.echo", strings.Repeat("b", 1000))
		other.request("room.echo", strings.Repeat("c", 1000))
		other.message("an echo")
	}
	close(release)
	if m := holder.wantAnswer("the held one", held); string(m.Body) != body {
		t.Errorf("the body changed to %.20q…", m.Body)
	}
	for range 100 {
		if m := holder.message("echo"); string(m.Body) != strings.Repeat("b", 1000) {
			t.Fatalf("echo is %.20q…", m.Body)
		}
	}
}

// "broadcast error of one dead member failing a join".
func TestDeadMembersFailNobodysJoin(t *testing.T) {
	addr, admin := serve(t, app.Config{RateLimit: -1, ByteRate: -1})
	for range 100 {
		dead := join(t, addr, "")
		dead.wantAnswer("join", dead.request("room.join", `{}`))
		if err := dead.conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		p := join(t, addr, "/nano")
		dead.conn.Close() // with a reset
		if m := p.wantAnswer("join", p.request("room.join", `{}`)); m.Error || !bytes.Contains(m.Body, []byte(`"success"`)) {
			t.Fatalf("join among the dead: %s", m.Body)
		}
		p.notify("room.message", `{"name":"a","content":"b"}`)
		for m := p.message("my own message"); m.Route != "onMessage"; m = p.message("my own message") {
		}
		p.conn.Close()
	}
	wantMetric(t, admin, "shaddock_room_members", 0)
}

// "TCP framing broken after a partial write": a reader with a small window makes
// most writes partial.
func TestPartialWritesKeepTheFraming(t *testing.T) {
	const n, size = 100, 2000
	addr, _ := serve(t, app.Config{Setup: func(a *actors.App, _ *rooms.Host) error {
		actors.HandleRaw(a, "test.pages", func(c *actors.Ctx, _ []byte) ([]byte, error) {
			for i := range n {
				c.Session().Push("onPage", fmt.Sprintf("%0*d", size, i))
			}
			return nil, nil
		})
		return nil
	}})
	p := join(t, addr, "")
	if err := p.conn.(*net.TCPConn).SetReadBuffer(1 << 10); err != nil {
		t.Fatal(err)
	}
	p.wantAnswer("the answer", p.request("test.pages", ``))
	for i := range n {
		p.want("each page, whole and in order", protocol.Push, "onPage", fmt.Sprintf(`"%0*d"`, size, i))
	}
}
