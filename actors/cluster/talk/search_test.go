package talk

import (
	"testing"
	"time"
)

// What does not answer is looked for less and less often, what has answered at once.
func TestSearch(t *testing.T) {
	var s Search
	now := time.Unix(1, 0)
	for i, ms := range []int{0, 0, 20, 40, 80, 160, 320, 500, 500} {
		pause := time.Duration(ms) * time.Millisecond
		if pause > 0 {
			if look, next := s.Due(now); look || next != now.Add(pause) {
				t.Fatalf("%d: look %v, next in %v, want %v", i, look, next.Sub(now), pause)
			}
			now = now.Add(pause)
		}
		if look, _ := s.Due(now); !look || !s.Underway() {
			t.Fatalf("%d: nobody looks", i)
		}
		if look, next := s.Due(now); look || !next.IsZero() {
			t.Fatalf("%d: looks twice", i)
		}
		s.Found()
		s.Again(now)
	}
	s.Heard()
	s.Again(now)
	if look, _ := s.Due(now); !look {
		t.Error("what had answered is not looked for at once")
	}
	s.NotFound(now)
	if look, next := s.Due(now); look || next != now.Add(time.Second) {
		t.Errorf("not found: look %v, next in %v", look, next.Sub(now))
	}
}
