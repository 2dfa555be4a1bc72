package post_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/link/linktest"
	"github.com/shaddock-game/shaddock/actors/cluster/post"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// street is some offices on one network.
type street struct {
	*testing.T
	net    *linktest.Net
	houses map[string]*house
}

// house is one process: the mesh of its own office.
type house struct {
	*link.Link
	*post.Office
	street *street
	view   atomic.Pointer[roster.View]
	watch  func(roster.Standing)
	posted chan string // "from:body"
	gone   chan string // "node:unconfirmed"
}

func (h *house) Watch(f func(roster.Standing))                              { h.watch = f }
func (h *house) Members() *roster.View                                      { return h.view.Load() }
func (h *house) Direct(op uint32, f func(from link.Peer, e *wire.Envelope)) { h.Link.Direct(op, f) }

// onStreet runs f with offices of these names.
func onStreet(t *testing.T, cfg post.Config, f func(s *street), names ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &street{T: t, net: linktest.New(7), houses: make(map[string]*house)}
		for _, name := range names {
			s.build(name, cfg)
		}
		s.see(names...)
		f(s)
		for _, h := range s.houses {
			h.Office.Close()
			h.Link.Close()
		}
		s.net.Close()
	})
}

func (s *street) build(name string, cfg post.Config) *house {
	h := &house{street: s, posted: make(chan string, 1<<17), gone: make(chan string, 100)}
	h.Link = s.net.Add(name, "host:"+name, nil)
	cfg.Mesh = h
	cfg.Posted = func(from string, body []byte) { h.posted <- from + ":" + string(body) }
	cfg.Gone = func(node string, n int) { h.gone <- fmt.Sprintf("%s:%d", node, n) }
	h.Office = post.Open(cfg)
	h.Link.Start()
	s.houses[name] = h
	return h
}

// see tells every office who the members are.
func (s *street) see(names ...string) {
	for _, h := range s.houses {
		var all []roster.Member
		for _, n := range names {
			all = append(all, roster.Member{ID: n, Addr: "host:" + n})
		}
		v := roster.NewView(all)
		h.view.Store(v)
		h.Link.Members(v)
		h.watch(roster.Standing{View: v})
	}
	synctest.Wait()
}

func (h *house) send(to string, i int) error { return h.Post(to, []byte(fmt.Sprint(i))) }

func (h *house) want(what, next string) {
	h.street.Helper()
	select {
	case got := <-h.posted:
		if got != next {
			h.street.Fatalf("%s: got %q, want %q", what, got, next)
		}
	case <-time.After(time.Minute):
		h.street.Fatalf("%s: %q does not come", what, next)
	}
}

// "each either reaches … in order or is reported": a third of all envelopes is lost,
// and connections break.
func TestLossIsRepaired(t *testing.T) {
	onStreet(t, post.Config{}, func(s *street) {
		a, b := s.houses["a"], s.houses["b"]
		s.net.Lose(0.3)
		const n = 2000
		for i := range n {
			if err := a.send("b", i); err != nil {
				s.Fatal(err)
			}
			if err := b.send("a", -i); err != nil {
				s.Fatal(err)
			}
			if i%20 == 0 {
				time.Sleep(3 * time.Millisecond)
			}
			if i%500 == 250 {
				s.net.Break("host:a", "host:b")
			}
		}
		for i := range n {
			b.want("in order", fmt.Sprintf("a:%d", i))
			a.want("the other way too", fmt.Sprintf("b:%d", -i))
		}
		s.net.Lose(0)
		time.Sleep(5 * time.Second)
		if len(a.posted)+len(b.posted) != 0 {
			s.Fatal("something came twice")
		}
		if got := a.Office.Stats(); got.Waiting != 0 || got.Repaired == 0 || got.Unconfirmed+got.Lost != 0 {
			s.Fatalf("%+v", got)
		}
	}, "a", "b")
}

// "one remote message per gate and flush"
func TestWhatIsPostedTogetherTravelsTogether(t *testing.T) {
	onStreet(t, post.Config{}, func(s *street) {
		a, b := s.houses["a"], s.houses["b"]
		for round := range 10 {
			for i := range 100 {
				if err := a.send("b", 100*round+i); err != nil {
					s.Fatal(err)
				}
			}
			synctest.Wait()
		}
		for i := range 1000 {
			b.want("each of them", fmt.Sprintf("a:%d", i))
		}
		time.Sleep(time.Second)
		if n := a.Office.Stats().Envelopes; n > 200 {
			s.Fatalf("%d envelopes for 10 rounds of 100 messages", n)
		}
	}, "a", "b")
}

