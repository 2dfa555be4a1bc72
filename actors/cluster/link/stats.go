package link

import "sync/atomic"

type stats struct {
	sent, sentBytes, received, receivedBytes         atomic.Int64
	refusedBusy, refusedDown, broken, pings, unknown atomic.Int64
	calls, retries                                   atomic.Int64
	ends                                             [len(callEnds)][len(callTries)]atomic.Int64
	repeated, overrun, answersHeld                   atomic.Int64
}

// callEnd is how a call ended.
type callEnd uint8

const (
	callAnswered callEnd = iota
	callRefused          // the answer is an error
	callUnsent           // certainly not carried out
	callUnknown          // nobody knows whether it was carried out
)

var (
	callEnds  = [...]string{"answered", "refused", "unsent", "unknown"}
	callTries = [...]string{"1", "2", "more"}
)

// ended counts the end of a call.
func (s *stats) ended(how callEnd, tries int) {
	s.ends[how][min(max(tries, 1), len(callTries))-1].Add(1)
}

// CallCount is how many calls ended in one way after so many tries.
type CallCount struct {
	Result string // answered, refused, unsent (certainly not carried out) or unknown
	Tries  string // 1, 2 or more
	N      int64
}

// Stats is a snapshot of a link's counters, over all peers.
type Stats struct {
	Sent, SentBytes         int64 // handed to the carrier
	Received, ReceivedBytes int64
	RefusedBusy             int64 // by a full window
	RefusedDown             int64 // for want of a connection
	Broken                  int64 // connections lost
	Pings                   int64 // asked after messages that nobody acknowledged
	Unknown                 int64 // messages with an op that this node does not know
	Lost                    int64 // sent to us, and never arrived
	Calls                   int64 // made
	Retries                 int64 // tries after the first
	Ended                   []CallCount
	Repeated                int64 // calls of peers that we had had already
	Overrun                 int64 // calls of peers that our inbox did not take
	AnswersHeld             int64 // answers that wait to be asked for again
	Peers                   []PeerStats
}

// PeerStats is the state of the way to one peer.
type PeerStats struct {
	Peer
	InFlight uint64 // messages that are not acknowledged
	Lost     uint64
	Down     bool
}

// Stats returns the counters.
func (l *Link) Stats() Stats {
	c := &l.stats
	s := Stats{
		Sent: c.sent.Load(), SentBytes: c.sentBytes.Load(),
		Received: c.received.Load(), ReceivedBytes: c.receivedBytes.Load(),
		RefusedBusy: c.refusedBusy.Load(), RefusedDown: c.refusedDown.Load(), Broken: c.broken.Load(),
		Pings: c.pings.Load(), Unknown: c.unknown.Load(),
		Calls: c.calls.Load(), Retries: c.retries.Load(),
		Repeated: c.repeated.Load(), Overrun: c.overrun.Load(), AnswersHeld: c.answersHeld.Load(),
	}
	for how := range c.ends {
		for tries := range c.ends[how] {
			s.Ended = append(s.Ended, CallCount{callEnds[how], callTries[tries], c.ends[how][tries].Load()})
		}
	}
	l.peers.Range(func(_, v any) bool {
		p := v.(*peer)
		acked := p.acked.Load()
		s.Peers = append(s.Peers, PeerStats{p.Peer, p.sent.Load() - acked, p.lost(), p.down.Load()})
		s.Lost += int64(p.lost())
		return true
	})
	return s
}
