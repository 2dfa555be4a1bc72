package rooms_test

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/actors/snapshots/snapshotstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

func keptKind(parts ...rooms.Part[count]) rooms.Kind {
	return countKind(append([]rooms.Part[count]{
		rooms.Snapshots(1, func(r *count) ([]byte, error) { return json.Marshal(r) },
			func(r *count, _ *rooms.Ctx, b []byte) error { return json.Unmarshal(b, r) }),
		rooms.OnReturn(func(*count, *rooms.Ctx, *rooms.Member, *rooms.Anything) error { return nil }),
	}, parts...)...).Kept()
}

// "no acknowledged message of a saved room lost": through kill, leave and idleness
// a kept room goes on where it was.
func TestKeptRooms(t *testing.T) {
	inTown(t, "g1 b c", []rooms.Kind{keptKind()}, func(t *town) {
		const n = 10
		var members []*actorstest.Probe
		for i := range n {
			p := actorstest.Connect(t.T, t.nodes["g1"].app)
			p.WantReply("join", p.Request("count.join", fmt.Sprintf(`{"room":%d}`, i)), `{}`)
			members = append(members, p)
		}
		last := 0
		count := func(what string) {
			t.Helper()
			last++
			for i, p := range members {
				if got, code := next(t.T, p); got != last || code != 0 {
					t.Fatalf("%s: room %d says %d, code %d; want %d", what, i, got, code, last)
				}
			}
		}
		count("all is well")
		count("all is well")
		t.start("d")
		t.nodes["b"].kill()
		count("a host was killed")
		count("and afterwards")
		left := make(chan struct{})
		go func() {
			defer close(left)
			t.nodes["c"].stop()
		}()
		count("a host leaves")
		count("a host leaves")
		<-left
		count("it has left")
		for _, p := range members {
			p.WantReply("leave", p.Request("count.leave", ``), `{"code":0,"result":"success"}`)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := t.rooms(); got != 0 {
			t.Fatalf("%d rooms though nobody is in one", got)
		}
		for i, p := range members {
			p.WantReply("join again", p.Request("count.join", fmt.Sprintf(`{"room":%d}`, i)), `{}`)
		}
		count("they were put away meanwhile")
	})
}

// Who creates a room of a name that was saved gets that game, whether the room is told
// so before or after it has read its snapshot.
func TestCreateOfASavedRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		w := newTown(t, 1, []rooms.Kind{keptKind(rooms.OnInit(func(*count, *rooms.Ctx) error { begun.Add(1); return nil }))})
		w.keep = func(s snapshots.Store) snapshots.Store {
			slow := snapshotstest.NewFaulty(s)
			slow.Set(snapshotstest.Fault{Slow: 50 * time.Millisecond})
			return slow
		}
		w.run("g1 b c", createSaved)
		if got := begun.Load(); got != 6 {
			t.Errorf("%d games began, want one of each name", got)
		}
	})
}

func createSaved(t *town) {
	g := t.nodes["g1"]
	for i := range 6 {
		id := fmt.Sprint(i)
		p := actorstest.Connect(t.T, g.app)
		join := func() { p.WantReply("join", p.Request("count.join", fmt.Sprintf(`{"room":%d}`, i)), `{}`) }
		count := func(want int) {
			t.Helper()
			if got, code := next(t.T, p); got != want || code != 0 {
				t.Fatalf("room %s says %d, code %d; want %d", id, got, code, want)
			}
		}
		join()
		count(1)
		count(2)
		p.WantReply("leave", p.Request("count.leave", ``), `{"code":0,"result":"success"}`)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := t.rooms(); got != 0 {
			t.Fatalf("%d rooms though nobody is in one", got)
		}
		if _, err := g.host.Create(t.Context(), "count", id, nil); err != nil {
			t.Fatalf("create: %v", err)
		}
		join()
		count(3)
		if _, err := g.host.Create(t.Context(), "count", id, nil); protocol.AsError(err).Code != protocol.CodeConflict {
			t.Errorf("created again: %v", err)
		}
		p.WantReply("leave", p.Request("count.leave", ``), `{"code":0,"result":"success"}`)
		time.Sleep(2 * time.Minute)
	}
}