// A node that cannot be reached costs bounded memory, and its senders are told.
func TestFullLaneRefuses(t *testing.T) {
	onStreet(t, post.Config{Messages: 100}, func(s *street) {
		a, b := s.houses["a"], s.houses["b"]
		s.net.Cut("host:a", "host:b")
		for i := range 100 {
			if err := a.send("b", i); err != nil {
				s.Fatal(err)
			}
		}
		if err := a.send("b", 100); !errors.Is(err, post.ErrBusy) {
			s.Fatalf("one too many: %v", err)
		}
		if err := a.send("c", 0); !errors.Is(err, post.ErrNoNode) {
			s.Fatalf("to nobody: %v", err)
		}
		time.Sleep(20 * time.Second)
		s.net.Join("host:a", "host:b")
		for i := range 100 {
			b.want("what was taken", fmt.Sprintf("a:%d", i))
		}
		time.Sleep(time.Second)
		if err := a.send("b", 101); err != nil {
			s.Fatalf("there is room again: %v", err)
		}
		b.want("and goes on", "a:101")
		if got := a.Office.Stats(); got.Refused != 2 || got.Posted != 101 {
			s.Fatalf("%+v", got)
		}
	}, "a", "b")
}

// A refusal for one limit leaves the other as it was.
func TestRefusalsDoNotLoosenTheLimits(t *testing.T) {
	onStreet(t, post.Config{Messages: 10, Bytes: 100}, func(s *street) {
		a := s.houses["a"]
		s.net.Cut("host:a", "host:b")
		for i := range 10 {
			if err := a.send("b", i); err != nil {
				s.Fatal(err)
			}
		}
		for i := range 1000 {
			if err := a.send("b", i); !errors.Is(err, post.ErrBusy) {
				s.Fatalf("one too many: %v", err)
			}
		}
		if n := a.Office.Stats().WaitingBytes; n != 10 {
			s.Fatalf("%d bytes wait", n)
		}
	}, "a", "b")
}

// What a node that leaves has not confirmed is reported, and when it comes back as
// the same process it hears nothing twice.
func TestNodeThatLeavesAndComesBack(t *testing.T) {
	onStreet(t, post.Config{}, func(s *street) {
		a, b := s.houses["a"], s.houses["b"]
		for i := range 10 {
			_ = a.send("b", i) // confirmed below
		}
		time.Sleep(time.Second)
		s.net.Cut("host:a", "host:b")
		for i := range 5 {
			_ = a.send("b", 10+i) // reported below
		}
		synctest.Wait()
		s.see("a")
		if got := <-a.gone; got != "b:5" {
			s.Fatalf("gone %s", got)
		}
		if err := a.send("b", 0); !errors.Is(err, post.ErrNoNode) {
			s.Fatalf("to who has left: %v", err)
		}
		s.net.Join("host:a", "host:b")
		s.see("a", "b")
		for i := range 3 {
			if err := a.send("b", 20+i); err != nil {
				s.Fatal(err)
			}
		}
		for i := range 10 {
			b.want("from before", fmt.Sprintf("a:%d", i))
		}
		for i := range 3 {
			b.want("from after", fmt.Sprintf("a:%d", 20+i))
		}
		time.Sleep(time.Second)
		if s := a.Office.Stats(); s.Unconfirmed != 5 || s.Waiting != 0 {
			t.Fatalf("%+v", s)
		}
	}, "a", "b")
}

// Senders of one process do not disturb each other's order.
func TestManySenders(t *testing.T) {
	onStreet(t, post.Config{Messages: 1 << 16}, func(s *street) {
		a, b := s.houses["a"], s.houses["b"]
		s.net.Lose(0.05)
		ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
		defer cancel()
		const senders, each = 8, 500
		for k := range senders {
			go func() {
				for i := range each {
					if err := a.Post("b", fmt.Appendf(nil, "%d %d", k, i)); err != nil {
						s.Errorf("sender %d: %v", k, err)
					}
				}
			}()
		}
		var next [senders]int
		for range senders * each {
			var got string
			select {
			case got = <-b.posted:
			case <-ctx.Done():
				s.Fatal("something is missing")
			}
			var k, i int
			if _, err := fmt.Sscanf(got, "a:%d %d", &k, &i); err != nil || next[k] != i {
				s.Fatalf("sender %d: got %q, want %d", k, got, next[k])
			}
			next[k]++
		}
	}, "a", "b")
}
