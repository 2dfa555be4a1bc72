// Package transport moves bytes between sockets and receivers. It speaks
// pomelo packages over TCP and WebSocket on one port, hands plain HTTP to
// net/http, and knows no players.
//
//	        ┌───────────────────────── loop (one goroutine) ─────────────────────────┐
//	socket ─► read into a chunk ─► unmask and cut in place ─► Receiver.Packet
//	        │ ops from other goroutines, in order ─► walks over an audience's members ─► write(2)
//	        │ timer wheel ─► Receiver.Tick                                            │
//	        └────────────────────────────────────────────────────────────────────────┘
//
// A loop owns the read side of its connections, their timers, and its shard of
// every audience; none of that has a lock. It sleeps on a poller: epoll over raw
// descriptors, or the portable one, where every connection is a net.Conn with a
// reading goroutine (TLS, in-memory pipes, other systems than Linux).
//
// The write side of a connection has a small lock, so that any goroutine may
// write: straight to the socket when nothing is queued, else to a bounded queue.
//
// A connection costs about 300 bytes while it is idle, and no buffer.
package transport
