package rooms

import "sync/atomic"

// traffic counts what is pushed to all members. Any goroutine.
type traffic struct {
	pushed, pending, bytes atomic.Int64
	delivered, dropped     atomic.Int64
}

// begin counts messages that set out together, end what became of them.
func (t *traffic) begin(messages, bytes int64) {
	t.pushed.Add(messages)
	t.pending.Add(messages)
	t.bytes.Add(bytes)
}

func (t *traffic) end(messages, bytes int64, sent, dropped int) {
	t.delivered.Add(messages * int64(sent))
	t.dropped.Add(messages * int64(dropped))
	t.pending.Add(-messages)
	t.bytes.Add(-bytes)
}

// Traffic is what rooms of one kind have pushed to all their members. Once nothing
// is pending, each push was delivered or dropped once for each member there was,
// but for members on text endpoints where the push has no text.
type Traffic struct {
	Pushed       int64 // messages, ever
	Pending      int64 // messages that are being delivered now
	PendingBytes int64
	Delivered    int64 // to sockets or their queues: one for each message and member
	Dropped      int64 // the receiver had ended, was too slow, or the loop had too much to do
}

// Traffic returns the counters of one kind, zero for a kind that is not installed.
func (h *Host) Traffic(kind string) Traffic {
	t, ok := h.traffic[kind]
	if !ok {
		return Traffic{}
	}
	return Traffic{
		Pushed: t.pushed.Load(), Pending: t.pending.Load(), PendingBytes: t.bytes.Load(),
		Delivered: t.delivered.Load(), Dropped: t.dropped.Load(),
	}
}
