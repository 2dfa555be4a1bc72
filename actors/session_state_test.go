package actors

import (
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// FuzzSessionState drives the state with any sequence of packets and pauses: each
// pair of bytes is a packet type (or a tick) and a pause. It checks what must hold
// whatever a client does.
func FuzzSessionState(f *testing.F) {
	f.Add([]byte{1, 0, 2, 0, 4, 0, 3, 0, 9, 200})
	f.Add([]byte{2, 0})
	f.Add([]byte{9, 255, 9, 255})
	f.Add([]byte{1, 0, 2, 0, 9, 40, 9, 40, 9, 40, 9, 40})
	f.Fuzz(func(t *testing.T, steps []byte) {
		const interval = time.Second
		now := time.Second
		s := newSessionState(now, 10*time.Second, interval)
		answered, opened, closed := 0, false, false
		for i := 0; i+1 < len(steps); i += 2 {
			now += time.Duration(steps[i+1]) * 50 * time.Millisecond
			was := s.phase
			var a action
			if typ := protocol.PacketType(steps[i]); typ.Valid() {
				a = s.packet(now, typ)
			} else {
				a = s.tick(now, steps[i]%2 == 0)
			}
			if s.phase < was {
				t.Fatalf("step %d: phase went back from %d to %d", i, was, s.phase)
			}
			switch a {
			case actHandshake:
				answered++
			case actReady:
				opened = true
			case actData:
				if answered == 0 || was != phaseWorking {
					t.Fatalf("step %d: data before the conversation was open", i)
				}
			case actClose:
				if closed || s.why == protocol.ReasonNone {
					t.Fatalf("step %d: closed twice or without a reason", i)
				}
				closed = true
			}
			if closed && s.phase != phaseClosing {
				t.Fatalf("step %d: alive after the close", i)
			}
			if at, ok := s.next(); ok && s.phase == phaseWorking && at > now+interval && a != actNone {
				t.Fatalf("step %d: next deadline %v is more than an interval after %v", i, at, now)
			}
		}
		if answered > 1 || opened && answered == 0 {
			t.Fatalf("%d handshakes answered, opened %v", answered, opened)
		}
	})
}

// A session that is silent is always closed, and its deadline is always known.
func TestSilenceEndsInEveryPhase(t *testing.T) {
	for _, talk := range [][]protocol.PacketType{
		nil, {protocol.Handshake}, {protocol.Handshake, protocol.HandshakeAck},
	} {
		now := time.Second
		s := newSessionState(now, 10*time.Second, time.Second)
		for _, p := range talk {
			s.packet(now, p)
		}
		for range 20 {
			at, ok := s.next()
			if !ok {
				break
			}
			now = max(now, at)
			s.tick(now, false)
		}
		if s.phase != phaseClosing {
			t.Errorf("after %v and silence: phase %d", talk, s.phase)
		}
	}
}

// A client that is kept waiting, so that its socket is not read, is not silent.
func TestBusySessionIsNotIdle(t *testing.T) {
	s := newSessionState(0, 10*time.Second, time.Second)
	s.packet(0, protocol.Handshake)
	s.packet(0, protocol.HandshakeAck)
	for now := time.Second; now < time.Minute; now += time.Second {
		if s.tick(now, true) == actClose {
			t.Fatalf("closed at %v with %v", now, s.why)
		}
	}
}

func TestBucket(t *testing.T) {
	var b bucket
	now, passed := time.Second, 0
	for range 100 { // twice the rate for five seconds
		if ok, abused := b.take(now, 10, 1); ok {
			passed++
		} else if abused {
			t.Fatal("twice the rate for a few seconds is no abuse")
		}
		now += 50 * time.Millisecond
	}
	if passed < 55 || passed > 62 {
		t.Errorf("%d of 100 passed, want the burst of 10 and 10 a second for 5 s", passed)
	}
	for range 1000 {
		if _, abused := b.take(now, 10, 1); abused {
			return
		}
	}
	t.Error("a flood is abuse")
}

// Many senders, one reader: nothing is lost, nothing is seen twice, and what one
// sender pushed comes in its order.
func TestInboxOrder(t *testing.T) {
	const senders, each = 8, 2000
	type item struct{ sender, n int }
	var q inbox[item]
	done := make(chan struct{})
	var next [senders]int
	seen := 0
	read := func() {
		for {
			for n := q.take(); n != nil; n = n.next {
				if n.v.n != next[n.v.sender] {
					t.Errorf("sender %d: got %d, want %d", n.v.sender, n.v.n, next[n.v.sender])
				}
				next[n.v.sender]++
				if seen++; seen == senders*each {
					close(done)
				}
			}
			if q.rest() {
				return
			}
		}
	}
	for s := range senders {
		go func() {
			for i := range each {
				if q.push(&node[item]{v: item{s, i}}) {
					go read()
				}
			}
		}()
	}
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%d of %d arrived", seen, senders*each)
	}
}
