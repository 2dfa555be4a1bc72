//go:build !linux

package transport

import (
	"io"
	"net"
)

func (s *Server) accepting(l net.Listener) (io.Closer, error) {
	s.accept.Go(func() { s.acceptPortable(l) })
	return l, nil
}

func takeNetConn(s socket, read []byte) (net.Conn, error) { return s.(*netSocket).take(read), nil }
