package transport

import "time"

const (
	// messageBytes is how long a merged WebSocket message may get: JavaScript
	// clients break on much longer ones. What is longer by itself goes alone.
	messageBytes = 48 << 10
	// walkBytes is what a walk writes to one member at most, in messages of
	// messageBytes: when a room says more than that per walk, a walk is long.
	walkBytes = 4 * messageBytes
	// walkExceptions is how many members a walk serves apart at most, because it
	// does so before all others and in one go.
	walkExceptions = 128
)

// Merge says how an audience gathers broadcasts into messages. With the zero
// value only what has to wait for a walk anyway is merged.
//
// A merged message is made of whole packages and is never longer than 48 KiB,
// but for a single frame that is. A walk begins when the one before has been
// written, so a loop that cannot keep up has longer windows, not longer queues.
type Merge struct {
	// Every is the window. A broadcast after silence leaves at once and opens
	// it; what comes until its end leaves together then, and opens the next.
	// Negative is 0.
	Every time.Duration
	// Count and Bytes end a window early, when that many broadcasts or bytes of
	// packages wait in a loop. 0: no such bound.
	Count, Bytes int
	// Lossy keeps members that do not read. Instead of closing them when they
	// hold Config.OutLimit unsent bytes, the oldest whole messages they hold are
	// dropped and counted (Stats.DroppedSlow).
	Lossy bool
}

// window decides when a shard's next walk may begin. It is a value: the time is
// an argument, in nanoseconds of the engine's clock.
type window struct {
	Merge
	opens int64 // when time alone allows a walk
}

// set changes the rules; a window that is open ends no later than a new one would.
func (w *window) set(now int64, m Merge) {
	m.Every = max(m.Every, 0)
	w.Merge = m
	w.opens = min(w.opens, now+int64(m.Every))
}

// begin opens the window of a walk that begins now.
func (w *window) begin(now int64) { w.opens = now + int64(w.Every) }

// allows reports whether a walk for what waits may begin.
func (w *window) allows(now int64, count, bytes int) bool {
	return now >= w.opens || w.Count > 0 && count >= w.Count || w.Bytes > 0 && bytes >= w.Bytes
}
