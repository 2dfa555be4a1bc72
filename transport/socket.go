package transport

import "syscall"

// socket is the system's side of a connection. No method waits for the peer.
// read and attach are called by the loop; the others under the connection's
// lock, which is what keeps a descriptor from being closed, and its number used
// again, while somebody writes to it.
type socket interface {
	// attach makes the socket report its readiness to c's loop.
	attach(c *Conn) error
	// read returns errAgain when there is nothing, io.EOF when there never will be.
	read(b []byte) (int, error)
	// write sends what it can of b; errAgain comes with what could not be sent.
	write(b []byte) (int, error)
	// flush sends what it can of the queue's entries, in order, and returns how
	// many bytes that was.
	flush(entries []outEntry) (int, error)
	// watch sets which readiness is reported. Reporting output means that
	// c.writable will be called, or that the socket empties c's queue by itself.
	watch(in, out bool)
	// shutdown ends our direction, behind what was written.
	shutdown()
	// close releases the socket; reset says not to wait for what the peer has
	// yet to take.
	close(reset bool)
}

// errAgain says that a socket would have to wait.
const errAgain = syscall.EAGAIN

// noDescriptor is the descriptor of a socket that has none.
const noDescriptor = -1
