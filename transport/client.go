package transport

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// ClientConfig says how a Client behaves. The zero value works.
type ClientConfig struct {
	// Loops is the number of goroutines that own connections. Default GOMAXPROCS.
	Loops int
	// Dial bounds the time from Dial to Opened. Default 10 s.
	Dial time.Duration
	// Flush, MaxBody and OutLimit are as in Config. Defaults 5 s, 1 MiB, 1 MiB.
	Flush             time.Duration
	MaxBody, OutLimit int
	// InMessages and InBytes are as in Config, but off by default: a receiver
	// that never calls Conn.Done is read for ever.
	InMessages, InBytes int
	// Portable keeps off epoll where it exists.
	Portable bool
	// Logger gets what an operator should know. nil is silent.
	Logger *slog.Logger
}

// DialOptions vary one Dial. The zero value works.
type DialOptions struct {
	// LocalAddr is the address to connect from, so that one machine can open
	// more connections than one address has ports. Zero: the system chooses.
	LocalAddr netip.Addr
	// TLS is used by wss://; nil is the default configuration.
	TLS *tls.Config
	// Header goes into the upgrade request.
	Header http.Header
	// Text says that the endpoint speaks JSON text messages.
	Text bool
}

// Client dials servers: thousands of connections on a few loops. Its methods
// are safe from any goroutine.
type Client struct{}

// NewClient starts the loops.
func NewClient(cfg ClientConfig) (*Client, error) { return &Client{}, nil }

// Dial begins a connection to ws://, wss:// or tcp:// and returns at once; r
// hears how it went. The error says that url or opts make no sense.
func (cl *Client) Dial(url string, opts DialOptions, r ClientReceiver) (*Conn, error) {
	return nil, nil
}

// Shutdown closes every connection and stops the loops, as Server.Shutdown does.
func (cl *Client) Shutdown(ctx context.Context) error { return nil }

// Stats returns the counters as they are now.
func (cl *Client) Stats() Stats { return Stats{} }