// What a room says leaves after it was saved, and not at all when it could not be.
func TestNothingIsSaidBeforeItIsSaved(t *testing.T) {
	inTown(t, "g1 b", []rooms.Kind{keptKind()}, func(t *town) {
		p := actorstest.Connect(t.T, t.nodes["g1"].app)
		p.WantReply("join", p.Request("count.join", `{}`), `{}`)
		b := t.nodes["b"]
		b.store.Break()
		p.Request("count.next", `{}`)
		time.Sleep(3 * time.Second)
		p.WantIdle("it could not be saved")
		b.store.Heal()
		if m := p.Message("the store is back"); m.Type != protocol.Push || string(m.Body) != `{"n":1}` {
			t.Fatalf("got %v %s", m.Type, m.Body)
		}
	})
}

// A room that was cut off for so long that another activation came, was saved and
// went does not go on from its own past when it may own the room again.
func TestReturnToASavedRoom(t *testing.T) {
	inTown(t, "g1 b c", []rooms.Kind{keptKind()}, func(t *town) {
		const n = 8
		var members []*actorstest.Probe
		join := func(i int) {
			p := members[i]
			p.WantReply("join", p.Request("count.join", fmt.Sprintf(`{"room":%d}`, i)), `{}`)
		}
		count := func(what string, want int) {
			t.Helper()
			for i, p := range members {
				if got, code := next(t.T, p); got != want || code != 0 {
					t.Fatalf("%s: room %d says %d, code %d; want %d", what, i, got, code, want)
				}
			}
		}
		for i := range n {
			members = append(members, actorstest.Connect(t.T, t.nodes["g1"].app))
			join(i)
		}
		count("all is well", 1)
		cut := t.nodes["b"]
		onB := cut.host.Stats().Rooms
		if onB == 0 || onB == n {
			t.Fatalf("%d of %d rooms on b", onB, n)
		}
		cut.store.Break()
		time.Sleep(15 * time.Second)
		count("b is cut off", 2)
		for _, p := range members {
			p.WantReply("leave", p.Request("count.leave", ``), `{"code":0,"result":"success"}`)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := cut.host.Stats().Rooms; got != onB {
			t.Fatalf("b runs %d rooms, had %d: nothing is left to test", got, onB)
		}
		cut.store.Heal()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for i := range n {
			join(i)
		}
		count("b is back", 3)
	})
}

// "Within one activation a call is carried out once", also when the room lost its
// lease with the answer unsaid, and goes on as another activation: its game is the
// same.
func TestCallsOfRegainedRoom(t *testing.T) {
	inTown(t, "g1 b", []rooms.Kind{keptKind()}, func(t *town) {
		p := actorstest.Connect(t.T, t.nodes["g1"].app)
		p.WantReply("join", p.Request("count.join", `{}`), `{}`)
		if n, code := next(t.T, p); n != 1 {
			t.Fatalf("%d, code %d", n, code)
		}
		for _, n := range t.nodes {
			n.store.Break()
		}
		p.Request("count.next", `{}`) // counted, and not saved: so nobody is told
		p.Notify("count.next", `{}`)
		time.Sleep(15 * time.Second)
		if t.nodes["b"].Held() {
			t.Fatal("b relies on a lease that it could not renew")
		}
		for _, n := range t.nodes {
			n.store.Heal()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n, code := next(t.T, p); n != 4 {
			t.Fatalf("after two calls and an outage: %d, code %d; want 4", n, code)
		}
		if s := t.nodes["b"].Stats(); s.Directory.Lost != 0 || s.Directory.Resumed == 0 {
			t.Fatalf("the room has not gone on: %+v", s.Directory)
		}
	})
}
