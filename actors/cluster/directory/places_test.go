package directory

import (
	"strconv"
	"sync"
	"testing"
)

func (s *places) size() (n int) {
	for range s.young.Load().Range {
		n++
	}
	for range s.old.Load().Range {
		n++
	}
	return n
}

// A node that looks for ever more rooms remembers so many, among them those that it
// asks for again and again.
func TestPlacesAreBounded(t *testing.T) {
	const most = 100
	s := newPlaces(most)
	often := Key{"room", "often"}
	s.store(often, Place{Node: "a", Epoch: 1})
	for i := range 100 * most {
		s.store(Key{"room", strconv.Itoa(i)}, Place{Node: "b"})
		if i%(most/4) == 0 {
			if p, ok := s.load(often); !ok || p.Node != "a" {
				t.Fatalf("after %d others: %v, %v", i, p, ok)
			}
		}
		if n := s.size(); n > 2*most {
			t.Fatalf("%d places after %d, want %d at the most", n, i, 2*most)
		}
	}
	if _, ok := s.load(Key{"room", "0"}); ok {
		t.Error("what nobody asked for is still there")
	}
}

func TestPlacesForgetWhatIsOver(t *testing.T) {
	s := newPlaces(1)
	x, was, is := Key{"room", "x"}, Place{Node: "a", Epoch: 1}, Place{Node: "b", Epoch: 2}
	s.store(x, was)
	s.store(Key{"room", "y"}, was) // x is of the old generation now
	s.later(x, is)
	s.later(x, was)
	if p, ok := s.load(x); !ok || p != is {
		t.Errorf("an earlier activation took the place of a later one: %v", p)
	}
	if s.drop(x, was) {
		t.Error("dropped what was not there")
	}
	if !s.drop(x, is) {
		t.Error("what is there was not dropped")
	}
	if p, ok := s.load(x); ok {
		t.Errorf("an older place has come back: %v", p)
	}
}

func TestPlacesFromManyGoroutines(t *testing.T) {
	const most, rounds = 50, 5000
	s := newPlaces(most)
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range rounds {
				k, p := Key{"room", strconv.Itoa(i % (2 * most))}, Place{Node: "n", Epoch: uint64(i*4 + g)}
				s.store(k, p)
				s.load(k)
				s.drop(k, p)
			}
		})
	}
	all.Wait()
	if n := s.size(); n > 2*(most+4) {
		t.Errorf("%d places", n)
	}
}
