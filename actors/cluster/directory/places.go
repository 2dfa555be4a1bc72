package directory

import (
	"sync"
	"sync/atomic"
)

// places remembers where rooms were seen last. It has two generations: what is
// looked for passes to the young one, and when that is full the old one is forgotten,
// so that rooms which have come and gone do not fill the memory of a node that once
// looked for them. What it says is a hint, and may be forgotten at any time. Any
// goroutine uses it.
type places struct {
	young, old atomic.Pointer[sync.Map] // Key → Place
	stored     atomic.Int64             // in young, counting each time
	most       int64                    // of those
}

// placesMost is how many places a generation has; two of them are some 40 MB.
const placesMost = 1 << 16

func newPlaces(most int64) *places {
	s := &places{most: most}
	s.young.Store(new(sync.Map))
	s.old.Store(new(sync.Map))
	return s
}

func (s *places) load(key Key) (Place, bool) {
	if v, ok := s.young.Load().Load(key); ok {
		return v.(Place), true
	}
	v, ok := s.old.Load().Load(key)
	if !ok {
		return Place{}, false
	}
	s.store(key, v.(Place))
	return v.(Place), true
}

func (s *places) store(key Key, p Place) {
	if s.stored.Add(1) == s.most+1 { // one of all who store
		s.old.Store(s.young.Swap(new(sync.Map)))
		s.stored.Store(1)
	}
	s.young.Load().Store(key, p)
	s.old.Load().Delete(key)
}

// later stores p unless a later activation is known.
func (s *places) later(key Key, p Place) {
	if was, ok := s.load(key); !ok || was.Epoch <= p.Epoch {
		s.store(key, p)
	}
}

// drop forgets p, and says whether that was known.
func (s *places) drop(key Key, p Place) bool {
	young := s.young.Load().CompareAndDelete(key, p)
	return s.old.Load().CompareAndDelete(key, p) || young
}
