package post_test

import (
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/post"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
)

// The mesh knows a node a moment before the office is told. What is posted to it then
// is repaired like everything else.
func TestPostToNewcomerIsRepaired(t *testing.T) {
	onStreet(t, post.Config{}, func(s *street) {
		a, b := s.houses["a"], s.houses["b"]
		s.see("a")
		v := roster.NewView([]roster.Member{{ID: "a", Addr: "host:a"}, {ID: "b", Addr: "host:b"}})
		a.view.Store(v)
		b.view.Store(v)
		s.net.Lose(1)
		if err := a.send("b", 1); err != nil {
			s.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		s.net.Lose(0)
		s.see("a", "b")
		b.want("though it was lost at first", "a:1")
		time.Sleep(time.Second)
		if got := a.Office.Stats(); got.Waiting != 0 || got.Unconfirmed != 0 {
			s.Fatalf("%+v", got)
		}
	}, "a", "b")
}
