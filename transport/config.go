package transport

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Config says how a Server behaves. The zero value works, but for Open; zero
// means the default and a negative number switches a limit off.
type Config struct {
	// Open is called on the connection's loop when a client may talk pomelo:
	// after the WebSocket upgrade, or with the first bytes of a TCP client. It
	// returns the owner of the inbound side; nil refuses the client, which is
	// then closed with ReasonOverload. Required.
	Open func(c *Conn) Receiver

	// Loops is the number of goroutines that own connections. Default GOMAXPROCS.
	Loops int
	// WSPaths are the URL paths that speak pomelo over binary WebSocket
	// messages. Default "/".
	WSPaths []string
	// TextPaths are the URL paths of JSON text endpoints.
	TextPaths []string
	// Origins lists the hosts from which pages may connect, besides the host
	// itself; "*" is any.
	Origins []string
	// HTTP answers what is not an upgrade of one of the paths. nil: 404.
	HTTP http.Handler

	// Handshake bounds the time from accept to the finished upgrade or the
	// first byte of a package; the session's own timer rules afterwards.
	// Default 10 s.
	Handshake time.Duration
	// Flush bounds the time a closing connection gets to take what was written
	// to it. Default 5 s.
	Flush time.Duration
	// MaxHead is the size an HTTP head may have, in bytes. Default 8 KiB.
	MaxHead int
	// MaxBody is the size an inbound package body or text message may have, in
	// bytes; a bigger one closes with ReasonTooBig. Default 64 KiB.
	MaxBody int
	// OutLimit is the number of unsent bytes a connection may hold; the write
	// that would exceed it closes with ReasonSlow, because a slow player must
	// not slow a room. Default 256 KiB.
	OutLimit int
	// InMessages and InBytes bound what a receiver may have been handed and not
	// reported by Conn.Done. Above either, the socket is not read until half of
	// the budget is free again: TCP pushes back on that client alone. One read
	// (16 KiB) may overrun them. Defaults 256 and 256 KiB.
	InMessages, InBytes int
	// WalkLimit is the number of bytes one audience may have pending in one
	// loop; a broadcast that would exceed it is dropped for the members of that
	// loop, and counted. Default 8 MiB.
	WalkLimit int

	// MaxConns and MaxConnsPerAddr bound connections in all and from one
	// address. Default: no limit.
	MaxConns, MaxConnsPerAddr int

	// Certificate makes every listener speak TLS, on the portable poller.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Portable keeps off epoll where it exists: every connection is a net.Conn
	// with a reading goroutine. Needed inside testing/synctest bubbles.
	Portable bool
	// Logger gets what an operator should know. nil is silent.
	Logger *slog.Logger
}

// orDefault resolves a setting: zero is the default, negative is off (0).
func orDefault[T int | time.Duration](v, def T) T {
	switch {
	case v == 0:
		return def
	case v < 0:
		return 0
	}
	return v
}

// withDefaults returns cfg with every zero resolved.
func (cfg Config) withDefaults() Config {
	if cfg.Loops <= 0 {
		cfg.Loops = runtime.GOMAXPROCS(0)
	}
	if cfg.WSPaths == nil {
		cfg.WSPaths = []string{"/"}
	}
	if cfg.HTTP == nil {
		cfg.HTTP = http.NotFoundHandler()
	}
	cfg.Handshake = orDefault(cfg.Handshake, 10*time.Second)
	cfg.Flush = orDefault(cfg.Flush, 5*time.Second)
	cfg.MaxHead = orDefault(cfg.MaxHead, 8<<10)
	cfg.MaxBody = orDefault(cfg.MaxBody, 64<<10)
	cfg.OutLimit = orDefault(cfg.OutLimit, 256<<10)
	cfg.InMessages = orDefault(cfg.InMessages, 256)
	cfg.InBytes = orDefault(cfg.InBytes, 256<<10)
	cfg.WalkLimit = orDefault(cfg.WalkLimit, 8<<20)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// orUnlimited turns a limit that is off into the largest that a package can need.
func orUnlimited(limit int) int {
	if limit <= 0 {
		return protocol.MaxPacketBody
	}
	return limit
}
