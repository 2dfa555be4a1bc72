// Package post carries messages between the processes of a cluster that must not be
// lost in silence and need no answer: what one process has to say to a session, a
// user or a group of another.
//
// From each process to each other leads one repaired flow (package flow). A message
// arrives once and in the order of the calls of its sender, or its sender is told
// that it does not: at once, when Post refuses it, or when the receiver leaves the
// cluster before it has confirmed it. What is posted to one process while the last
// messages are being written travels as one envelope.
//
//	Post ──► lane ══ flow of batches ══► lane ──► Config.Posted
//	          │ keeps what is not confirmed, at most Config.Bytes
package post
