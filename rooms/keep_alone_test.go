package rooms_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/actors/snapshots/snapshotstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// alone is a node alone in fake time, and the store that it keeps its rooms in.
type alone struct {
	*testing.T
	store *snapshotstest.Faulty
	kind  rooms.Kind
	app   *actors.App
	host  *rooms.Host
}

// inHouse runs f with a node that runs rooms of one kind.
func inHouse(t *testing.T, k rooms.Kind, f func(h *alone)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &alone{T: t, store: snapshotstest.NewFaulty(snapshots.NewMemory()), kind: k}
		h.start()
		f(h)
		h.store.Set(snapshotstest.Fault{})
		h.stop()
	})
}

func (h *alone) start() {
	h.Helper()
	h.app = actors.New(actors.Config{NewAudience: actorstest.NewAudience, Rate: -1, Heartbeat: -1})
	var err error
	if h.host, err = rooms.Install(h.app, nil, h.kind); err != nil {
		h.Fatal(err)
	}
	h.host.Keep(h.store)
	if err := h.app.Start(); err != nil {
		h.Fatal(err)
	}
}

func (h *alone) stop() {
	h.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := errors.Join(h.app.Shutdown(ctx), h.host.Stop(ctx, protocol.ReasonShutdown)); err != nil {
		h.Errorf("stop: %v", err)
	}
	h.app.Close()
}

// crash starts another process on the store as if this one were gone; what it runs
// goes on until the function that is returned is called.
func (h *alone) crash() (end func()) {
	h.Helper()
	gone := *h
	h.start()
	return gone.stop
}

// in connects a probe and joins a room of kind count.
func (h *alone) in(room string) *actorstest.Probe {
	h.Helper()
	p := actorstest.Connect(h.T, h.app)
	p.WantReply("join", p.Request("count.join", fmt.Sprintf(`{"room":%q}`, room)), `{}`)
	return p
}

// want has the room count on.
func (h *alone) want(what string, p *actorstest.Probe, want int) {
	h.Helper()
	if n, code := next(h.T, p); n != want || code != 0 {
		h.Fatalf("%s: %d, code %d; want %d", what, n, code, want)
	}
}

func savedKind(when func(k rooms.Kind) rooms.Kind, parts ...rooms.Part[count]) rooms.Kind {
	save := rooms.Snapshots(100, func(r *count) ([]byte, error) { return json.Marshal(r) },
		func(r *count, _ *rooms.Ctx, b []byte) error { return json.Unmarshal(b, r) })
	return when(countKind(append(parts, save)...))
}

func everyOne(k rooms.Kind) rooms.Kind { return k.SaveEvery(1) }

// "A restart of a single node brings its rooms back": in order or by a crash, when
// a room is saved after every operation.
func TestKeptAlone(t *testing.T) {
	inHouse(t, savedKind(everyOne), func(h *alone) {
		p := h.in("a")
		h.want("it begins", p, 1)
		h.want("it goes on", p, 2)
		defer h.crash()()
		p2 := h.in("a")
		h.want("after a crash", p2, 3)
		id := p.Request("count.next", `{}`) // of the process that was taken for dead
		if m := p.Message("the farewell"); m.Route != "onRoomClosed" {
			t.Fatalf("the earlier process still speaks: %s %s", m.Route, m.Body)
		}
		p.WantCode("it has not acknowledged what it could not save", id, protocol.CodeTimeout)
		h.want("nor touched the room", p2, 4)
		h.stop()
		h.start()
		p3 := h.in("a")
		h.want("after a stop", p3, 5)
		p3.WantReply("leave", p3.Request("count.leave", ``), `{"code":0,"result":"success"}`)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := h.host.Stats().Rooms; n != 0 {
			t.Fatalf("%d rooms after a minute alone", n)
		}
		h.want("after it was put away", h.in("a"), 6)
	})
}

