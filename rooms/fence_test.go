package rooms_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// next asks the room for its next number, and returns what it answers: 0 and a code
// when it is an error. Pushes are passed over.
func next(t *testing.T, p *actorstest.Probe) (n int, code protocol.Code) {
	t.Helper()
	id := p.Request("count.next", `{}`)
	for {
		m := p.Message("an answer")
		if m.Type == protocol.Push && m.Route == "onNext" {
			var c count
			if err := json.Unmarshal(m.Body, &c); err != nil {
				t.Fatal(err)
			}
			n = c.N
		}
		if m.ID != id {
			continue
		}
		if m.Error {
			var e struct{ Code protocol.Code }
			_ = json.Unmarshal(m.Body, &e)
			return 0, e.Code
		}
		return n, 0
	}
}

// "total etcd outage: sockets stay; rooms pause and come back": short of the lease
// nobody notices; past it calls are answered 503, and when the store is back the
// rooms go on as they were.
func TestStoreOutage(t *testing.T) {
	inTown(t, "g1 b", []rooms.Kind{countKind()}, func(t *town) {
		ann := actorstest.Connect(t.T, t.nodes["g1"].app)
		ann.WantReply("join", ann.Request("count.join", `{}`), `{}`)
		for name := range t.nodes {
			t.nodes[name].store.Break()
		}
		for i := range 5 {
			if n, code := next(t.T, ann); n != i+1 || code != 0 {
				t.Fatalf("%d seconds without a store: %d, code %d", i, n, code)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Second)
		if t.nodes["b"].Held() {
			t.Fatal("b relies on a lease that it could not renew")
		}
		began := time.Now()
		n, code := next(t.T, ann)
		if code != protocol.CodeUnavailable && code != protocol.CodeTimeout {
			t.Fatalf("past the lease: %d, code %d", n, code)
		}
		if _, code = next(t.T, ann); code != protocol.CodeUnavailable || time.Since(began) > 6*time.Second {
			t.Fatalf("the second call: code %d, after %v", code, time.Since(began))
		}
		for name := range t.nodes {
			t.nodes[name].store.Heal()
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		n, code = next(t.T, ann)
		if code != 0 || n < 6 {
			t.Fatalf("the store is back: %d, code %d; want the game as it was", n, code)
		}
		if ann.Reason() != protocol.ReasonNone {
			t.Fatal("the connection did not outlive the outage")
		}
	})
}

// "a node cut from etcd for 15 s: never two activations answering": its rooms open
// elsewhere, and when it is back it gives up what others have.
func TestNodeCutFromStore(t *testing.T) {
	inTown(t, "g1 b c", []rooms.Kind{countKind()}, func(t *town) {
		var members []*actorstest.Probe
		const n = 12
		for i := range n {
			p := actorstest.Connect(t.T, t.nodes["g1"].app)
			p.WantReply("join", p.Request("count.join", fmt.Sprintf(`{"room":%d}`, i)), `{}`)
			for want := 1; want <= 3; want++ {
				if got, code := next(t.T, p); got != want {
					t.Fatalf("room %d: %d, code %d", i, got, code)
				}
			}
			members = append(members, p)
		}
		cut := t.nodes["b"]
		onB := cut.host.Stats().Rooms
		if onB == 0 || onB == n {
			t.Fatalf("%d of %d rooms on b", onB, n)
		}
		cut.store.Break()
		time.Sleep(15 * time.Second)
		fresh := int64(0)
		last := make([]int, n)
		for i, p := range members {
			got, code := next(t.T, p)
			if code != 0 || got != 1 && got != 4 {
				t.Fatalf("room %d while b is cut off: %d, code %d", i, got, code)
			}
			if got == 1 {
				fresh++
			}
			last[i] = got
		}
		if fresh != onB {
			t.Fatalf("%d rooms opened anew, b had %d", fresh, onB)
		}
		cut.store.Heal()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := cut.host.Stats().Rooms; got != 0 {
			t.Fatalf("b still runs %d rooms that others have", got)
		}
		for i, p := range members {
			if got, code := next(t.T, p); got != last[i]+1 {
				t.Fatalf("room %d after b is back: %d, code %d, want %d", i, got, code, last[i]+1)
			}
		}
	})
}

// Rooms of a node that leaves in order go on elsewhere; no call fails.
func TestDrain(t *testing.T) {
	inTown(t, "g1 b c", []rooms.Kind{countKind()}, func(t *town) {
		var members []*actorstest.Probe
		for i := range 12 {
			p := actorstest.Connect(t.T, t.nodes["g1"].app)
			p.WantReply("join", p.Request("count.join", fmt.Sprintf(`{"room":%d}`, i)), `{}`)
			members = append(members, p)
		}
		left := make(chan struct{})
		go func() {
			defer close(left)
			t.nodes["b"].stop()
		}()
		began := time.Now()
		for range 5 {
			for i, p := range members {
				if n, code := next(t.T, p); code != 0 {
					t.Errorf("room %d: %d, code %d", i, n, code)
				}
			}
		}
		<-left
		if d := time.Since(began); d > time.Second {
			t.Errorf("60 calls while a node left took %v", d)
		}
	})
}
