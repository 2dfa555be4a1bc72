package flow

import "time"

// In is the receiving end. The zero In expects the first message.
type In struct {
	have    uint64 // place up to which all was taken or given up
	seen    uint64 // the last place that the sender is known to have used
	acked   uint64 // what the sender has been told
	tellAt  time.Time
	askedAt time.Time
	asked   uint64 // the last place that was asked for, with all before it
	moved   bool   // something of that has come since the last look

	stats InStats
}

// InStats is what a receiving end counts.
type InStats struct {
	Taken      uint64
	Duplicates uint64 // received before
	Gaps       uint64 // times that something was missing
	Lost       uint64 // messages that never came and never will
}

// askEvery is the time for an asked-for message to come, before it is asked for
// again.
const askEvery = 200 * time.Millisecond

// ackEvery is how many messages may be taken before the sender should be told.
const ackEvery = 32

// Take says whether the message at place is the next one. When it is not, it was
// taken before, or something before it is missing, and it will come again.
func (in *In) Take(place uint64) bool {
	in.seen = max(in.seen, place)
	switch {
	case place == in.have+1:
		in.have = place
		in.moved = true
		in.stats.Taken++
		return true
	case place <= in.have:
		in.stats.Duplicates++
	}
	return false
}

// Head takes in what the sender's last place is.
func (in *In) Head(last uint64) { in.seen = max(in.seen, last) }

// GiveUp takes in that all before place is lost, and returns how many messages
// that are.
func (in *In) GiveUp(place uint64) (lost uint64) {
	if place <= in.have+1 {
		return 0
	}
	lost = place - 1 - in.have
	in.have = place - 1
	in.seen = max(in.seen, in.have)
	in.stats.Lost += lost
	return lost
}

// Ask says whether to ask the sender for everything from a place on, and when to
// look again; a zero time is never, until the next message. It is for after a Take
// that returned false, a Head, and the time that it named. While what was asked for
// keeps coming it is not asked for again.
func (in *In) Ask(now time.Time) (place uint64, ask bool, next time.Time) {
	if in.seen == in.have {
		return 0, false, time.Time{}
	}
	if in.have < in.asked && in.moved { // it is on its way
		in.askedAt = now
	}
	in.moved = false
	if next = in.askedAt.Add(askEvery); in.have < in.asked && now.Before(next) {
		return 0, false, next
	}
	if in.have >= in.asked {
		in.stats.Gaps++
	}
	in.askedAt, in.asked = now, in.seen
	return in.have + 1, true, now.Add(askEvery)
}

// Ack returns the place up to which the sender is to be told that all is here. It
// counts as told.
func (in *In) Ack() uint64 {
	in.acked, in.tellAt = in.have, time.Time{}
	return in.have
}

// owes says how the sender should be told: not at all, some time soon, or now.
func (in *In) owes() (soon, now bool) {
	return in.have > in.acked, in.have-in.acked >= ackEvery
}

// Tell says whether the sender is to be told now, and when to look again; a zero
// time is never, until the next message. What is owed soon waits for a message that
// goes the other way anyhow and carries Ack, but no longer than within.
func (in *In) Tell(now time.Time, within time.Duration) (tell bool, next time.Time) {
	switch soon, atOnce := in.owes(); {
	case !soon:
		return false, time.Time{}
	case atOnce || !in.tellAt.IsZero() && !now.Before(in.tellAt):
		return true, time.Time{}
	case in.tellAt.IsZero():
		in.tellAt = now.Add(within)
	}
	return false, in.tellAt
}

// Have is the place up to which all was taken or given up.
func (in *In) Have() uint64 { return in.have }

// Stats returns the counters.
func (in *In) Stats() InStats { return in.stats }
