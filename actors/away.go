package actors

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// Sessions are sent away in awaySlices groups, after a quarter of the time in which
// nobody is: the first to go need a moment to go by themselves as well.
const (
	awaySlices = 20
	awayHead   = 4
)

// SendAway opens no more sessions, tells all there are that this node stops, see
// protocol.AwayRoute, and closes them in slices over d, so that they do not all
// connect elsewhere at the same moment. A session whose client waits for an answer
// is closed behind it. SendAway returns when the last has been told to go and
// nothing is left to answer, or ctx has ended.
func (a *App) SendAway(ctx context.Context, d time.Duration, url string) {
	a.stopping.Store(true)
	head := d / awayHead
	d -= head
	var slices [awaySlices][]*Session
	for _, bucket := range a.system.ProcessRegistry.LocalPIDs.LocalPIDs {
		for name, p := range bucket.Items() {
			if s, ok := p.(*Session); ok && strings.HasPrefix(name, namePrefix) {
				i := rand.IntN(awaySlices)
				slices[i] = append(slices[i], s)
				s.Push(protocol.AwayRoute, &protocol.Away{After: (head + d*time.Duration(i+1)/awaySlices).Milliseconds(), URL: url})
			}
		}
	}
	if a.stats.Sessions.Load() == 0 || !timer.Sleep(ctx, head) {
		return
	}
	pace := time.NewTicker(max(d/awaySlices, time.Millisecond))
	defer pace.Stop()
	for _, group := range slices {
		if a.stats.Sessions.Load() == 0 {
			return
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
		for _, s := range group {
			a.leaving.Add(1)
			s.send(&awayOrder{})
		}
	}
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for a.leaving.Load() > 0 {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return // who is left is cut off by Shutdown
		}
	}
}

// awayOrder has a session end as soon as it owes its client nothing.
type awayOrder struct{}

func (*awayOrder) carry(s *Session, _ *turn) {
	if s.ended || s.leaving {
		s.app.leaving.Add(-1)
		return
	}
	s.leaving = true
}

// depart ends a session that has been sent away, unless it has something to answer.
// A client that never stops asking stays until Shutdown.
func (s *Session) depart(t *turn) {
	if !s.leaving || s.busy() && s.state.phase != phaseClosing {
		return
	}
	s.leaving = false
	s.app.leaving.Add(-1)
	if s.state.close(protocol.ReasonShutdown) == actClose {
		s.farewell(t, protocol.ReasonShutdown, "")
	}
}
