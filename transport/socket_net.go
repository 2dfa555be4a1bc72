package transport

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// netSocket is a connection of the net package: TLS, a pipe, or any connection on
// a system without epoll. It has a goroutine that reads and, while something
// waits to be sent, one that writes.
type netSocket struct {
	nc net.Conn
	c  *Conn

	// Under mu.
	mu    sync.Mutex
	space sync.Cond // input was taken, or is to be closed
	in    []byte    // read and not taken
	err   error     // what ended the reading
	quiet bool      // input is not wanted now
	gone  bool
	done  chan struct{} // closed when the reader has ended

	// Under the connection's lock.
	writing bool
	ending  bool // shut our direction when the writer is done
}

func newNetSocket(nc net.Conn) *netSocket {
	s := &netSocket{nc: nc, done: make(chan struct{})}
	s.space.L = &s.mu
	return s
}

// netRead is how much a reader takes at once.
const netRead = 4 << 10

func (s *netSocket) attach(c *Conn) error {
	s.c = c
	c.loop.side.Go(s.readAll)
	return nil
}

// readAll reads until the end, a piece at a time.
func (s *netSocket) readAll() {
	defer close(s.done)
	buf := make([]byte, netRead)
	for {
		n, err := s.nc.Read(buf)
		s.mu.Lock()
		s.in, s.err = buf[:n], err
		if s.gone {
			s.mu.Unlock()
			return
		}
		s.c.loop.post(op{kind: opReady, conn: s.c})
		for len(s.in) > 0 && !s.gone {
			s.space.Wait()
		}
		stop := s.gone || err != nil
		s.mu.Unlock()
		if stop {
			return
		}
	}
}

func (s *netSocket) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet {
		return 0, errAgain
	}
	if len(s.in) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		return 0, errAgain
	}
	n := copy(b, s.in)
	if s.in = s.in[n:]; len(s.in) > 0 || s.err != nil {
		s.c.loop.post(op{kind: opReady, conn: s.c})
	}
	s.space.Signal()
	return n, nil
}

// write leaves everything to the writer: a net.Conn cannot be asked not to wait.
func (s *netSocket) write([]byte) (int, error) { return 0, errAgain }

func (s *netSocket) flush([]outEntry) (int, error) { return 0, errAgain }

func (s *netSocket) watch(in, out bool) {
	s.mu.Lock()
	wake := in && s.quiet
	s.quiet = !in
	s.mu.Unlock()
	if wake {
		s.c.loop.post(op{kind: opReady, conn: s.c})
	}
	if out && !s.writing {
		s.writing = true
		s.c.loop.side.Go(s.writeAll)
	}
}

// writeAll empties the connection's queue. Many pieces leave in one call.
func (s *netSocket) writeAll() {
	c := s.c
	for {
		c.mu.Lock()
		if c.out == nil || c.closed {
			s.writing = false
			if s.ending {
				s.halfClose()
			}
			c.mu.Unlock()
			return
		}
		var all net.Buffers
		total := 0
		for i := range c.out.entries {
			e := &c.out.entries[i]
			e.begun = true
			all = append(all, e.b)
			total += len(e.b)
		}
		c.mu.Unlock()
		n, err := all.WriteTo(s.nc)
		c.mu.Lock()
		if c.out != nil {
			c.sent(min(int(n), c.out.bytes))
		}
		c.loop.stats.writes.Add(1)
		s.writing = c.out != nil && err == nil // decided under the lock: one writer at a time
		again := s.writing
		if !again && s.ending {
			s.halfClose()
		}
		c.mu.Unlock()
		if err != nil || int(n) < total {
			c.loop.post(op{kind: opGone, conn: c, err: errors.Join(err, io.ErrShortWrite)})
			return
		}
		if !again {
			return
		}
	}
}

// shutdown is called under the connection's lock, with nothing queued.
func (s *netSocket) shutdown() {
	if s.ending = true; !s.writing {
		s.halfClose()
	}
}

func (s *netSocket) halfClose() {
	if half, ok := s.nc.(interface{ CloseWrite() error }); ok {
		s.aside(func() { _ = half.CloseWrite() }) // a peer that has gone is found by the reader
	}
}

// take ends the reader and returns the connection with all that was read from it.
func (s *netSocket) take(read []byte) net.Conn {
	s.mu.Lock()
	s.gone = true
	s.space.Signal()
	s.mu.Unlock()
	_ = s.nc.SetReadDeadline(longAgo) // a connection that has ended reads no more either
	<-s.done
	_ = s.nc.SetReadDeadline(time.Time{})
	return newPrefixConn(s.nc, append(read, s.in...))
}

func (s *netSocket) close(bool) {
	s.mu.Lock()
	s.gone = true
	s.space.Signal()
	s.mu.Unlock()
	s.aside(func() { s.nc.Close() })
}

// aside does what may wait for the peer: a TLS connection says goodbye first.
func (s *netSocket) aside(f func()) {
	if s.c == nil {
		f() // never was a loop's
		return
	}
	s.c.loop.side.Go(f)
}

// longAgo is a deadline that has passed on every clock.
var longAgo = time.Unix(1, 0)