// "What a kept room says is saved first": its answers too, in order, and a store that
// does not answer stops this room and no other.
func TestSlowStore(t *testing.T) {
	for _, fault := range []snapshotstest.Fault{
		{Room: "a", Slow: 500 * time.Millisecond},
		{Room: "a", Hang: true},
		{Room: "a", Err: snapshotstest.ErrBroken},
		{Room: "a", Deaf: true},
	} {
		t.Run(fmt.Sprintf("%+v", fault), func(t *testing.T) {
			inHouse(t, savedKind(everyOne), func(h *alone) {
				a, b := h.in("a"), h.in("b")
				h.store.Set(fault)
				began := time.Now()
				id := a.Request("count.next", `{}`)
				for i := range 50 {
					h.want("another room", b, i+1)
				}
				if d := time.Since(began); d > 0 {
					t.Fatalf("the other room took %v", d)
				}
				a.WantIdle("it is not saved")
				if fault.Slow == 0 {
					time.Sleep(time.Second)
					h.store.Set(snapshotstest.Fault{})
				}
				a.WantPush("the room's word is saved", "onNext", `{"n":1}`)
				a.WantReply("its answer follows", id, `{}`)
				if d := time.Since(began); d < 500*time.Millisecond || d > 4*time.Second {
					t.Fatalf("answered after %v", d)
				}
				h.want("and the room goes on", a, 2)
				if s := h.host.Stats(); fault.Slow == 0 && s.SaveFailures == 0 || s.Unsaved != 0 {
					t.Fatalf("%d failures counted, %d rooms unsaved", s.SaveFailures, s.Unsaved)
				}
			})
		})
	}
}

// "Failed saves refuse to acknowledge": while the store is away the room takes
// nothing new, its game stands still, and afterwards nothing is lost or double.
func TestStoreAway(t *testing.T) {
	ticking := rooms.OnTick(10*time.Second, func(r *count, c *rooms.Ctx) {
		r.N += 1000
		c.Broadcast("onNext", r)
	})
	inHouse(t, savedKind(everyOne, ticking), func(h *alone) {
		a, other := h.in("a"), h.in("a")
		h.want("all is well", a, 1)
		other.WantPush("the other hears it", "onNext", `{"n":1}`)
		h.store.Set(snapshotstest.Fault{Hang: true})
		id := a.Request("count.next", `{}`)
		a.WantCode("nobody is told what is not saved", id, protocol.CodeTimeout)
		id = a.Request("count.next", `{}`)
		a.WantCode("nothing new is taken", id, protocol.CodeUnavailable)
		if n := h.host.Stats().Unsaved; n != 1 {
			t.Fatalf("%d rooms unsaved", n)
		}
		time.Sleep(time.Minute)
		a.WantIdle("nothing was said")
		h.store.Set(snapshotstest.Fault{})
		a.WantPush("what waited is said", "onNext", `{"n":2}`)
		a.WantPush("and the game goes on, late ticks being skipped", "onNext", `{"n":1002}`)
		other.WantPush("to others as well", "onNext", `{"n":2}`)
		time.Sleep(11 * time.Second)
		if n, code := next(t, a); code != 0 || n%1000 != 3 {
			t.Fatalf("then it counts on: %d, code %d", n, code)
		}
	})
}

// Kinds choose when they are saved, and what a crash may cost.
func TestWhenRoomsAreSaved(t *testing.T) {
	for name, c := range map[string]struct {
		when  func(k rooms.Kind) rooms.Kind
		calls int // one a second
		saves int
		kept  int // what is left of the calls after a crash
	}{
		"every 4":           {func(k rooms.Kind) rooms.Kind { return k.SaveEvery(4) }, 9, 2, 7}, // the join counts
		"after 3 s":         {func(k rooms.Kind) rooms.Kind { return k.SaveAfter(3 * time.Second) }, 9, 2, 8},
		"whichever earlier": {func(k rooms.Kind) rooms.Kind { return k.SaveEvery(5).SaveAfter(time.Hour) }, 9, 2, 9},
		"on stop":           {rooms.Kind.SaveOnStop, 9, 0, 0},
		"as snapshots":      {rooms.Kind.Kept, 120, 1, 99},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, savedKind(c.when), func(h *alone) {
				p := h.in("a")
				for i := range c.calls {
					h.want("it is not held up", p, i+1)
					time.Sleep(time.Second - time.Millisecond)
				}
				if n := h.store.Saves(); n != c.saves {
					t.Errorf("saved %d times, want %d", n, c.saves)
				}
				defer h.crash()()
				h.want("after a crash", h.in("a"), c.kept+1)
				h.stop()
				h.start()
				h.want("after a stop", h.in("a"), c.kept+2)
			})
		})
	}
}

