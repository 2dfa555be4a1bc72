package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
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
	// TLS is used by wss:// and tls://; nil is the default configuration.
	TLS *tls.Config
	// Header goes into the upgrade request.
	Header http.Header
	// Text says that the endpoint speaks JSON text messages.
	Text bool
}

// Client dials servers: thousands of connections on a few loops. Its methods
// are safe from any goroutine.
type Client struct {
	cfg    ClientConfig
	engine *engine
}

// NewClient starts the loops.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Loops <= 0 {
		cfg.Loops = runtime.GOMAXPROCS(0)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	e, err := newEngine(settings{
		client: true, handshake: orDefault(cfg.Dial, 10*time.Second), flush: orDefault(cfg.Flush, 5*time.Second),
		maxHead: 8 << 10, maxBody: orUnlimited(orDefault(cfg.MaxBody, 1<<20)), outLimit: orDefault(cfg.OutLimit, 1<<20),
		budget: budget{int32(max(cfg.InMessages, 0)), int32(max(cfg.InBytes, 0))}, log: cfg.Logger,
	}, cfg.Loops, cfg.Portable)
	if err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, engine: e}, nil
}

// dialing is what a connection needs to know until it is open.
type dialing struct {
	opts   DialOptions
	addr   string // host:port to connect to
	host   string // of the upgrade request; "" for raw TCP
	target string
	secure bool
	key    string
	err    error // why the connect failed at once
}

// Dial begins a connection to ws://, wss://, tcp:// or tls:// and returns at once; r
// hears how it went. The error says that url or opts make no sense.
func (cl *Client) Dial(rawURL string, opts DialOptions, r ClientReceiver) (*Conn, error) {
	d, err := parseDial(rawURL, opts)
	if err != nil {
		return nil, fmt.Errorf("transport: dial %s: %w", rawURL, err)
	}
	l := cl.engine.pick()
	c := newConn(l, noSocket{}, netip.AddrPort{})
	c.recv, c.dialed, c.phase = r, d, phaseDial
	if d.secure || cl.cfg.Portable || !rawDial {
		cl.engine.side.Go(func() { c.dialNet(cl.engine.handshake) })
		return c, nil
	}
	sock, err := dialRaw(d)
	if d.err = err; sock != nil {
		c.sock = sock
	}
	if !l.post(op{kind: opDial, conn: c}) {
		c.stillborn()
	}
	return c, nil
}

func parseDial(rawURL string, opts DialOptions) (*dialing, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	d := &dialing{opts: opts, addr: u.Host, target: u.RequestURI()}
	port := "80"
	switch u.Scheme {
	case "tcp", "tls":
		d.secure, port = u.Scheme == "tls", ""
	case "ws":
		d.host = u.Host
	case "wss":
		d.host, d.secure, port = u.Host, true, "443"
	default:
		return nil, errors.New("the scheme must be ws, wss, tcp or tls")
	}
	if u.Port() == "" {
		if port == "" {
			return nil, errors.New("the port is missing")
		}
		d.addr = net.JoinHostPort(u.Hostname(), port)
	}
	if d.host != "" {
		d.key = newUpgradeKey()
	}
	return d, nil
}

// dialNet connects through the net package, on a goroutine of its own.
func (c *Conn) dialNet(limit time.Duration) {
	d := c.dialed
	dialer := net.Dialer{Timeout: limit}
	if d.opts.LocalAddr.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: d.opts.LocalAddr.AsSlice()}
	}
	var nc net.Conn
	if d.secure {
		nc, d.err = tls.DialWithDialer(&dialer, "tcp", d.addr, d.opts.TLS)
	} else {
		nc, d.err = dialer.Dial("tcp", d.addr)
	}
	o := op{kind: opDial, conn: c}
	if d.err == nil {
		o.value = newNetSocket(nc)
	}
	if !c.loop.post(o) {
		if d.err == nil {
			nc.Close()
		}
		c.stillborn()
	}
}

// dial makes c, whose connect has begun, one of this loop's connections. Made is
// its socket, when that was made on another goroutine.
func (l *loop) dial(c *Conn, made any) {
	l.enter(c)
	c.mu.Lock()
	if sock, ok := made.(*netSocket); ok {
		sock.c = c
		c.sock = sock
	}
	ended := c.ended
	c.mu.Unlock()
	if ended {
		c.ending(nil)
		return
	}
	err := c.dialed.err
	if err == nil {
		err = c.sock.attach(c)
	}
	if err != nil {
		c.abort(protocol.ReasonClientGone, err)
		return
	}
	c.setDeadline(l.handshake)
	if _, up := c.sock.(*netSocket); up {
		c.connected()
	}
	if l.stopping {
		c.Close(protocol.ReasonShutdown)
	}
}

// dialled looks at how a connect ended.
func (l *loop) dialled(c *Conn) {
	if err := connectError(c.sock); err != nil {
		c.abort(protocol.ReasonClientGone, err)
		return
	}
	c.mu.Lock()
	c.watch()
	c.mu.Unlock()
	c.connected()
}

// connected begins the conversation.
func (c *Conn) connected() {
	c.recv.(ClientReceiver).Connected(c.loop.time)
	if c.phase != phaseDial {
		return
	}
	d := c.dialed
	if d.host == "" {
		c.kind = kindStream
		c.begin()
		return
	}
	c.phase, c.in = phaseHead, &partial{}
	c.raw(appendUpgradeRequest(nil, d.host, d.target, d.key, d.opts.Header))
}

// answered deals with the server's whole head of n bytes.
func (c *Conn) answered(n int) {
	all := c.in.head
	if err := parseUpgradeResponse(all[:n], all[n:], c.dialed.key); err != nil {
		c.fail(protocol.ReasonHandshakeRefused, err)
		return
	}
	c.upgraded(c.dialed.opts.Text)
	c.in = nil
	c.dialed = &dialing{} // what it held is not needed any more
	if c.begin() && len(all) > n {
		c.open(all[n:], nil)
	}
}

// noSocket stands for a socket that could not be made.
type noSocket struct{}

func (noSocket) attach(*Conn) error            { return nil }
func (noSocket) read([]byte) (int, error)      { return 0, errAgain }
func (noSocket) write(b []byte) (int, error)   { return len(b), nil }
func (noSocket) flush([]outEntry) (int, error) { return 0, errAgain }
func (noSocket) watch(bool, bool)              {}
func (noSocket) shutdown()                     {}
func (noSocket) close(bool)                    {}

// Shutdown closes every connection and stops the loops, as Server.Shutdown does.
func (cl *Client) Shutdown(ctx context.Context) error { return cl.engine.stop(ctx) }

// Stats returns the counters as they are now.
func (cl *Client) Stats() Stats { return cl.engine.stats() }
