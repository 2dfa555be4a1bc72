package actors_test

import (
	"maps"
	"math"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

const gold actors.Key[int] = "gold"

// FEATURES 1, Session: "typed attributes (Int…String, Value, Set, HasKey, Remove),
// State/Restore/Clear … State is a copy".
func TestAttributesOfAHandler(t *testing.T) {
	a := actors.New(actors.Config{})
	defer a.Close()
	actors.HandleRaw(a, "t.attrs", func(c *actors.Ctx, _ []byte) ([]byte, error) {
		gold.Set(c, 5)
		if gold.Get(c) != 5 || gold.Get(c.Session()) != 5 {
			t.Error("a handler does not see its own change")
		}
		gold.Set(c, gold.Get(c)+1)
		c.Set("name", "ann")
		state := c.State()
		state["gold"] = 100
		if want := map[string]any{"gold": 6, "name": "ann"}; !maps.Equal(c.State(), want) {
			t.Errorf("state %v, want %v: State is a copy", c.State(), want)
		}
		c.Remove("gold")
		if c.Has("gold") || !c.Has("name") || gold.Get(c) != 0 {
			t.Errorf("after Remove: %v", c.State())
		}
		c.Restore(state)
		state["gold"] = 7
		if gold.Get(c) != 100 {
			t.Errorf("after Restore: gold %d, want 100: Restore copies", gold.Get(c))
		}
		c.Set("nil", nil)
		if !c.Has("nil") || c.Value("nil") != nil {
			t.Error("nil is a value")
		}
		c.Clear()
		if len(c.State()) != 0 {
			t.Errorf("after Clear: %v", c.State())
		}
		return nil, nil
	})
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	p := actorstest.Connect(t, a)
	p.Request("t.attrs", "")
	p.Message("the answer, behind all of it")
}

type bag map[string]any

func (b bag) Value(key string) any  { return b[key] }
func (b bag) Set(key string, v any) { b[key] = v }

// A state that went through JSON comes back with float64s.
func TestNumbersReadAsWhatHoldsThem(t *testing.T) {
	b := bag{"five": 5.0, "half": 0.5, "minus": -1, "big": uint64(math.MaxUint64), "text": "5", "nothing": nil}
	if n, ok := actors.Lookup[int](b, "five"); !ok || n != 5 {
		t.Errorf("5.0 as int: %v %v", n, ok)
	}
	if n, ok := actors.Lookup[uint8](b, "five"); !ok || n != 5 {
		t.Errorf("5.0 as uint8: %v %v", n, ok)
	}
	if n, ok := actors.Lookup[float32](b, "half"); !ok || n != 0.5 {
		t.Errorf("0.5 as float32: %v %v", n, ok)
	}
	for _, key := range []string{"half", "big", "text", "nothing", "none"} {
		if n, ok := actors.Lookup[int64](b, key); ok || n != 0 {
			t.Errorf("%s as int64: %v %v, want none", key, n, ok)
		}
	}
	if n, ok := actors.Lookup[uint64](b, "minus"); ok || n != 0 {
		t.Errorf("-1 as uint64: %v %v, want none", n, ok)
	}
	if s := actors.Get[string](b, "text"); s != "5" {
		t.Errorf("text: %q", s)
	}
}

// "usable from any goroutine": changes by many, none lost, none torn.
func TestAttributesFromAnyGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, actors.Config{})
		ref := actorstest.Connect(t, a).Session
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for j := range 10 {
					ref.Set(strconv.Itoa(i), j)
					ref.Value(strconv.Itoa(7 - i))
				}
			})
		}
		all.Wait()
		synctest.Wait()
		for i := range 8 {
			if got := actors.Get[int](ref, strconv.Itoa(i)); got != 9 {
				t.Errorf("attribute %d is %d, want the last value set, 9", i, got)
			}
		}
	})
}

func TestClosedCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{})
		defer a.Close()
		var heard []string
		hear := func(who string) func(*actors.Ref, protocol.Reason) {
			return func(s *actors.Ref, why protocol.Reason) {
				heard = append(heard, who+" "+strconv.Itoa(gold.Get(s))+" "+why.Name())
			}
		}
		a.OnClosed(hear("app"))
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		p := actorstest.Connect(t, a)
		ref := p.Session
		gold.Set(ref, 3)
		ref.OnClosed(hear("first"))
		ref.OnClosed(func(*actors.Ref, protocol.Reason) { panic("on purpose") })
		ref.OnClosed(hear("second"))
		ref.Push("onBye", value{1})
		ref.Close(protocol.ReasonKicked)
		p.WantPush("what was said is flushed", "onBye", `{"n":1}`)
		p.WantIdle("without a kick")
		p.WantClosed("the end", protocol.ReasonKicked)
		synctest.Wait()
		ref.OnClosed(hear("late"))
		synctest.Wait()
		want := []string{"first 3 kicked", "second 3 kicked", "app 3 kicked", "late 3 kicked"}
		if len(heard) != 4 || heard[0] != want[0] || heard[1] != want[1] || heard[2] != want[2] || heard[3] != want[3] {
			t.Errorf("heard %q, want %q", heard, want)
		}
		if n := a.Stats().Panics; n != 1 {
			t.Errorf("%d panics counted, want 1", n)
		}
	})
}
