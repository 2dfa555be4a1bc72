package actors

import (
	"strconv"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/protocol"
)

type counter interface{ Add(int64) int64 }

// counters are what sessions and mailboxes count.
type counters struct {
	Sessions, Opened                    atomic.Int64
	Ended                               [protocol.NumReasons]atomic.Int64
	Outcomes                            [len(codes)]atomic.Int64
	Malformed, Limited, NoRoute         atomic.Int64
	NotifyErrors, Unwritable            atomic.Int64
	Timeouts, LateAnswers               atomic.Int64
	Users, Logins                       atomic.Int64
	LoginsRefused, Forced               atomic.Int64
	Panics, MailboxRefused, DeadLetters atomic.Int64
	FarSent, FarRefused                 atomic.Int64
	FarEnded, FarUnreadable             atomic.Int64
}

// codes are the answers counted one by one; the last stands for all others.
var codes = [...]protocol.Code{
	protocol.CodeOK, protocol.CodeBadRequest, protocol.CodeUnauthenticated, protocol.CodeRefused,
	protocol.CodeNoRoute, protocol.CodeTimeout, protocol.CodeConflict, protocol.CodeLimited,
	protocol.CodeInternal, protocol.CodeUnavailable, 0,
}

// outcome counts one answered request.
func (c *counters) outcome(code protocol.Code) {
	for i, known := range codes {
		if known == code || known == 0 {
			c.Outcomes[i].Add(1)
			return
		}
	}
}

// Stats is a snapshot of an application's counters.
type Stats struct {
	Sessions       int64            // now
	Opened         int64            // ever
	Ended          map[string]int64 // by the name of the reason
	Requests       map[string]int64 // answered, by code; "other" for a handler's own codes
	Malformed      int64            // messages that closed their connection
	Limited        int64            // messages over the rate
	NoRoute        int64            // messages for a route that nobody serves
	NotifyErrors   int64            // notifies that failed, with nobody to tell
	Unwritable     int64            // pushes that could not be encoded
	Timeouts       int64            // awaited answers that did not come
	LateAnswers    int64            // answers that came after that, or twice
	Users          int64            // logged in now
	Logins         int64            // ever
	LoginsRefused  int64            // by the policy for duplicate logins
	Forced         int64            // sessions that had to be cut off for a newer login
	Panics         int64            // of handlers and actors
	MailboxRefused int64            // messages that a full mailbox refused
	DeadLetters    int64            // messages to actors that are gone, whose sender did not care
	FarSent        int64            // messages for sessions and groups of other nodes
	FarRefused     int64            // those that could not be sent: the node is not there or does not keep up
	FarEnded       int64            // messages of other nodes for sessions that had ended
	FarUnreadable  int64            // messages of other nodes that could not be carried out here
}

// Stats returns the counters as they are now.
func (a *App) Stats() Stats {
	c := &a.stats
	s := Stats{
		Sessions: c.Sessions.Load(), Opened: c.Opened.Load(),
		Ended: make(map[string]int64), Requests: make(map[string]int64),
		Malformed: c.Malformed.Load(), Limited: c.Limited.Load(), NoRoute: c.NoRoute.Load(),
		NotifyErrors: c.NotifyErrors.Load(), Unwritable: c.Unwritable.Load(),
		Timeouts: c.Timeouts.Load(), LateAnswers: c.LateAnswers.Load(), Panics: c.Panics.Load(),
		Users: c.Users.Load(), Logins: c.Logins.Load(),
		LoginsRefused: c.LoginsRefused.Load(), Forced: c.Forced.Load(),
		MailboxRefused: c.MailboxRefused.Load(), DeadLetters: c.DeadLetters.Load(),
		FarSent: c.FarSent.Load(), FarRefused: c.FarRefused.Load(),
		FarEnded: c.FarEnded.Load(), FarUnreadable: c.FarUnreadable.Load(),
	}
	for r := range protocol.Reasons() {
		if n := c.Ended[r].Load(); n > 0 {
			s.Ended[r.Name()] = n
		}
	}
	for i, code := range codes {
		name := strconv.Itoa(int(code))
		if code == 0 {
			name = "other"
		}
		s.Requests[name] = c.Outcomes[i].Load()
	}
	return s
}
