package directory

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/protocol"
)

func TestNobodyRunsTheKind(t *testing.T) {
	inTown(t, "a", func(t *town) {
		start := time.Now()
		_, err := t.find("a", Key{"arena", "1"}, 20*time.Second)
		if !errors.Is(err, ErrNoHost) {
			t.Fatalf("got %v", err)
		}
		if d := time.Since(start); d < hostless || d > 5*time.Second {
			t.Fatalf("took %v: one that restarts has some time, and a caller is told before it gives up", d)
		}
		start = time.Now()
		got := make(chan error, 1)
		t.nodes["a"].Then(Key{"arena", "2"}, func(_ Place, err error) { got <- err })
		if err := <-got; !errors.Is(err, ErrNoHost) {
			t.Fatalf("Then got %v", err)
		}
		if d := time.Since(start); d > 0 {
			t.Fatalf("the next one waits for %v, though it is known that nobody runs the kind", d)
		}
		if s := t.nodes["a"].Stats(); s.NotFound != 2 || s.NoHost != 2 {
			t.Fatalf("%d counted, %d for want of a host", s.NotFound, s.NoHost)
		}
	})
}

// A kind that demands labels is refused by name while no node has them, and runs
// as soon as one has.
func TestNobodyHasTheLabels(t *testing.T) {
	inTown(t, "", func(t *town) {
		t.rules["room"] = Rule{Labels: map[string]string{"zone": "b", "disk": "fast"}}
		t.start("a")
		_, err := t.find("a", one, 20*time.Second)
		coded, ok := errors.AsType[*protocol.Error](err)
		if !ok || coded.Code != protocol.CodeUnavailable || coded.Msg != "no node with the labels disk=fast,zone=b runs rooms of kind room" {
			t.Fatalf("got %v", err)
		}
		if none := t.nodes["a"].Unhosted(); len(none) != 1 || none[0].String() != coded.Msg {
			t.Fatalf("unhosted kinds: %v", none)
		}
		t.labels = map[string]string{"zone": "b", "disk": "fast", "more": "too"}
		t.start("b")
		synctest.Wait()
		if p := t.mustFind("a", one, time.Second); p.Node != "b" {
			t.Fatalf("runs on %s, which has not the labels", p.Node)
		}
		if none := t.nodes["a"].Unhosted(); len(none) != 0 {
			t.Fatalf("unhosted kinds: %v", none)
		}

		t.crash("b")
		time.Sleep(time.Second)
		start := time.Now()
		if _, err := t.find("a", two, 20*time.Second); !errors.Is(err, ErrNoHost) || time.Since(start) < hostless {
			t.Fatalf("gave up after %v with %v: the only host may be about to come back", time.Since(start), err)
		}
	})
}

func TestRulesAreFollowed(t *testing.T) {
	inTown(t, "", func(t *town) {
		t.rules["room"] = Rule{Route: func(key Key, able []roster.Member) string {
			return able[len(able)-1].ID
		}}
		t.start("a")
		t.start("b")
		time.Sleep(time.Second)
		for _, key := range rooms(10) {
			if p := t.mustFind("a", key, time.Second); p.Node != "b" {
				t.Fatalf("%s is on %s", key, p.Node)
			}
		}
	})
}
