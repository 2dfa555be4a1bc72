// Package app wires the server together: transport, sessions, rooms, pages and
// the admin listener. Tests start the real thing through Run on port 0.
package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/cmd/server/app/push"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/rooms/chat"
	"github.com/shaddock-game/shaddock/rooms/demo"
	"github.com/shaddock-game/shaddock/rooms/live"
	"github.com/shaddock-game/shaddock/rooms/tadpole"
	"github.com/shaddock-game/shaddock/transport"
)

// server is everything that runs, in the order in which it is started.
type server struct {
	cfg      Config
	started  time.Time
	actors   *actors.App
	rooms    *rooms.Host
	wires    *transport.Server
	node     *node           // nil for a server alone
	store    snapshots.Store // what openStore has opened, nil: nothing
	cpu      cpuMeter
	certs    *transport.CertReloader // nil without TLS
	admin    *side                   // nil when off
	pushing  *side                   // nil when off
	push     *push.API
	pushes   *pushes
	tally    *tally
	live     *live.Live
	players  net.Addr
	stopping atomic.Bool
}

// Run serves until ctx ends and then stops in order: it stops accepting, tells
// the sessions, lets rooms finish, flushes and closes the connections, shuts the
// components down, all within what is left of Config.Grace. It returns nil after a clean stop.
func Run(ctx context.Context, cfg Config) error {
	s, err := start(cfg)
	if err != nil {
		return err
	}
	if s.certs != nil {
		defer s.reloadOnHangup()()
	}
	s.announce(cfg.Out)
	if cfg.OnListening != nil {
		cfg.OnListening(s.playersAddr(), s.adminAddr())
	}
	select {
	case <-ctx.Done():
	case err = <-s.admin.broken():
	case err = <-s.pushing.broken():
	}
	return errors.Join(err, s.stop())
}

// start brings everything up, or nothing.
func start(cfg Config) (s *server, err error) {
	saveMemory()
	cfg.setDefaults()
	s = &server{cfg: cfg, started: time.Now()}
	defer func() {
		if err != nil {
			_ = s.stop() // the first error is the one to report
		}
	}()
	files, err := raiseFileLimit()
	if err != nil {
		cfg.Log.Warn("open-file limit could not be raised", "error", err)
	}
	if s.cfg.MaxConns == 0 && files > reservedFiles {
		s.cfg.MaxConns = files - reservedFiles
	}
	if err := s.register(); err != nil {
		return s, err
	}
	if err := s.actors.Start(); err != nil {
		return s, err
	}
	if err := s.listen(); err != nil {
		return s, err
	}
	if err := s.servePushes(); err != nil {
		return s, err
	}
	return s, s.serveAdmin()
}

// register makes the actors and everything that clients can ask of them.
func (s *server) register() (err error) {
	s.actors = actors.New(s.sessions())
	s.live = live.New(s.cfg.Live)
	s.pushes = &pushes{server: s}
	s.push = push.New(s.cfg.Push, s.pushes)
	s.tally = newTally(s.cfg.Cluster.Node, s.push.Stats)
	kinds := slices.Concat([]rooms.Kind{chat.Kind(), demo.Kind(), tadpole.Kind()}, s.live.Kinds(), s.cfg.Rooms)
	if s.rooms, err = rooms.Install(s.actors, s.cfg.Log, kinds...); err != nil {
		return err
	}
	for kind := range s.cfg.Cluster.Needs {
		if !slices.ContainsFunc(kinds, func(k rooms.Kind) bool { return k.Name() == kind }) {
			return fmt.Errorf("--cluster-needs %s: there is no such kind of room", kind)
		}
	}
	if err := s.openNode(); err != nil {
		return err
	}
	if err := s.openStore(); err != nil {
		return err
	}
	actors.HandleRaw(s.actors, "room.echo", echo, actors.Inline())
	tadpole.Login(s.actors)
	// A game may make groups when it sets itself up, and their members need a transport.
	if err := s.openTransport(); err != nil {
		return err
	}
	if s.cfg.Setup != nil {
		if err := s.cfg.Setup(s.actors, s.rooms); err != nil {
			return fmt.Errorf("setup: %w", err)
		}
	}
	return nil
}

// sessions is the configuration of the actors.
func (s *server) sessions() actors.Config {
	return actors.Config{
		Heartbeat:        s.cfg.Heartbeat,
		HandshakeTimeout: s.cfg.Handshake,
		Dict:             s.cfg.Dict,
		Rate:             s.cfg.RateLimit,
		ByteRate:         s.cfg.ByteRate,
		RequestTimeout:   s.cfg.Timeout,
		Duplicates:       s.cfg.Duplicates,
		Logger:           s.cfg.Log,
		Validate:         s.cfg.Validate,
		NewAudience:      func() actors.Audience { return audience{s.wires.NewAudience()} },
	}
}

// openTransport makes what carries connections; nobody can connect yet.
func (s *server) openTransport() (err error) {
	cfg := transport.Config{
		Loops: s.cfg.Loops, Portable: s.cfg.Portable, WSPaths: s.cfg.WSPaths, TextPaths: slices.Collect(maps.Keys(s.cfg.TextPaths)),
		Origins: s.cfg.Origins, HTTP: s.pages(),
		Handshake: s.cfg.Handshake, MaxBody: s.cfg.MaxBody, OutLimit: s.cfg.OutLimit,
		MaxConns: s.cfg.MaxConns, MaxConnsPerAddr: s.cfg.MaxPerAddr, Logger: s.cfg.Log,
		Open: func(c *transport.Conn) transport.Receiver {
			if session := s.open(c); session != nil {
				return session
			}
			return nil // stopping; a nil *Session would not be a nil Receiver
		},
	}
	if s.cfg.TLSCert != "" {
		if s.certs, err = transport.NewCertReloader(s.cfg.TLSCert, s.cfg.TLSKey); err != nil {
			return fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		cfg.Certificate = s.certs.Certificate
	}
	if s.wires, err = transport.NewServer(cfg); err != nil {
		return err
	}
	if s.cfg.OnTransport != nil {
		s.cfg.OnTransport(s.wires)
	}
	return nil
}

// listen joins the cluster and opens the players' port.
func (s *server) listen() (err error) {
	if err := s.joinCluster(); err != nil {
		return err
	}
	if !s.cfg.Cluster.gate() || s.cfg.Listen == none {
		return nil
	}
	if s.players, err = s.wires.Listen(s.cfg.Listen); err != nil {
		return fmt.Errorf("--listen %s: %w", s.cfg.Listen, err)
	}
	return nil
}

// open makes the session of a new connection.
func (s *server) open(c *transport.Conn) *actors.Session {
	if c.IsText() {
		return s.actors.OpenText(c, s.cfg.TextPaths[c.Path()])
	}
	return s.actors.Open(c)
}

// playersAddr is empty on a node that takes no players.
func (s *server) playersAddr() string {
	if s.players == nil {
		return ""
	}
	return s.players.String()
}

// echo answers a request with the body it came with, for measuring.
func echo(_ *actors.Ctx, body []byte) ([]byte, error) { return body, nil }
