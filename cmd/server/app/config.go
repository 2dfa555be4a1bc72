package app

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/cmd/server/app/push"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/rooms/live"
	"github.com/shaddock-game/shaddock/transport"
)

// Config is what a server needs to know. The zero value serves on the defaults;
// for counts and durations zero is the default and negative is off.
type Config struct {
	Listen     string                // players and pages, default ":3250"; port 0 picks a free one; "off" for none: see OnTransport
	Admin      string                // metrics, health, profiles, kick; default "127.0.0.1:3251"; "off" for none
	WSPaths    []string              // paths that upgrade to WebSocket, default /nano and /
	Heartbeat  time.Duration         // default 30 s, whole seconds; a session silent for three is closed; negative: no heartbeats
	Handshake  time.Duration         // from accept to the end of the handshake, default 10 s
	Origins    []string              // browser origins allowed besides the server's own host; "*" allows all
	RateLimit  int                   // messages a second and session, default 200; excess is answered 429
	ByteRate   int                   // body bytes a second and session, default 1 MiB
	MaxConns   int                   // connections, default as many as the open-file limit allows
	MaxPerAddr int                   // connections of one address, default without limit
	MaxBody    int                   // bytes of one inbound package body, default 64 KiB
	OutLimit   int                   // unsent bytes of one session, default 256 KiB; a slower reader is closed
	Timeout    time.Duration         // for a room or another actor to answer a request, default 5 s; then 408
	Duplicates actors.DuplicateLogin // of a user who logs in twice: the older session is kicked, unless told otherwise
	TLSCert    string                // certificate and key files (PEM) for wss and https, read again on SIGHUP
	TLSKey     string
	Dict       map[string]uint16 // route dictionary: codes from 1
	Loops      int               // transport loops, default one per core
	Portable   bool              // goroutine per connection instead of epoll (always so with TLS and off Linux)
	Grace      time.Duration     // for a stop to finish, default 10 s
	Log        *slog.Logger      // nil is silent
	Version    string            // shown on the index page
	Cluster    Cluster           // the zero value is a server alone
	// Store is where rooms are kept whose kind is rooms.Kind.Kept: "none", "memory"
	// until the process ends, "sqlite:FILE", "postgres://…", or "etcd", that of the
	// cluster. Default none, in a cluster etcd.
	Store      string
	Live       live.Config // live rooms
	Push       push.Config // the push API, on the players' port
	PushListen string      // and here as well, when not empty
	// TextPaths are the JSON text endpoints: default /connect, which speaks
	// live.Codec, and /ws, which echoes.
	TextPaths map[string]actors.Codec
	// Rooms and Setup are how a game of one's own is served beside, or instead
	// of, the demos: Setup registers handlers before the start; they may keep the
	// host, to list, find and create rooms.
	Rooms []rooms.Kind
	Setup func(*actors.App, *rooms.Host) error

	// Validate decides about handshakes, see actors.Config; nil takes all.
	Validate func(*actors.Hello) (user any, err error)

	Task        func(context.Context, Config) error // what the command line asks for; nil is Run
	Out         io.Writer                           // gets one line per listener at the start; nil is silent
	OnListening func(players, admin string)         // called once with the addresses in use
	// OnTransport is called once before the server listens, for clients inside of
	// the process: ServeConn takes one end of a transport.Pipe.
	OnTransport func(*transport.Server)
}

// none in place of an address says that there is to be no listener.
const none = "off"

func (c *Config) setDefaults() {
	def(&c.Listen, ":3250")
	def(&c.Admin, "127.0.0.1:3251")
	def(&c.Heartbeat, 30*time.Second)
	def(&c.Handshake, 10*time.Second)
	def(&c.RateLimit, 200)
	def(&c.MaxBody, 64<<10)
	def(&c.OutLimit, 256<<10)
	def(&c.Timeout, 5*time.Second)
	def(&c.Grace, 10*time.Second)
	def(&c.Cluster.Away, 2*time.Second)
	def(&c.Version, version())
	if len(c.WSPaths) == 0 {
		c.WSPaths = []string{"/nano", "/"}
	}
	if c.TextPaths == nil {
		c.TextPaths = map[string]actors.Codec{"/connect": live.Codec, "/ws": live.Echo}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// def gives a setting its default when it has no value.
func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
