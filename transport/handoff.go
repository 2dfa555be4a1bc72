package transport

import (
	"net"
	"sync"
)

// handoffQueue is how many connections may wait for the HTTP server to accept
// them. It accepts at once unless the process is starved; then a refused page
// is better than a blocked loop.
const handoffQueue = 128

// handoffListener is a net.Listener without a socket: its connections are those
// that turned out to be plain HTTP. All methods are safe from any goroutine.
type handoffListener struct {
	addr net.Addr

	mu     sync.Mutex // makes hand and Close exclude each other: no connection is lost between them
	closed bool
	conns  chan net.Conn
}

// newHandoffListener returns a listener whose Addr is addr.
func newHandoffListener(addr net.Addr) *handoffListener {
	return &handoffListener{addr: addr, conns: make(chan net.Conn, handoffQueue)}
}

// hand gives c to Accept without ever blocking. false means that the listener is
// closed or its queue full; c is then still the caller's to close.
func (l *handoffListener) hand(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	select {
	case l.conns <- c:
		return true
	default:
		return false
	}
}

// Accept waits for the next connection that was handed over. After Close the
// error is net.ErrClosed.
func (l *handoffListener) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, &net.OpError{Op: "accept", Net: l.addr.Network(), Addr: l.addr, Err: net.ErrClosed}
}

// Close ends Accept and closes the connections that nobody accepted. Closing
// twice is harmless.
func (l *handoffListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.conns)
	for c := range l.conns {
		c.Close()
	}
	return nil
}

// Addr is the address given to newHandoffListener.
func (l *handoffListener) Addr() net.Addr { return l.addr }

// prefixConn is a connection some bytes of which have been read already: Read
// returns those first.
type prefixConn struct {
	net.Conn

	mu     sync.Mutex // net.Conn allows concurrent reads
	prefix []byte
}

// newPrefixConn returns c with a copy of prefix in front of it.
func newPrefixConn(c net.Conn, prefix []byte) net.Conn {
	return &prefixConn{Conn: c, prefix: append([]byte(nil), prefix...)}
}

// Read reads the prefix, then the connection. It never waits while there is
// prefix left, whatever the deadline.
func (c *prefixConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	if len(c.prefix) > 0 {
		defer c.mu.Unlock()
		n := copy(b, c.prefix)
		if c.prefix = c.prefix[n:]; len(c.prefix) == 0 {
			c.prefix = nil // the head is not kept for the life of a download
		}
		return n, nil
	}
	c.mu.Unlock()
	return c.Conn.Read(b)
}

// CloseWrite half-closes where the connection can. net/http looks for it so
// that a client reads the answer to a body that was refused before the reset.
func (c *prefixConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
