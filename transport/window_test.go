package transport

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// listener is a client on a pipe, over raw TCP, with the moments at which it
// heard things.
type listener struct {
	conn *Conn
	pipe *PipeConn

	mu    sync.Mutex
	heard []string
	at    []time.Duration
}

// listeners are n clients of a server inside the bubble.
func listeners(t *testing.T, cfg Config, n int) (s *Server, ls []*listener) {
	t.Helper()
	conns := make(chan *Conn, n)
	cfg.Portable, cfg.Open = true, func(c *Conn) Receiver { conns <- c; return newProbe() }
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for range n {
		client, server := Pipe()
		s.ServeConn(server)
		_, _ = client.Write(protocol.AppendPacket(nil, protocol.Heartbeat, nil))
		l := &listener{conn: <-conns, pipe: client}
		go l.listen(start)
		ls = append(ls, l)
	}
	t.Cleanup(func() {
		for _, l := range ls {
			_ = l.pipe.Close() // always nil
		}
		must(t, s.Shutdown(context.Background()))
	})
	return s, ls
}

func (l *listener) listen(start time.Time) {
	var b []byte
	buf := make([]byte, 4096)
	for {
		n, err := l.pipe.Read(buf)
		if err != nil {
			return
		}
		b = append(b, buf[:n]...)
		l.mu.Lock()
		for {
			p, rest, err := protocol.CutPacket(b, protocol.MaxPacketBody)
			if err != nil {
				break
			}
			l.heard, l.at = append(l.heard, string(p.Body)), append(l.at, time.Since(start).Truncate(time.Millisecond))
			b = rest
		}
		l.mu.Unlock()
	}
}

// "first message after silence at once, whole packages concatenated", with the
// clock, the loops and their parking as they are in a server.
func TestWindowKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ls := listeners(t, Config{Loops: 2}, 6)
		a := s.NewAudience()
		a.SetMerge(Merge{Every: 50 * time.Millisecond})
		for _, l := range ls {
			a.Join(l.conn)
		}
		var want []string
		var moments []time.Duration
		say := func(at time.Duration) {
			a.Broadcast(saying(fmt.Sprint(len(want))), nil, nil)
			want, moments = append(want, fmt.Sprint(len(want))), append(moments, at)
			synctest.Wait()
		}
		start := time.Now()
		until := func(ms int) { time.Sleep(time.Until(start.Add(time.Duration(ms) * time.Millisecond))) }
		const ms = time.Millisecond
		say(0)
		until(10)
		say(50 * ms)
		until(49)
		say(50 * ms)
		until(60)
		say(100 * ms)
		until(500)
		say(500 * ms)
		until(1000)
		synctest.Wait()
		for i, l := range ls {
			if !slices.Equal(l.heard, want) || !slices.Equal(l.at, moments) {
				t.Errorf("listener %d heard %q at %v, want %q at %v", i, l.heard, l.at, want, moments)
			}
		}
	})
}

// A million of these fit into a process: no goroutine, and everything in order.
func TestLocal(t *testing.T) {
	conns := make(chan *Conn, 1)
	r := newProbe()
	s, _, _ := serve(t, Config{Loops: 1, Open: func(c *Conn) Receiver { conns <- c; return r }})
	heard := make(chan string, 10)
	l := s.ServeLocal(func(b []byte) {
		for len(b) > 0 {
			p, rest, err := protocol.CutPacket(b, protocol.MaxPacketBody)
			if err != nil {
				t.Errorf("cut %q: %v", b, err)
				return
			}
			heard <- string(p.Body)
			b = rest
		}
	})
	hello := protocol.AppendPacket(nil, protocol.Data, []byte("hello"))
	l.Write(hello[:2])
	l.Write(hello[2:])
	if p := <-r.packets; string(p.Body) != "hello" {
		t.Errorf("the server heard %q", p.Body)
	}
	a := s.NewAudience()
	c := <-conns
	a.Join(c)
	for i := range 5 {
		a.Broadcast(saying(fmt.Sprint(i)), nil, nil)
	}
	var got []string
	for range 5 {
		got = append(got, <-heard)
	}
	if !slices.Equal(got, count(5)) {
		t.Errorf("heard %q", got)
	}
	l.Close()
	if why := <-r.closed; why != protocol.ReasonClientGone {
		t.Errorf("closed with %v", why)
	}
	l.Write(hello) // into the void
	a.Broadcast(saying("late"), nil, nil)
}

// A member who does not read loses the oldest, and is told the newest, when the
// room is lossy; else it is closed. Nothing is lost uncounted.
func TestSlowMember(t *testing.T) {
	text := strings.Repeat("x", 1000)
	for _, lossy := range []bool{false, true} {
		h := newHand(t, settings{outLimit: 10_000})
		h.audience.SetMerge(Merge{Lossy: lossy})
		cs, mems := h.crowd(2, kindSocket)
		mems[0].full = true
		const n = 50
		for i := range n {
			h.say(fmt.Sprint(i, text), nil)
			h.at(i)
		}
		if len(mems[1].heard) != n {
			t.Errorf("lossy=%v: the other member heard %d of %d", lossy, len(mems[1].heard), n)
		}
		mems[0].full = false
		cs[0].writable()
		h.at(n)
		h.clockOut()
		st := h.engine.stats()
		lost := int(st.DroppedSlow + st.DroppedClosed)
		if heard := len(mems[0].heard) + len(mems[1].heard); heard+lost != int(st.MessagesOut) || lost == 0 {
			t.Errorf("lossy=%v: %d heard, %d counted as lost, of %d", lossy, heard, lost, st.MessagesOut)
		}
		cs[0].mu.Lock()
		closed := cs[0].ended
		cs[0].mu.Unlock()
		if closed == lossy {
			t.Errorf("lossy=%v: closed is %v", lossy, closed)
		}
		if heard := mems[0].heard; lossy && heard[len(heard)-1] != fmt.Sprint(n-1, text) {
			t.Error("the newest is what was lost")
		}
	}
}

// The newest value is enough: what waits in a window is replaced.
func TestLatestInAWindow(t *testing.T) {
	h := newHand(t, settings{})
	h.audience.SetMerge(Merge{Every: 10e6})
	_, mems := h.crowd(2, kindSocket)
	h.say("first", nil)
	sent, dropped := 0, 0
	h.at(0)
	for i := range 5 {
		f := saying(fmt.Sprint("position ", i))
		f.Replace = 7
		h.audience.Broadcast(f, nil, func(s, d int) { sent += s; dropped += d })
		h.say(fmt.Sprint(i), nil)
	}
	h.at(10)
	wantHeard(t, "a member", mems[0], "first", "0", "1", "2", "3", "position 4", "4")
	st := h.engine.stats()
	if sent != 2 || dropped != 8 || st.DroppedReplaced != 8 {
		t.Errorf("%d sent, %d dropped, %d counted as replaced: want 2, 8, 8", sent, dropped, st.DroppedReplaced)
	}
	if p := h.audience.pending(); p != 0 {
		t.Errorf("%d bytes are pending at rest", p)
	}
}
