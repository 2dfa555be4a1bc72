package rooms

import (
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// A new activation of a room does not know whether there was one before, and which
// gates have members of it. Were it to begin with the first that speaks, what it
// says until the others have found it would be lost to their members without a
// word. So it calls the roll: every gate answers that it has nobody, or begins to
// talk and says whom it has. Until all have, or rollTime has passed, calls wait.
// It costs a room that opens one message to each gate and one round trip.

// rollTime is how long a room waits for gates that do not answer. They are told
// to resync when they come.
const rollTime = 300 * time.Millisecond

// call calls the roll.
func (f *far) callRoll(view *roster.View) {
	f.roll = make(map[string]bool)
	for _, m := range view.Members() {
		if !m.Has(roster.Gate) || f.gates[m.ID] != nil {
			continue
		}
		f.roll[m.ID] = true
		err := f.line(link.Peer{ID: m.ID, Addr: m.Addr}, &wire.Envelope{
			Op: wire.OpFromRoom + wire.TalkRoll, Kind: f.key.Kind, Id: f.key.ID, Epoch: f.epoch,
		})
		if err != nil {
			delete(f.roll, m.ID) // no connection: it will find us, late
		}
	}
}

// present notes that a gate has answered.
func (f *far) present(id string) { delete(f.roll, id) }

// rolled says whether everybody has answered.
func (f *far) rolled() bool { return len(f.roll) == 0 }

// endRoll gives up on those that have not.
func (f *far) endRoll() {
	f.stats.lateGates.Add(int64(len(f.roll)))
	f.roll = nil
}
