package transport

import (
	"context"
	"errors"
	"net"
)

// Server accepts pomelo clients over TCP and WebSocket, and plain HTTP, on one
// port. Its methods are safe from any goroutine.
type Server struct {
	cfg Config
}

// NewServer starts the loops of a server that listens nowhere yet. It fails
// when cfg.Open is missing or the system refuses descriptors.
func NewServer(cfg Config) (*Server, error) {
	if cfg.Open == nil {
		return nil, errors.New("transport: Config.Open is missing")
	}
	return &Server{cfg: cfg.withDefaults()}, nil
}

// Listen accepts connections on addr ("host:port", port 0 for any) until
// StopAccepting, and returns the address it got.
func (s *Server) Listen(addr string) (net.Addr, error) { return nil, nil }

// ServeConn serves a connection that somebody else accepted, on the portable
// poller. The server owns nc from now on.
func (s *Server) ServeConn(nc net.Conn) {}

// NewAudience returns an empty audience of the server's connections.
func (s *Server) NewAudience() *Audience { return &Audience{} }

// StopAccepting closes the listeners. Connections live on.
func (s *Server) StopAccepting() {}

// Shutdown stops accepting, closes every connection with ReasonShutdown, waits
// for them to be flushed, and stops the loops. When ctx ends first, it cuts the
// remaining connections off and returns ctx's error. The server is of no use
// afterwards.
func (s *Server) Shutdown(ctx context.Context) error { return nil }

// Stats returns the counters as they are now.
func (s *Server) Stats() Stats { return Stats{} }
