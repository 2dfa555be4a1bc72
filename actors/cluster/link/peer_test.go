package link

import (
	"sync"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// A window in which next to nothing is on the way has room, also for who looks while
// others send and peers acknowledge.
func TestRoomWhileOthersSend(t *testing.T) {
	p := newPeer(Peer{ID: "b", Addr: "host:b"}, 64)
	const rounds = 200_000
	var others sync.WaitGroup
	done := make(chan struct{})
	others.Go(func() {
		defer close(done)
		for range rounds {
			e := &wire.Envelope{}
			p.stamp(e)
			p.arrived(&wire.Envelope{LinkAck: e.LinkSeq})
		}
	})
	began, looks := time.Now(), 0
	for ended := false; !ended; looks++ {
		select {
		case <-done:
			ended = true
		default:
		}
		if !p.room(1 << 20) {
			t.Errorf("look %d, after %v: no room with at most one message on the way", looks, time.Since(began))
			break
		}
	}
	others.Wait()
}
