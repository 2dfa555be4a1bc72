package rooms

import "github.com/shaddock-game/shaddock/actors"

// What is actors.Vital of this package's messages, and why there are few of each.
// Without a ring an alarm never rings again: a room would stand still for ever.
var _ = []actors.Vital{
	// Its actor has one timer for each.
	(*wake)(nil), (*farWake)(nil), (*saveWake)(nil), (*repeat)(nil),
	// One is under way at a time.
	(*flushNow)(nil), (*found)(nil), (*claimDone)(nil), (*saveDone)(nil), (*lastDone)(nil),
	// The game has begun so many.
	(*asyncDone)(nil),
	// The placement and a room exchange them one at a time, and do not answer for
	// the room before the other has.
	(*passivate)(nil), (*stayed)(nil), (*stopIfIdle)(nil), (*shut)(nil), (*stopAll)(nil),
	// The directory gives an order when the last has been carried out, or the lease
	// changes. A room that misses one may go on while another node has it.
	(*suspend)(nil), (*resume)(nil), (*moveAway)(nil), (*giveUp)(nil),
	// Nodes leave seldom. Who does not hear of it keeps their ghosts.
	(*nodeGone)(nil), (*returned)(nil),
}

func (*wake) Vital()       {}
func (*farWake) Vital()    {}
func (*saveWake) Vital()   {}
func (*repeat) Vital()     {}
func (*flushNow) Vital()   {}
func (*found) Vital()      {}
func (*claimDone) Vital()  {}
func (*saveDone) Vital()   {}
func (*lastDone) Vital()   {}
func (*asyncDone) Vital()  {}
func (*passivate) Vital()  {}
func (*stayed) Vital()     {}
func (*stopIfIdle) Vital() {}
func (*shut) Vital()       {}
func (*stopAll) Vital()    {}
func (*suspend) Vital()    {}
func (*resume) Vital()     {}
func (*moveAway) Vital()   {}
func (*giveUp) Vital()     {}
func (*nodeGone) Vital()   {}
func (*returned) Vital()   {}
