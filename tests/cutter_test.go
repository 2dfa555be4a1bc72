package tests

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// cutter stands in front of a node's listener for its peers. While it is bad it cuts
// each connection after a random number of bytes, in the middle of whatever passes;
// and it can hold up one direction, or both, while the other goes on.
type cutter struct {
	Addr string

	listener net.Listener
	to       string
	tasks    sync.WaitGroup
	bad      atomic.Bool
	cuts     atomic.Int64
	held     [2]atomic.Pointer[chan struct{}] // by direction; nil: let through

	mu    sync.Mutex // guards the rest
	rng   *rand.Rand
	conns map[net.Conn]bool
	over  bool
}

// The directions of a connection: from who dialled, and back.
const (
	forth = iota
	back
)

// newCutter returns a cutter, and where the node behind it should listen.
func newCutter(t *testing.T, seed uint64) (c *cutter, listen string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close() // nothing has connected to it, so it can be had at once
	c = &cutter{to: free.Addr().String(), rng: rand.New(rand.NewPCG(seed, 11)), conns: make(map[net.Conn]bool)}
	if c.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	c.Addr = c.listener.Addr().String()
	c.tasks.Go(c.accept)
	t.Cleanup(c.close)
	return c, c.to
}

func (c *cutter) accept() {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		ended := make(chan struct{})
		cut := sync.OnceFunc(func() {
			for _, conn := range []net.Conn{in, out} {
				_ = conn.(*net.TCPConn).SetLinger(0) // what is under way is lost as well
				c.forget(conn)
			}
			close(ended)
		})
		if !c.keep(in, out) {
			cut()
			continue
		}
		c.tasks.Go(func() { defer cut(); c.pump(out, in, forth, ended) })
		c.tasks.Go(func() { defer cut(); c.pump(in, out, back, ended) })
	}
}

// keep notes the ends of a connection; not when all is over.
func (c *cutter) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		c.conns[conn] = true
	}
	return !c.over
}

func (c *cutter) forget(conn net.Conn) {
	_ = conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
}

// budget is after how many bytes a connection is cut: now and then in the first that
// it carries, when the two ends are only getting to know each other.
func (c *cutter) budget() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rng.IntN(4) == 0 {
		return c.rng.IntN(500)
	}
	return c.rng.IntN(60_000)
}

func (c *cutter) pump(dst, src net.Conn, way int, ended <-chan struct{}) {
	buf, left := make([]byte, 16<<10), c.budget()
	for {
		n, err := src.Read(buf)
		if held := c.held[way].Load(); held != nil {
			select {
			case <-*held:
			case <-ended:
			}
		}
		cut := c.bad.Load() && n > left
		if cut {
			n = left
			c.cuts.Add(1)
		}
		if left -= n; left < 0 {
			left = c.budget()
		}
		if _, werr := dst.Write(buf[:n]); cut || err != nil || werr != nil {
			return
		}
	}
}

// hold stops what passes in a direction until the returned function is called.
func (c *cutter) hold(way int) (release func()) {
	held := make(chan struct{})
	c.held[way].Store(&held)
	return func() {
		c.held[way].Store(nil)
		close(held)
	}
}

// cutAll cuts all connections of the moment.
func (c *cutter) cutAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
		c.cuts.Add(1)
	}
}

func (c *cutter) close() {
	_ = c.listener.Close()
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.cutAll()
	c.tasks.Wait()
}