// Who comes while a room is put away waits for its last snapshot.
func TestJoinWhileSaving(t *testing.T) {
	inHouse(t, savedKind(rooms.Kind.SaveOnStop), func(h *alone) {
		p := h.in("a")
		h.want("it begins", p, 1)
		p.WantReply("leave", p.Request("count.leave", ``), `{"code":0,"result":"success"}`)
		h.store.Set(snapshotstest.Fault{Slow: 700 * time.Millisecond})
		time.Sleep(30*time.Second + 100*time.Millisecond)
		began := time.Now()
		h.want("its successor", h.in("a"), 2)
		if d := time.Since(began); d != 1300*time.Millisecond { // what is left of the save, and the claim
			t.Errorf("the join took %v", d)
		}
	})
}

// What has not changed is not saved again.
func TestEqualSnapshots(t *testing.T) {
	look := rooms.OnRequest("look", func(r *count, _ *rooms.Ctx, _ *rooms.Member, _ *rooms.Anything) (*count, error) { return r, nil })
	inHouse(t, savedKind(everyOne, look), func(h *alone) {
		p := h.in("a")
		h.want("it begins", p, 1)
		was := h.store.Saves()
		for range 10 {
			p.WantReply("look", p.Request("count.look", `{}`), `{"n":1}`)
		}
		if n := h.store.Saves() - was; n != 0 {
			t.Errorf("%d saves of nothing", n)
		}
	})
}

// "A room that closes itself is over; the next one begins anew." One that panics
// comes back with what was good.
func TestGameOver(t *testing.T) {
	over := rooms.OnNotify("over", func(_ *count, c *rooms.Ctx, _ *rooms.Member, _ *rooms.Anything) {
		c.Close(protocol.ReasonOver)
	})
	boom := rooms.OnNotify("boom", func(r *count, _ *rooms.Ctx, _ *rooms.Member, _ *rooms.Anything) {
		r.N = 999
		panic("on purpose")
	})
	inHouse(t, savedKind(everyOne, over, boom).OnPanic(rooms.PanicClose), func(h *alone) {
		p := h.in("a")
		h.want("it begins", p, 1)
		p.Notify("count.boom", `{}`)
		if m := p.Message("the farewell"); m.Route != "onRoomClosed" {
			t.Fatalf("got %s %s", m.Route, m.Body)
		}
		p = h.in("a")
		h.want("what was good before the panic", p, 2)
		p.Notify("count.over", `{}`)
		if m := p.Message("the farewell"); m.Route != "onRoomClosed" {
			t.Fatalf("got %s %s", m.Route, m.Body)
		}
		h.want("a new game", h.in("a"), 1)
	})
}

// Kinds that cannot be kept are refused, each with its name.
func TestKeptWithoutSnapshots(t *testing.T) {
	for _, k := range []rooms.Kind{
		countKind().Kept(), savedKind(func(k rooms.Kind) rooms.Kind { return k.SaveEvery(0) }),
		savedKind(func(k rooms.Kind) rooms.Kind { return k.SaveAfter(0) }),
	} {
		_, err := rooms.NewSim(k, rooms.SimConfig{})
		if err == nil || !strings.Contains(err.Error(), `"count"`) {
			t.Errorf("got %v", err)
		}
	}
}
