package transport

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// PipeConfig says how an in-memory connection behaves. The zero value works.
type PipeConfig struct {
	// Buffer is the number of bytes each direction holds before Write waits,
	// as a socket's buffers do. Default 64 KiB.
	Buffer int
	// ClientAddr and ServerAddr are what the two ends say they are; tests of
	// limits per address set the first. Default: an address of network "pipe".
	ClientAddr, ServerAddr net.Addr
}

// Pipe returns the two ends of a connection inside the process, with default
// buffers; see PipeConfig.New.
func Pipe() (client, server *PipeConn) { return PipeConfig{}.New() }

// New returns the two ends of a connection inside the process. Unlike net.Pipe
// it is buffered, like a socket: a small write succeeds without a reader. Inside
// a testing/synctest bubble a waiting Read or Write is durably blocked, so fake
// time goes on, provided that the pipe was made in the bubble.
func (cfg PipeConfig) New() (client, server *PipeConn) {
	if cfg.Buffer <= 0 {
		cfg.Buffer = 64 << 10
	}
	if cfg.ClientAddr == nil {
		cfg.ClientAddr = pipeAddr{}
	}
	if cfg.ServerAddr == nil {
		cfg.ServerAddr = pipeAddr{}
	}
	up, down := newPipeHalf(cfg.Buffer), newPipeHalf(cfg.Buffer)
	client = &PipeConn{in: down, out: up, local: cfg.ClientAddr, remote: cfg.ServerAddr}
	server = &PipeConn{in: up, out: down, local: cfg.ServerAddr, remote: cfg.ClientAddr}
	return client, server
}

// pipeAddr is the address of an end that was not given another.
type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// PipeConn is one end of a pipe, a net.Conn. Its methods are safe from any
// goroutine. Errors are those of sockets: io.EOF when the other end has closed
// and all is read, net.ErrClosed after one's own Close, io.ErrClosedPipe when
// nobody is left to read, os.ErrDeadlineExceeded.
type PipeConn struct {
	in, out       *pipeHalf
	local, remote net.Addr
}

// Read waits for bytes, the end, or the deadline, which wins over bytes.
func (c *PipeConn) Read(b []byte) (int, error) { return c.in.read(b) }

// Write waits for room until all of b is written. It keeps no reference to b.
func (c *PipeConn) Write(b []byte) (int, error) { return c.out.write(b) }

// Close closes both directions. The other end can still read what was written.
func (c *PipeConn) Close() error {
	c.in.closeRead()
	c.out.closeWrite(true)
	return nil
}

// CloseWrite says that no more will be written; reading goes on.
func (c *PipeConn) CloseWrite() error {
	c.out.closeWrite(false)
	return nil
}

// Stall makes Read wait although there are bytes, until it is called with
// false: a client that stops reading, without touching its code. Deadlines and
// Close still end a Read.
func (c *PipeConn) Stall(on bool) { c.in.stall(on) }

// Buffered is the number of bytes that the other end has written and this one
// has not read.
func (c *PipeConn) Buffered() int { return c.in.buffered() }

// LocalAddr is the address of this end.
func (c *PipeConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the address of the other end.
func (c *PipeConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *PipeConn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t) // it fails when the other does
	return c.SetWriteDeadline(t)
}

// SetReadDeadline ends waiting and later Reads at t; zero is never.
func (c *PipeConn) SetReadDeadline(t time.Time) error {
	h := c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readClosed {
		return net.ErrClosed
	}
	h.reading.set(h, t)
	return nil
}

// SetWriteDeadline ends waiting and later Writes at t; zero is never.
func (c *PipeConn) SetWriteDeadline(t time.Time) error {
	h := c.out
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writeClosed {
		return net.ErrClosed
	}
	h.writing.set(h, t)
	return nil
}

// pipeHalf is one direction. Everything is guarded by mu; changed is broadcast
// on every change that someone may wait for.
type pipeHalf struct {
	limit int

	mu      sync.Mutex
	changed sync.Cond
	buf     []byte // buf[off:] is unread
	off     int

	ended       bool // the writer has written its last: Reads end with io.EOF
	writeClosed bool // and has closed its end altogether
	readClosed  bool // the reader has closed
	stalled     bool

	reading, writing pipeDeadline
}

// pipeDeadline is the deadline of one side of a pipeHalf. The clock decides, so
// that two deadlines of one instant pass together; the timer only wakes.
type pipeDeadline struct {
	at    time.Time   // zero: never
	timer *time.Timer // nil when nothing is to come
	fired bool        // the timer has: the clock may have been set back since
}

func newPipeHalf(limit int) *pipeHalf {
	h := &pipeHalf{limit: limit}
	h.changed.L = &h.mu
	return h
}

func (h *pipeHalf) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch unread := h.buf[h.off:]; {
		case h.readClosed:
			return 0, net.ErrClosed
		case h.reading.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case h.stalled:
		case len(unread) > 0:
			n := copy(b, unread)
			if h.off += n; h.off == len(h.buf) {
				h.buf, h.off = h.buf[:0], 0
			}
			h.changed.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *pipeHalf) write(b []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch room := h.limit - (len(h.buf) - h.off); {
		case h.writeClosed:
			return n, net.ErrClosed
		case h.readClosed, h.ended:
			return n, io.ErrClosedPipe
		case h.writing.passed():
			return n, os.ErrDeadlineExceeded
		case n == len(b):
			return n, nil
		case room > 0:
			n += h.put(b[n:min(n+room, len(b))])
			h.changed.Broadcast()
			continue
		}
		h.changed.Wait()
	}
}

// put appends b, which fits, and moves the unread bytes down first when that
// saves growing the buffer.
func (h *pipeHalf) put(b []byte) int {
	if len(h.buf)+len(b) > cap(h.buf) && h.off > 0 {
		h.buf, h.off = h.buf[:copy(h.buf, h.buf[h.off:])], 0
	}
	h.buf = append(h.buf, b...)
	return len(b)
}

// closeWrite ends the writer's side; closed if its whole end was closed.
func (h *pipeHalf) closeWrite(closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.writeClosed = h.writeClosed || closed
	h.writing.stop()
	h.changed.Broadcast()
}

// closeRead ends the reader's side; what it did not read is gone.
func (h *pipeHalf) closeRead() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readClosed = true
	h.buf, h.off = nil, 0
	h.reading.stop()
	h.changed.Broadcast()
}

func (h *pipeHalf) stall(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stalled = on
	h.changed.Broadcast()
}

func (h *pipeHalf) buffered() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.buf) - h.off
}

// passed reports whether waiting is over; the caller holds the lock.
func (d *pipeDeadline) passed() bool {
	return d.fired || !d.at.IsZero() && time.Until(d.at) <= 0
}

// set replaces the deadline; the caller holds h's lock, h being where d is.
func (d *pipeDeadline) set(h *pipeHalf, at time.Time) {
	d.stop()
	d.at, d.fired = at, false
	h.changed.Broadcast()
	if at.IsZero() || d.passed() {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(at), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.timer == timer { // else replaced while this waited for the lock
			d.timer, d.fired = nil, true
			h.changed.Broadcast()
		}
	})
	d.timer = timer
}

// stop ends the timer; the caller holds the lock.
func (d *pipeDeadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
