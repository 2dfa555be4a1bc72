package transport

import (
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// "100,000 messages into one room under load, every receiver sees its room's
// order, 0 inversions, 0 gaps; with overload … accepted = delivered + counted
// drops, exactly."
func TestOrderOfAHundredThousand(t *testing.T) {
	for name, limit := range map[string]int{"unbounded": -1, "overload": 40_000} {
		t.Run(name, func(t *testing.T) { orderOf(t, 100_000, limit) })
	}
}

// hearer is the other end of one session.
type hearer struct {
	last                    int64
	heard, gaps, inversions int64
}

func (h *hearer) hear(t *testing.T, b []byte) {
	for len(b) > 0 {
		p, rest, err := protocol.CutPacket(b, protocol.MaxPacketBody)
		if err != nil {
			t.Errorf("cut: %v", err)
			return
		}
		n := int64(binary.BigEndian.Uint64(p.Body))
		switch {
		case n <= h.last:
			h.inversions++
		case n > h.last+1:
			h.gaps++
		}
		h.last = n
		h.heard++
		b = rest
	}
}

func orderOf(t *testing.T, messages, walkLimit int) {
	const members = 40
	conns := make(chan *Conn, members)
	s, _, _ := serve(t, Config{Loops: 2, WalkLimit: walkLimit, Open: func(c *Conn) Receiver { conns <- c; return newProbe() }})
	a := s.NewAudience()
	a.SetMerge(Merge{Every: time.Millisecond})
	hearers := make([]*hearer, members)
	for i := range hearers {
		h := &hearer{}
		hearers[i] = h
		s.ServeLocal(func(b []byte) { h.hear(t, b) }).Write(protocol.AppendPacket(nil, protocol.Heartbeat, nil))
		a.Join(<-conns)
	}
	joined := make(chan struct{})
	a.Broadcast(numbered(1), nil, func(sent, _ int) {
		if sent != members {
			t.Errorf("%d members, want %d", sent, members)
		}
		close(joined)
	})
	<-joined
	var sent, dropped, open atomic.Int64
	open.Store(int64(messages))
	done := make(chan struct{})
	for i := range messages - 1 {
		a.Broadcast(numbered(i+2), nil, func(s, d int) {
			sent.Add(int64(s))
			dropped.Add(int64(d))
			if open.Add(-1) == 0 {
				close(done)
			}
		})
	}
	if open.Add(-1) > 0 {
		<-done
	}
	must(t, s.Shutdown(t.Context())) // from here on nobody writes
	st := s.Stats()
	var heard, gaps int64
	for i, h := range hearers {
		if h.inversions > 0 {
			t.Errorf("member %d: %d inversions", i, h.inversions)
		}
		heard, gaps = heard+h.heard, gaps+h.gaps
	}
	accepted := int64(messages * members)
	counted := int64(st.DroppedFull + st.DroppedSlow + st.DroppedClosed + st.DroppedReplaced)
	if heard+counted != accepted || members+sent.Load() != heard || dropped.Load() != counted {
		t.Errorf("%d accepted, %d heard, %d counted as dropped; reported %d sent and %d dropped",
			accepted, heard, counted, sent.Load(), dropped.Load())
	}
	if walkLimit < 0 && (gaps != 0 || heard != accepted) {
		t.Errorf("%d gaps, %d of %d heard", gaps, heard, accepted)
	}
	if walkLimit > 0 && counted == 0 {
		t.Error("there was no overload")
	}
	if st.Walks == 0 || st.Broadcasts/st.Walks < 10 {
		t.Errorf("%d broadcasts in %d walks: hardly merged", st.Broadcasts, st.Walks)
	}
}

func numbered(n int) protocol.Frame {
	return protocol.Frame{Packages: protocol.AppendPacket(protocol.AppendHeadroom(nil), protocol.Data, binary.BigEndian.AppendUint64(nil, uint64(n)))}
}
