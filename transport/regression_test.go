package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// probe is a receiver that tells a test what it hears.
type probe struct {
	packets chan protocol.Packet
	closed  chan protocol.Reason
	unread  int // packets, when nobody listens to the channel
}

func newProbe() *probe {
	return &probe{packets: make(chan protocol.Packet, 1), closed: make(chan protocol.Reason, 64)}
}

func (p *probe) Packet(pk protocol.Packet, c *protocol.Chunk) {
	p.unread++
	select {
	case p.packets <- protocol.Packet{Type: pk.Type, Body: bytes.Clone(pk.Body)}:
	default:
	}
	if c != nil {
		c.Release()
	}
}
func (p *probe) Batch()                                {}
func (p *probe) Tick(time.Time)                        {}
func (p *probe) Reply(any)                             {}
func (p *probe) Closed(r protocol.Reason, cause error) { p.closed <- r }
func (p *probe) Connected(time.Time)                   {}
func (p *probe) Opened(time.Time)                      {}

// serve starts a server on a free port; conns gets what it opens.
func serve(t *testing.T, cfg Config) (s *Server, addr string, conns chan *Conn) {
	t.Helper()
	conns = make(chan *Conn, 64)
	if open := cfg.Open; open == nil {
		cfg.Open = func(c *Conn) Receiver { conns <- c; return newProbe() }
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_ = s.Shutdown(ctx) // connections that tests forgot are cut off
	})
	a, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return s, a.String(), conns
}

// R1. A dial through net that is closed before it is connected.
func TestCloseWhileDialling(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cl, err := NewClient(ClientConfig{Portable: true, Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := newProbe()
	c, err := cl.Dial("tcp://"+l.Addr().String(), DialOptions{}, r)
	if err != nil {
		t.Fatal(err)
	}
	c.Close(protocol.ReasonKicked)
	if got := <-r.closed; got != protocol.ReasonKicked {
		t.Errorf("closed with %v, want kicked", got)
	}
	must(t, cl.Shutdown(context.Background()))
}

// R4. "1007 … data within a message that was not consistent with the type of the message"
func TestCloseCodeOfBadText(t *testing.T) {
	_, addr, _ := serve(t, Config{Loops: 1, TextPaths: []string{"/text"}})
	for code, wire := range map[ws.StatusCode][]byte{1007: frame(ws.OpText, true, "ab\xff"), 1003: frame(ws.OpBinary, true, "x")} {
		conn, _, _, err := ws.Dial(context.Background(), "ws://"+addr+"/text")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(wire)
		h, err := ws.ReadHeader(conn)
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, h.Length)
		_, _ = io.ReadFull(conn, body)
		if got, _ := ws.ParseCloseFrameData(body); got != code {
			t.Errorf("close code %d, want %d", got, code)
		}
		conn.Close()
	}
}

// R3. One frame for members on several loops, under -race.
func TestMulticastOverLoops(t *testing.T) {
	s, addr, conns := serve(t, Config{Loops: 2})
	var members []*Conn
	for range 8 {
		c, _, _, err := ws.Dial(context.Background(), "ws://"+addr+"/")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		members = append(members, <-conns)
	}
	a := s.NewAudience()
	for _, c := range members {
		a.Join(c)
	}
	for range 200 {
		f := protocol.Frame{Packages: protocol.AppendPacket(protocol.AppendHeadroom(nil), protocol.Data, []byte("hello"))}
		done := make(chan int, 1)
		a.Multicast(append([]*Conn(nil), members...), f, func(sent, dropped int) { done <- sent })
		if got := <-done; got != len(members) {
			t.Fatalf("sent to %d, want %d", got, len(members))
		}
	}
}

// R5. "a negative number switches a limit off"
func TestLimitsOff(t *testing.T) {
	r := newProbe()
	_, addr, _ := serve(t, Config{Loops: 1, MaxHead: -1, MaxBody: -1, Open: func(*Conn) Receiver { return r }})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write(protocol.AppendPacket(nil, protocol.Handshake, []byte("{}")))
	select {
	case p := <-r.packets:
		if string(p.Body) != "{}" {
			t.Errorf("got body %q", p.Body)
		}
	case reason := <-r.closed:
		t.Errorf("closed with %v, want no limit on bodies", reason)
	}
	w, _, _, err := ws.Dial(context.Background(), "ws://"+addr+"/")
	if err != nil {
		t.Errorf("upgrade without a limit on heads: %v", err)
	} else {
		w.Close()
	}
}

// R6. A budget holds although the peer resets a paused connection.
func TestResetWhilePaused(t *testing.T) {
	r := newProbe()
	_, addr, _ := serve(t, Config{Loops: 1, InMessages: 100, InBytes: 100 << 10, Open: func(*Conn) Receiver { return r }})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	must(t, c.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
	flood := bytes.Repeat(protocol.AppendPacket(nil, protocol.Data, []byte("x")), 20_000)
	for err == nil {
		_, err = c.Write(flood)
	}
	must(t, c.(*net.TCPConn).SetLinger(0))
	c.Close()
	<-r.closed
	if oneRead := readSize / 5; r.unread > 100+2*oneRead {
		t.Errorf("%d packages handed over, want the budget of 100 and one read of %d", r.unread, oneRead)
	}
}

// R7. Plain HTTP counts as long as it is open.
func TestHTTPCountsAgainstLimits(t *testing.T) {
	_, addr, _ := serve(t, Config{Loops: 1, MaxConnsPerAddr: 2})
	served := 0
	for range 6 {
		c, err := net.Dial("tcp", addr)
		if errors.Is(err, syscall.ECONNRESET) { // refused before the dial had returned
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
		if n, _ := c.Read(make([]byte, 10)); n > 0 {
			served++
		}
	}
	if served != 2 {
		t.Errorf("%d connections are kept open, want 2", served)
	}
}

// R9. "Text members for which f has no text are in neither count."
func TestCountsWithoutText(t *testing.T) {
	s, addr, conns := serve(t, Config{Loops: 1, TextPaths: []string{"/text"}})
	c, _, _, err := ws.Dial(context.Background(), "ws://"+addr+"/text")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a := s.NewAudience()
	a.Join(<-conns)
	done := make(chan [2]int, 1)
	f := protocol.Frame{Packages: protocol.AppendPacket(protocol.AppendHeadroom(nil), protocol.Data, []byte("x"))}
	a.Broadcast(f, nil, func(sent, dropped int) { done <- [2]int{sent, dropped} })
	if got := <-done; got != [2]int{} {
		t.Errorf("sent and dropped are %v, want neither", got)
	}
}
