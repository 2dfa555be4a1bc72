// Package link carries envelopes between the processes of a cluster.
//
// The actor runtime's remote is fast and promises nothing: what is sent may be
// lost without a word, queues grow without a limit, and a queue for a process
// that crashed is delivered to whoever listens there next. Link puts under control
// what can be controlled without slowing it down:
//
//	names      every message is for one boot of a process; the next one at that
//	           address never sees it
//	window     at most so many messages and bytes are on the way to a peer; past
//	           it Send refuses, at once, and is counted
//	loss       is noticed and counted, and the window goes on
//	calls      are repeated with the same number and answered once; what is known
//	           of a failed one's delivery is part of its error
//
// It does not make messages reliable: who needs that keeps what it sent and asks
// for what is missing (package flow), or makes a call.
package link
