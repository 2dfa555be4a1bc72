package actorstest

import (
	"slices"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// Audience is a room's fan-out port over Wires: every call is carried out at once,
// and replies are held as a transport holds them. Use it from one goroutine at a
// time, as a room does.
type Audience struct{ members []actors.Wire }

var _ actors.Audience = (*Audience)(nil)

// NewAudience returns an empty audience; it fits Config.NewAudience.
func NewAudience() actors.Audience { return &Audience{} }

// Join implements actors.Audience.
func (a *Audience) Join(w actors.Wire) {
	if !slices.Contains(a.members, w) {
		a.members = append(a.members, w)
	}
}

// Leave implements actors.Audience.
func (a *Audience) Leave(w actors.Wire) {
	a.members = slices.DeleteFunc(a.members, func(m actors.Wire) bool { return m == w })
}

// Send implements actors.Audience.
func (a *Audience) Send(w actors.Wire, f protocol.Frame) { w.(*Wire).frame(f, true) }

// Reply implements actors.Audience.
func (a *Audience) Reply(w actors.Wire, v any) { w.(*Wire).reply(v) }

// Multicast implements actors.Audience.
func (a *Audience) Multicast(ws []actors.Wire, f protocol.Frame, done func(sent, dropped int)) {
	for _, w := range ws {
		a.Send(w, f)
	}
	if done != nil {
		done(len(ws), 0)
	}
}

// Broadcast implements actors.Audience.
func (a *Audience) Broadcast(f protocol.Frame, except actors.Wire, done func(sent, dropped int)) {
	to := slices.DeleteFunc(slices.Clone(a.members), func(m actors.Wire) bool { return m == except })
	a.Multicast(to, f, done)
}

// SetMerge implements actors.Audience; nothing waits here that could be merged.
func (a *Audience) SetMerge(actors.Merge) {}

// Close implements actors.Audience.
func (a *Audience) Close() { a.members = nil }
