package actors

// What is Vital of this package's messages, and why there are few of each. Without
// a ring an alarm never rings again: its actor would stand still for ever.
var _ = []Vital{
	// Its actor has one timer.
	(*scheduleRing)(nil), (*farRing)(nil), (*userWake)(nil),
	// One is under way at a time.
	(*flushUsers)(nil), (*shardFound)(nil),
	// Nodes come and go seldom. Who does not hear of it waits for one that is gone.
	(*membersChanged)(nil), (*nodeGone)(nil),
	// The directory gives an order when the last has been carried out, or the lease
	// changes. A shard that misses one may go on while another node has it.
	(*shardSuspend)(nil), (*shardResume)(nil), (*shardStop)(nil),
}

func (*scheduleRing) Vital()   {}
func (*farRing) Vital()        {}
func (*userWake) Vital()       {}
func (*flushUsers) Vital()     {}
func (*shardFound) Vital()     {}
func (*membersChanged) Vital() {}
func (*nodeGone) Vital()       {}
func (*shardSuspend) Vital()   {}
func (*shardResume) Vital()    {}
func (*shardStop) Vital()      {}
