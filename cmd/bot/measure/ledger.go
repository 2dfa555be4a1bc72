package measure

import "sync"

// Ledger numbers what one process publishes. A process has one stream per
// room. Safe from any goroutine.
type Ledger struct {
	// Set at birth, read-only afterwards.
	worker uint8
	clock  Clock
	timed  bool // remember when: other processes have members in our rooms

	streams []stream
}

// stream is one room's publications by this process.
type stream struct {
	mu   sync.Mutex
	next uint32
	sent []*sentBlock // sending moments, only when timed
}

// sentBlock keeps a long log from being copied as it grows.
type sentBlock [4096]int64

// NewLedger returns the ledger of process worker for a run with that many
// rooms. timed makes it remember every sending moment (8 bytes each), which is
// needed only when several processes share rooms.
func NewLedger(worker uint8, rooms int, clock Clock, timed bool) *Ledger {
	return &Ledger{worker: worker, clock: clock, timed: timed, streams: make([]stream, rooms)}
}

// Publish gives the next publication to room its number. The caller sends it
// right after, and sends what one session publishes in the order of the numbers.
func (l *Ledger) Publish(room uint32) (seq uint32) {
	s := &l.streams[room]
	s.mu.Lock()
	defer s.mu.Unlock()
	seq = s.next
	s.next++
	if l.timed {
		// The clock is read under the lock, so that moments ascend with numbers.
		if int(seq)%len(sentBlock{}) == 0 {
			s.sent = append(s.sent, new(sentBlock))
		}
		s.sent[len(s.sent)-1][int(seq)%len(sentBlock{})] = l.clock.Now()
	}
	return seq
}

// Published returns how many publications to room have a number.
func (l *Ledger) Published(room uint32) uint32 {
	s := &l.streams[room]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// Total returns how many publications there are in all rooms.
func (l *Ledger) Total() int64 {
	var n int64
	for room := range l.streams {
		n += int64(l.Published(uint32(room)))
	}
	return n
}

// Log returns the sending moments of each room's publications, ascending: what
// the other processes need to know what they were owed. Only for a timed ledger.
func (l *Ledger) Log() Log {
	log := make(Log, len(l.streams))
	for room := range l.streams {
		s := &l.streams[room]
		s.mu.Lock()
		log[room] = make([]int64, s.next)
		for i := range log[room] {
			log[room][i] = s.sent[i/len(sentBlock{})][i%len(sentBlock{})]
		}
		s.mu.Unlock()
	}
	return log
}

// Log holds, per room, when each publication of one process was sent.
type Log [][]int64
