package tests

import (
	"bytes"
	"fmt"
	"net"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/protocol"
)

// "a client that stops reading while 10,000 pushes are sent to it (others
// unaffected, memory bounded, a typed close)", and "broadcast blocked by one
// stalled reader": a room of 1,000 is told 10,000 lines, once with everybody
// reading and once with one member who does not.
func TestStalledReader(t *testing.T) {
	addr, admin := serve(t, app.Config{RateLimit: -1, ByteRate: -1})
	normal := newCrowd(t, addr, "normal", 999).hear(10_000)
	crowd := newCrowd(t, addr, "stalled", 999)
	stalled := join(t, addr, "")
	if err := stalled.conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	stalled.wantAnswer("join", stalled.request("room.join", `{"room":"stalled"}`))
	before := heap()
	stop, peak := watchHeap()
	beside := crowd.hear(10_000)
	close(stop)
	grown := int64(<-peak) - int64(before)
	t.Logf("worst wait for a line: %v with everybody reading, %v beside a stalled member; heap at most %d KiB above the start", normal, beside, grown>>10)

	wantMetric(t, admin, `shaddock_closed_total{reason="slow"}`, 1)
	stalled.wantClosed("the stalled one is told why", protocol.ReasonSlow)
	// 256 KiB for the stalled one, 8 MiB a loop for the room; the rest is the test's.
	if grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	// No measure of speed: a walk that waited for the stalled one would wait until
	// its socket times out.
	if limit := 10*normal + 5*time.Second; beside > limit {
		t.Errorf("a line came %v late beside a stalled member, %v without", beside, normal)
	}
}

// crowd is the members of one room who read, and one who talks.
type crowd struct {
	t       *testing.T
	members []*peer
	talker  *peer
	lines   [][]byte
	sent    []time.Time // of each line
}

func newCrowd(t *testing.T, addr, room string, n int) *crowd {
	t.Helper()
	c := &crowd{t: t}
	for range n {
		p := join(t, addr, "")
		p.wantAnswer("join", p.request("room.join", fmt.Sprintf(`{"room":%q}`, room)))
		c.members = append(c.members, p)
	}
	c.talker = c.members[0]
	return c
}

// hear has the talker say n lines and returns the longest time that any of them
// took to any member. Every member must get all, in order.
func (c *crowd) hear(n int) (worst time.Duration) {
	c.t.Helper()
	c.lines, c.sent = make([][]byte, n), make([]time.Time, n)
	for i := range n {
		c.lines[i] = fmt.Appendf(nil, `{"name":"%0100d","content":"%d"}`, 0, i)
	}
	said := make([]chan struct{}, n/100) // happens before, for the detector
	for i := range said {
		said[i] = make(chan struct{})
	}
	var talk, listen sync.WaitGroup
	talk.Go(func() {
		for i := range n {
			c.sent[i] = time.Now()
			if i%100 == 99 {
				close(said[i/100])
			}
			if err := c.talker.trySend(data(c.t, protocol.Message{Type: protocol.Notify, Route: "room.message", Body: c.lines[i]})); err != nil {
				c.t.Errorf("talk: %v", err)
				return
			}
		}
	})
	waits, errs := make([]time.Duration, len(c.members)), make([]error, len(c.members))
	for i, p := range c.members {
		listen.Go(func() { waits[i], errs[i] = c.listen(p, said) })
	}
	listen.Wait()
	for i, err := range errs {
		if err != nil {
			c.t.Fatalf("member %d: %v", i, err)
		}
		worst = max(worst, waits[i])
	}
	talk.Wait()
	return worst
}

// listen reads until it has all lines; what else the room says is passed over.
func (c *crowd) listen(p *peer, said []chan struct{}) (worst time.Duration, err error) {
	want := append([]byte{byte(protocol.Push) << 1, byte(len("onMessage"))}, "onMessage"...)
	head := len(want)
	room := make([]byte, 16<<10) // more than a line
	buf := room[:0]
	for next := 0; next < len(c.sent); {
		pkt, rest, err := protocol.CutPacket(buf, protocol.MaxPacketBody)
		if err != nil { // not whole yet
			buf = room[:copy(room, buf)]
			_ = p.conn.SetReadDeadline(time.Now().Add(patience))
			k, err := p.conn.Read(buf[len(buf):cap(buf)])
			if err != nil {
				return 0, fmt.Errorf("before line %d: %w", next, err)
			}
			buf = buf[:len(buf)+k]
			continue
		}
		if buf = rest; pkt.Type != protocol.Data || !bytes.HasPrefix(pkt.Body, want[:head]) {
			continue
		}
		if got := pkt.Body[head:]; !bytes.Equal(got, c.lines[next]) {
			return 0, fmt.Errorf("line %d: got %s", next, got)
		}
		if next++; next%100 == 0 {
			<-said[next/100-1]
			worst = max(worst, time.Since(c.sent[next-1]))
		}
	}
	return worst, nil
}

// heap is what is allocated and not yet collected.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// watchHeap looks at the heap until stop is closed; then it sends the most it saw.
func watchHeap() (stop chan struct{}, peak <-chan uint64) {
	stop, most := make(chan struct{}), make(chan uint64, 1)
	go func() {
		top := heap()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				top = max(top, heap())
			case <-stop:
				most <- top
				return
			}
		}
	}()
	return stop, most
}
