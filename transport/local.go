package transport

import (
	"io"
	"net/netip"
	"sync"
)

// Local is a client inside the process, without a socket and without a
// goroutine: a bot, a recorder, or one of a million in a test of scale. It talks
// packages, as over raw TCP. Its methods are safe from any goroutine.
type Local struct{ sock *localSocket }

// ServeLocal serves a client inside the process. sink gets what the server
// writes to it: one call at a time, in order, on whichever goroutine writes. It
// must not block, keeps none of the bytes, and may call Write.
func (s *Server) ServeLocal(sink func(packages []byte)) *Local {
	sock := &localSocket{sink: sink}
	s.adopt(sock, netip.AddrPort{})
	return &Local{sock}
}

// Write sends packages to the server, which copies what it cannot take at once.
// What is not read yet is not bounded: the caller waits for answers.
func (l *Local) Write(packages []byte) { l.sock.feed(packages, false) }

// Close ends the connection from the client's side.
func (l *Local) Close() { l.sock.feed(nil, true) }

// localSocket is a Local's connection, as its loop sees it.
type localSocket struct {
	sink func(packages []byte)

	// Under mu.
	mu    sync.Mutex
	c     *Conn  // nil until the loop has taken it
	in    []byte // written and not read
	end   bool   // nothing more will be written
	quiet bool   // input is not wanted now
}

func (s *localSocket) feed(b []byte, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end {
		return
	}
	s.in, s.end = append(s.in, b...), end
	s.announce()
}

// announce has the loop read, if there is something for it. Under mu.
func (s *localSocket) announce() {
	if s.c != nil && !s.quiet && (len(s.in) > 0 || s.end) {
		s.c.loop.post(op{kind: opReady, conn: s.c})
	}
}

func (s *localSocket) attach(c *Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.c = c
	s.announce()
	return nil
}

func (s *localSocket) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.quiet:
		return 0, errAgain
	case len(s.in) == 0 && s.end:
		return 0, io.EOF
	case len(s.in) == 0:
		return 0, errAgain
	}
	n := copy(b, s.in)
	if s.in = s.in[n:]; len(s.in) == 0 {
		s.in = nil
	}
	s.announce()
	return n, nil
}

func (s *localSocket) write(b []byte) (int, error) {
	s.sink(b)
	return len(b), nil
}

func (s *localSocket) flush(entries []outEntry) (n int, err error) {
	for i := range entries {
		s.sink(entries[i].b)
		n += len(entries[i].b)
	}
	return n, nil
}

func (s *localSocket) watch(in, _ bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wanted := in && s.quiet; wanted {
		s.quiet = false
		s.announce()
	}
	s.quiet = !in
}

// shutdown tells a client that waits for the end nothing: there is no such client.
func (s *localSocket) shutdown() { s.feed(nil, true) }

func (s *localSocket) close(bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in, s.end, s.quiet = nil, true, true
}
