// Package flow repairs one direction of a conversation between two processes that
// loses messages: what a room says to a gate, and what a gate says to a room.
//
// Every message has its place in the flow, beginning with 1. The sender keeps what
// is not acknowledged in a ring of bounded size. The receiver takes messages in
// order only; when it sees a gap it asks for everything from there, and when the
// ring does not reach back so far, it is told how far the loss goes. So each
// message is delivered once and in order, or counted as lost.
//
//	out                         in
//	 │ ── 1 ──────────────────► │ take
//	 │ ── 2 ───────── ✗         │
//	 │ ── 3 ──────────────────► │ gap: dropped, to be sent again
//	 │ ◄───────────── ask 2 ─── │
//	 │ ── 2, 3 ───────────────► │ take, take
//	 │ ◄───────────── ack 3 ─── │
//	 │ ── 4 ───────── ✗         │
//	 │ ── head 4 ─────────────► │ the last one is missing: nothing else would tell
//	 │ ◄───────────── ask 4 ─── │
//
// Both ends are values: they take the time, do nothing by themselves and belong
// to one goroutine each.
package flow
