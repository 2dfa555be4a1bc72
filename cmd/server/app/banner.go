package app

import (
	"fmt"
	"io"
	"net"
	"strings"
)

// announce prints one line per listener, with URLs one can click.
func (s *server) announce(w io.Writer) {
	if w == nil {
		return
	}
	web, ws := "http", "ws"
	if s.certs != nil {
		web, ws = "https", "wss"
	}
	if s.node != nil {
		fmt.Fprintf(w, "cluster  %s  (%d nodes)\n", s.node.Self().Addr, len(s.node.Members().Members()))
	}
	s.announcePlayers(w, web, ws)
	if s.admin != nil {
		fmt.Fprintf(w, "admin    http://%s/metrics\n", clickable(s.admin.addr))
	}
}

func (s *server) announcePlayers(w io.Writer, web, ws string) {
	if s.players == nil {
		return
	}
	host := clickable(s.players)
	urls := []string{fmt.Sprintf("%s://%s/", web, host)}
	for _, p := range s.cfg.WSPaths {
		urls = append(urls, fmt.Sprintf("%s://%s%s", ws, host, p))
	}
	fmt.Fprintf(w, "players  %s  tcp://%s  (up to %d connections)\n", strings.Join(urls, "  "), host, s.cfg.MaxConns)
	if s.pushing != nil {
		fmt.Fprintf(w, "push     http://%s/push/all\n", clickable(s.pushing.addr))
	}
}

// clickable is addr with a host that a browser on this machine can open.
func clickable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
