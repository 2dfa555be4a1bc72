package talk

import "time"

// Search says when a gate looks for what it wants to talk to: at once at first, and
// later each time that a conversation came to nothing. It belongs to one goroutine.
type Search struct {
	failed   int // conversations in a row that came to nothing
	underway bool
	at       time.Time
}

// notFound is the pause when no node has what is looked for and none takes it.
const notFound = time.Second

// Due says whether to look now, and has it be under way; when not, next is when to ask
// again: zero is once the search has ended.
func (s *Search) Due(now time.Time) (look bool, next time.Time) {
	switch {
	case s.underway:
		return false, time.Time{}
	case now.Before(s.at):
		return false, s.at
	}
	s.underway = true
	return true, time.Time{}
}

// Underway says whether somebody looks.
func (s *Search) Underway() bool { return s.underway }

// Found ends a search. What was found has yet to answer.
func (s *Search) Found() { s.underway = false }

// NotFound ends a search that has found nothing.
func (s *Search) NotFound(now time.Time) { s.underway, s.at = false, now.Add(notFound) }

// Heard says that the other end has answered.
func (s *Search) Heard() { s.failed = 0 }

// Again says that a conversation has ended, and sets when to look: at once if the other
// end had answered, else in 20 ms to half a second.
func (s *Search) Again(now time.Time) {
	pause := time.Duration(0)
	if s.failed > 0 {
		pause = min(10*time.Millisecond<<min(s.failed, 6), 500*time.Millisecond)
	}
	s.failed++
	s.at = now.Add(pause)
}
