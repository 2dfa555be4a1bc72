package flow

import "time"

// Limits bound what an Out keeps. Past either, the oldest is forgotten, and if it
// has to be asked for, lost. They may be changed at any time and count from the next
// Push on.
type Limits struct {
	Messages int // 1024 when zero
	Bytes    int // 1 MiB when zero
}

// Out is the sending end. The zero Out is ready for use and keeps by the default
// limits.
type Out struct {
	Limits Limits

	last  uint64   // place of the last message
	kept  [][]byte // the messages up to last that are kept
	bytes int      // in kept
	acked uint64
	lost  uint64 // forgotten before they were acknowledged

	stalled bool // a message could not be sent: those behind it would be for nothing
	probeAt time.Time
	pause   time.Duration
}

// Probing asks after messages that nobody acknowledges, less and less often.
const (
	firstProbe = 200 * time.Millisecond
	lastProbe  = 2 * time.Second
)

// Push adds a message and returns its place, and whether it should be sent now.
// When it is not, or could not be, it is sent when the receiver asks for it.
// The flow keeps body, which nobody changes any more.
func (o *Out) Push(now time.Time, body []byte) (place uint64, send bool) {
	if o.acked == o.last {
		o.pause = firstProbe
		o.probeAt = now.Add(o.pause)
	}
	o.last++
	o.kept = append(o.kept, body)
	o.bytes += len(body)
	most, bytes := o.Limits.Messages, o.Limits.Bytes
	if most == 0 {
		most = 1024
	}
	if bytes == 0 {
		bytes = 1 << 20
	}
	n := 0
	for len(o.kept)-n > most || o.bytes > bytes && len(o.kept)-n > 1 {
		o.bytes -= len(o.kept[n])
		n++
	}
	o.drop(n)
	o.lost += uint64(n)
	return o.last, !o.stalled
}

// Refused notes that a message could not be sent.
func (o *Out) Refused() { o.stalled = true }

// Ack takes in that all up to place has been received or given up.
func (o *Out) Ack(now time.Time, place uint64) {
	if place <= o.acked || place > o.last {
		return
	}
	o.acked = place
	o.pause = firstProbe
	o.probeAt = now.Add(o.pause)
	if first := o.first(); place >= first {
		n := int(place - first + 1)
		for _, b := range o.kept[:n] {
			o.bytes -= len(b)
		}
		o.drop(n)
	}
}

// Ask takes in that the receiver lacks everything from place on. It returns the
// messages to send, the place of the first of them, and whether messages before
// that are lost. The slice is the flow's, valid until its next call.
func (o *Out) Ask(now time.Time, place uint64) (first uint64, messages [][]byte, lost bool) {
	if place == 0 || place > o.last {
		return 0, nil, false
	}
	o.stalled = false
	o.Ack(now, place-1)
	o.pause = firstProbe
	o.probeAt = now.Add(o.pause)
	first = o.first()
	if place < first {
		return first, o.kept, true
	}
	return place, o.kept[place-first:], false
}

// Probe says whether the receiver is to be told what the last place is, and when
// to look again; a zero time is never, until the next Push.
func (o *Out) Probe(now time.Time) (last uint64, probe bool, next time.Time) {
	if o.acked == o.last {
		return 0, false, time.Time{}
	}
	if now.Before(o.probeAt) {
		return 0, false, o.probeAt
	}
	o.pause = min(2*o.pause, lastProbe)
	o.probeAt = now.Add(o.pause)
	return o.last, true, o.probeAt
}

// Waiting is how many messages are not acknowledged.
func (o *Out) Waiting() int { return int(o.last - o.acked) }

// Bytes is how many bytes are kept.
func (o *Out) Bytes() int { return o.bytes }

// Forgotten is how many messages the limits have pushed out before they were
// acknowledged. The receiver may have them all the same.
func (o *Out) Forgotten() uint64 { return o.lost }

// Acked is the place up to which the receiver has all, or has given it up.
func (o *Out) Acked() uint64 { return o.acked }

// Last is the place of the last message, 0 before the first.
func (o *Out) Last() uint64 { return o.last }

func (o *Out) first() uint64 { return o.last - uint64(len(o.kept)) + 1 }

// drop forgets the n oldest. What append finds full it copies without them, so the
// slice does not grow for ever.
func (o *Out) drop(n int) {
	clear(o.kept[:n])
	o.kept = o.kept[n:]
	if len(o.kept) == 0 {
		o.kept = nil
	}
}
