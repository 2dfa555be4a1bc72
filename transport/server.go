package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Server accepts pomelo clients over TCP and WebSocket, and plain HTTP, on one
// port. Its methods are safe from any goroutine.
type Server struct {
	cfg    Config
	engine *engine

	pages  *http.Server
	handed *handoffListener
	accept sync.WaitGroup // accepting goroutines and the pages

	accepted, refusedFiles, refusedFull, refusedAddr atomic.Uint64

	// Under mu.
	mu        sync.Mutex
	listeners []io.Closer
	stopped   bool
	count     int
	byAddr    map[netip.Addr]int
}

// NewServer starts the loops of a server that listens nowhere yet. It fails
// when cfg.Open is missing or the system refuses descriptors.
func NewServer(cfg Config) (*Server, error) {
	if cfg.Open == nil {
		return nil, errors.New("transport: Config.Open is missing")
	}
	cfg = cfg.withDefaults()
	cfg.Portable = cfg.Portable || cfg.Certificate != nil
	origins, err := newOriginPolicy(cfg.Origins)
	if err != nil {
		return nil, fmt.Errorf("transport: origins: %w", err)
	}
	s := &Server{cfg: cfg, byAddr: make(map[netip.Addr]int), handed: newHandoffListener(&net.TCPAddr{})}
	s.engine, err = newEngine(settings{
		open:    func(c *Conn) Receiver { return cfg.Open(c) },
		upgrade: upgradeConfig{paths: cfg.WSPaths, textPaths: cfg.TextPaths, origins: origins},
		handOff: s.handOff, released: s.released,
		handshake: cfg.Handshake, flush: cfg.Flush, maxHead: orUnlimited(cfg.MaxHead), maxBody: orUnlimited(cfg.MaxBody),
		outLimit: cfg.OutLimit, walkLimit: cfg.WalkLimit,
		budget: budget{int32(cfg.InMessages), int32(cfg.InBytes)}, log: cfg.Logger,
	}, cfg.Loops, cfg.Portable)
	if err != nil {
		return nil, err
	}
	s.pages = &http.Server{Handler: cfg.HTTP, ReadHeaderTimeout: cfg.Handshake, ReadTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: cfg.MaxHead}
	s.accept.Go(func() { _ = s.pages.Serve(s.handed) }) // ends with Shutdown
	return s, nil
}

// Listen accepts connections on address ("host:port", port 0 for any) until
// StopAccepting, and returns the address it got.
func (s *Server) Listen(address string) (net.Addr, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		l.Close()
		return nil, net.ErrClosed
	}
	addr := l.Addr()
	closer, err := s.accepting(l)
	if err != nil {
		return nil, err
	}
	s.listeners = append(s.listeners, closer)
	return addr, nil
}

// acceptPortable takes connections of the net package.
func (s *Server) acceptPortable(l net.Listener) {
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.shortage(err)
			continue
		}
		if s.cfg.Certificate != nil {
			nc = tls.Server(nc, &tls.Config{GetCertificate: s.cfg.Certificate, MinVersion: tls.VersionTLS12})
		}
		s.ServeConn(nc)
	}
}

// acceptPause is how long accepting rests when the system has no descriptor left:
// those who wait stay in the listener's queue.
const acceptPause = 20 * time.Millisecond

// shortage counts an accept that failed, and lets the machine catch its breath.
func (s *Server) shortage(err error) {
	if s.refusedFiles.Add(1) == 1 {
		s.cfg.Logger.Warn("connections cannot be accepted: raise the open-file limit", "error", err)
	}
	time.Sleep(acceptPause)
}

// ServeConn serves a connection that somebody else accepted, on the portable
// poller. The server owns nc from now on.
func (s *Server) ServeConn(nc net.Conn) {
	remote, _ := netip.ParseAddrPort(nc.RemoteAddr().String())
	s.adopt(newNetSocket(nc), remote)
}

// adopt gives a new connection to a loop, unless there are too many.
func (s *Server) adopt(sock socket, remote netip.AddrPort) {
	s.accepted.Add(1)
	if !s.admit(remote.Addr()) {
		sock.close(true)
		return
	}
	l := s.engine.pick()
	c := newConn(l, sock, remote)
	if !l.post(op{kind: opAdopt, conn: c}) {
		c.stillborn()
	}
}

// admit counts a connection in.
func (s *Server) admit(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cfg.MaxConns > 0 && s.count >= s.cfg.MaxConns:
		s.refusedFull.Add(1)
		return false
	case s.cfg.MaxConnsPerAddr > 0 && s.byAddr[a] >= s.cfg.MaxConnsPerAddr:
		s.refusedAddr.Add(1)
		return false
	}
	s.count++
	if s.cfg.MaxConnsPerAddr > 0 {
		s.byAddr[a]++
	}
	return true
}

// released counts a connection out.
func (s *Server) released(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count--
	if s.cfg.MaxConnsPerAddr > 0 {
		if a := c.remote.Addr(); s.byAddr[a] > 1 {
			s.byAddr[a]--
		} else {
			delete(s.byAddr, a)
		}
	}
}

// handOff gives a connection that speaks plain HTTP to the pages.
func (s *Server) handOff(c *Conn, head []byte) {
	nc, err := c.detach(head)
	if err != nil {
		s.released(c)
		s.cfg.Logger.Debug("connection not handed to the pages", "error", err)
		return
	}
	if nc = (&countedConn{Conn: nc, release: sync.OnceFunc(func() { s.released(c) })}); !s.handed.hand(nc) {
		nc.Close()
	}
}

// countedConn counts against the limits for as long as it is open.
type countedConn struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.release()
	return c.Conn.Close()
}

// CloseWrite lets net/http end its direction first.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// detach takes the socket away from the connection, which ends without a word.
func (c *Conn) detach(read []byte) (net.Conn, error) {
	c.phase = phaseGone
	c.mu.Lock()
	c.ended, c.closed = true, true
	sock := c.sock
	c.mu.Unlock()
	c.loop.forget(c)
	return takeNetConn(sock, read)
}

// NewAudience returns an empty audience of the server's connections.
func (s *Server) NewAudience() *Audience { return newAudience(s.engine) }

// StopAccepting closes the listeners. Connections live on.
func (s *Server) StopAccepting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for _, l := range s.listeners {
		l.Close()
	}
	s.listeners = nil
}

// Shutdown stops accepting, closes every connection with ReasonShutdown, waits
// for them to be flushed, and stops the loops. When ctx ends first, it cuts the
// remaining connections off and says how many in a *CutError. The server is of no
// use afterwards.
func (s *Server) Shutdown(ctx context.Context) error {
	s.StopAccepting()
	err := s.engine.stop(ctx)
	if perr := s.pages.Shutdown(ctx); perr != nil {
		if err == nil && ctx.Err() != nil {
			perr = &CutError{Cause: perr}
		}
		err = errors.Join(err, perr, s.pages.Close())
	}
	s.handed.Close()
	s.accept.Wait()
	return err
}

// Stats returns the counters as they are now.
func (s *Server) Stats() Stats {
	st := s.engine.stats()
	st.Accepted, st.RefusedFiles = s.accepted.Load(), s.refusedFiles.Load()
	st.RefusedFull, st.RefusedAddr = s.refusedFull.Load(), s.refusedAddr.Load()
	return st
}
