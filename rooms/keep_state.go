package rooms

import (
	"bytes"
	"time"
)

// saves decides when a room is saved and what waits for it, as a value: whoever
// drives it passes the time and how many operations the room has handled, and does
// what it asks for.
//
//	saved ──operation──► unsaved ──due──► saving ──done──► saved, or unsaved by what
//	                        ▲                │             came meanwhile
//	                        └─ after a pause ┴─ failed
type saves struct {
	rule saveRule

	saved  uint64 // operations that are saved
	data   []byte // what was saved last, or loaded
	seq    uint64 // of the last save that was begun
	newer  time.Time
	older  time.Time // when the first operation came that no save, or none that has succeeded, covers; zero: there is none
	failed bool      // the last one
	again  time.Time // not before
	pause  time.Duration
	fenced bool // no save will succeed any more

	saving bool
	covers uint64 // operations, of the save under way
	taking []byte // its data
}

const (
	firstSavePause = 200 * time.Millisecond // after a failure
	lastSavePause  = time.Second
	// saveStall is how long a room whose words wait to be saved goes on taking
	// calls.
	saveStall = 2 * time.Second
)

// handled takes in how many operations there are now.
func (s *saves) handled(now time.Time, done uint64) {
	covered := s.saved
	if s.saving || s.failed {
		covered = s.covers
	}
	if done != covered && s.newer.IsZero() {
		s.newer = now
	}
}

// due says whether a save is to be begun now, and otherwise when to ask again if
// nothing happens; zero: when something has.
func (s *saves) due(now time.Time, done uint64) (save bool, next time.Time) {
	switch {
	case s.saving || s.fenced || done == s.saved:
		return false, time.Time{}
	case s.failed:
		return !now.Before(s.again), s.again
	case s.rule.every > 0 && done-s.saved >= uint64(s.rule.every):
		return true, time.Time{}
	case s.rule.after > 0:
		next = s.newer.Add(s.rule.after)
		return !now.Before(next), next
	}
	return false, time.Time{}
}

// begin notes that data, which covers so many operations, is being saved under
// the number that is returned. Without ok it has been saved already.
func (s *saves) begin(done uint64, data []byte) (seq uint64, ok bool) {
	s.covers = done
	if s.older.IsZero() {
		s.older = s.newer
	}
	s.newer = time.Time{}
	if bytes.Equal(data, s.data) && (data == nil) == (s.data == nil) && !s.failed {
		s.succeeded()
		return 0, false
	}
	s.saving, s.taking = true, data
	s.seq++
	return s.seq, true
}

func (s *saves) succeeded() {
	s.saved, s.older, s.failed, s.pause, s.again = s.covers, time.Time{}, false, 0, time.Time{}
}

// succeed takes in that the save under way is done.
func (s *saves) succeed() {
	s.saving, s.data, s.taking = false, s.taking, nil
	s.succeeded()
}

// fail takes in that it is not, or not surely. The next begins a pause after this one
// began, each pause being up to twice the last; so one that hung is followed at once.
// Jitter, from 0 to 1, keeps rooms that failed together apart.
func (s *saves) fail(began time.Time, jitter float64) {
	s.saving, s.taking, s.failed = false, nil, true
	s.pause = min(max(2*s.pause, firstSavePause), lastSavePause)
	s.again = began.Add(s.pause/2 + time.Duration(jitter*float64(s.pause/2)))
}

// holds says whether what the room has to say has to wait.
func (s *saves) holds(done uint64) bool {
	return s.fenced || s.rule.strict() && done != s.saved
}

// stalled says whether the room has to stand still, since what it says waits for
// too long already.
func (s *saves) stalled(now time.Time) bool {
	return s.rule.strict() && !s.older.IsZero() && now.Sub(s.older) >= saveStall
}
