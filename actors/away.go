package actors

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// awaySlices is how many groups sessions are sent away in.
const awaySlices = 20

// SendAway opens no more sessions, tells all there are that this node stops, see
// protocol.AwayRoute, and
// closes them in slices over d, so that they do not all connect elsewhere at the
// same moment. It returns when the last was told to go, or ctx has ended.
func (a *App) SendAway(ctx context.Context, d time.Duration, url string) {
	a.stopping.Store(true)
	var slices [awaySlices][]*Session
	for _, bucket := range a.system.ProcessRegistry.LocalPIDs.LocalPIDs {
		for name, p := range bucket.Items() {
			if s, ok := p.(*Session); ok && strings.HasPrefix(name, namePrefix) {
				i := rand.IntN(awaySlices)
				slices[i] = append(slices[i], s)
				s.Push(protocol.AwayRoute, &protocol.Away{After: (d * time.Duration(i+1) / awaySlices).Milliseconds(), URL: url})
			}
		}
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
			s.Kick(protocol.ReasonShutdown, "")
		}
	}
}
