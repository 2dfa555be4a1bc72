package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/cmd/server/app/push"
	"github.com/shaddock-game/shaddock/rooms/live"
)

// flags is the command line. Every flag has an environment variable, SHADDOCK_
// and its name in capitals, and can stand in the file of --config under its name.
type flags struct {
	Listen          string        `default:":3250" help:"Address for players and pages: WebSocket, TCP and HTTP on one port; 'off' for none."`
	Admin           string        `default:"127.0.0.1:3251" help:"Address for metrics, health and profiles; 'off' for none. Keep it private."`
	WSPaths         []string      `name:"ws-paths" default:"/nano,/" help:"Paths that upgrade to WebSocket."`
	Heartbeat       time.Duration `default:"30s" help:"Heartbeat interval in whole seconds; a session silent for three is closed. 0 turns heartbeats off."`
	Handshake       time.Duration `default:"10s" help:"Longest time from accept to the end of the handshake."`
	Origins         []string      `help:"Browser origins allowed besides the server's own host; '*' allows all."`
	RateLimit       int           `default:"200" help:"Messages per second and session; excess is answered 429. 0 is off."`
	ByteRate        int           `default:"1048576" help:"Body bytes per second and session; excess is answered 429. 0 is off."`
	MaxConns        int           `default:"0" help:"Most connections; 0 allows as many as the open-file limit does."`
	MaxConnsPerAddr int           `default:"0" help:"Most connections of one address; 0 is off."`
	MaxBody         int           `default:"65536" help:"Largest body of an inbound package, in bytes."`
	OutLimit        int           `default:"262144" help:"Most unsent bytes of one session; a slower reader is closed."`
	RequestTimeout  time.Duration `default:"5s" help:"Longest time a room has to answer a request; then the answer is 408."`
	TLSCert         string        `name:"tls-cert" help:"Certificate file (PEM) for wss and https; read again on SIGHUP."`
	TLSKey          string        `name:"tls-key" help:"Key file (PEM) of the certificate."`
	Dict            string        `help:"File with the route dictionary: a YAML or JSON map from route to code (1 to 65535)."`
	Loops           int           `default:"0" help:"Transport loops; 0 is one per core."`
	Portable        bool          `help:"Use a goroutine per connection instead of epoll (always so with TLS and off Linux)."`
	LiveWindow      time.Duration `default:"50ms" help:"Time in which messages of a live room are merged into one write; the first after silence leaves at once. 0 merges only what waits anyway."`
	LiveBatch       int           `default:"1000" help:"Messages that end the window early; 0 is off."`
	LiveRate        int           `default:"5" help:"Messages per second of one member of a live room; excess is answered 429. 0 is off."`
	LiveHistory     int           `default:"50" help:"Messages that a live room remembers for those who come later; 0 is off."`
	LiveRooms       int           `default:"5" help:"Live rooms that one session may be in; 0 is off."`
	LiveBudget      int           `default:"6291456" help:"Bytes on their way to the members of one live room; excess is answered 503."`
	LivePace        int           `default:"2097152" help:"Bytes per second that a live room says to each member; what is more waits, within the budget. 0 is off."`
	LiveLossy       bool          `help:"Drop the oldest messages of live rooms for a member that is too slow, instead of closing it."`
	PushKey         string        `placeholder:"KEY" help:"Key that callers of the push API must show; without one only callers of this machine may push."`
	PushListen      string        `placeholder:"ADDR" help:"Address for the push API alone, beside the players' port."`
	PushRate        int           `default:"0" help:"Items per second that the push API takes; excess is answered 429. 0 is off."`
	PushMaxBody     int           `default:"4194304" help:"Largest request to the push API, in bytes."`
	PushMaxItems    int           `default:"20000" help:"Most items of one request to the push API."`
	PushPending     int           `default:"67108864" help:"Bytes of all requests to the push API that are being worked on; excess is answered 503."`
	Store           string        `placeholder:"WHERE" help:"Where rooms are kept that are to come back: none, memory (until the process ends), sqlite:FILE, postgres://user:password@host/database, or etcd, that of the cluster. Default none, in a cluster etcd."`
	Grace           time.Duration `default:"10s" help:"Longest time a stop may take."`
	LogLevel        string        `default:"info" enum:"debug,info,warn,error" help:"Least level logged: debug, info, warn or error."`
	LogFormat       string        `default:"text" enum:"text,json" help:"Form of the log on standard error: text or json."`

	DuplicateLogin actors.DuplicateLogin `default:"kick-old" help:"What happens when a user who is logged in logs in again: kick-old, refuse-new or allow-several."`

	clusterFlags

	Serve  struct{}    `cmd:"" default:"1" help:"Serve players: what happens without a command."`
	Routes routesFlags `cmd:"" help:"Print every route with its form and types, and leave."`

	Config  string           `env:"SHADDOCK_CONFIG" placeholder:"FILE" help:"YAML file with any of these settings, by flag name."`
	Version kong.VersionFlag `env:"-" help:"Print the version and leave."`
}

// envPrefix begins the name of every environment variable.
const envPrefix = "SHADDOCK"

// Parse reads the command line, the environment and the file of --config, in
// that order of precedence. It prints and exits for --help and --version. The
// error is one line that names the setting.
func Parse(args []string) (Config, error) {
	var f flags
	p, err := kong.New(&f, options()...)
	if err != nil {
		return Config{}, fmt.Errorf("flags: %w", err)
	}
	if file := configPath(args); file != "" {
		res, err := fileSettings(file, p.Model)
		if err != nil {
			return Config{}, err
		}
		if p, err = kong.New(&f, append(options(), kong.Resolvers(res))...); err != nil {
			return Config{}, fmt.Errorf("flags: %w", err)
		}
	}
	asked, err := p.Parse(args)
	if err != nil {
		return Config{}, err
	}
	cfg, err := f.config(os.Stderr)
	if asked.Command() == "routes" {
		cfg.Task = f.Routes.print
	}
	return cfg, err
}

func options() []kong.Option {
	return []kong.Option{
		kong.Name("server"),
		kong.Description("A game server that speaks the pomelo protocol. Every flag can also be set as SHADDOCK_NAME in the environment or by name in the file of --config."),
		kong.DefaultEnvars(envPrefix),
		kong.Vars{"version": version()},
	}
}

// configPath finds the file of settings ahead of the real parse, which needs it.
func configPath(args []string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv(envPrefix + "_CONFIG")
}

// config checks the flags against each other and turns them into a Config.
func (f *flags) config(logTo io.Writer) (Config, error) {
	cfg := Config{
		Listen: f.Listen, Admin: f.Admin, WSPaths: f.WSPaths,
		Heartbeat: off(f.Heartbeat), Handshake: f.Handshake, Origins: f.Origins,
		RateLimit: off(f.RateLimit), ByteRate: off(f.ByteRate), MaxConns: f.MaxConns, MaxPerAddr: f.MaxConnsPerAddr,
		MaxBody: f.MaxBody, OutLimit: f.OutLimit, Timeout: f.RequestTimeout, Duplicates: f.DuplicateLogin,
		TLSCert: f.TLSCert, TLSKey: f.TLSKey, Loops: f.Loops, Portable: f.Portable,
		Live: live.Config{
			Window: off(f.LiveWindow), Batch: off(f.LiveBatch), Rate: off(f.LiveRate), History: off(f.LiveHistory),
			PerUser: off(f.LiveRooms), Budget: off(f.LiveBudget), Pace: off(f.LivePace), Burst: f.OutLimit / 2, Lossy: f.LiveLossy,
		},
		Push: push.Config{
			Key: f.PushKey, Rate: off(f.PushRate), MaxBody: f.PushMaxBody, MaxItems: off(f.PushMaxItems), Pending: off(f.PushPending),
		},
		PushListen: f.PushListen,
		Cluster:    f.cluster(), Store: f.Store,
		Grace: f.Grace, Log: f.logger(logTo), Out: os.Stdout,
	}
	var err error
	if f.Dict != "" {
		if cfg.Dict, err = readDict(f.Dict); err != nil {
			return Config{}, err
		}
	}
	if err := f.check(); err != nil {
		return cfg, err
	}
	if cfg.Cluster.EtcdLogin.Password, err = f.password(); err != nil {
		return cfg, err
	}
	return cfg, cfg.checkStore()
}

func (f *flags) check() error {
	if err := f.clusterFlags.check(); err != nil {
		return err
	}
	switch {
	case (f.TLSCert == "") != (f.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together: give both or neither")
	case f.Heartbeat < 0 || f.Heartbeat%time.Second != 0:
		return fmt.Errorf("--heartbeat %v: clients read whole seconds: give 1s or more, or 0 for none", f.Heartbeat)
	case f.RateLimit < 0:
		return fmt.Errorf("--rate-limit %d: give messages per second, or 0 for no limit", f.RateLimit)
	case f.ByteRate < 0:
		return fmt.Errorf("--byte-rate %d: give bytes per second, or 0 for no limit", f.ByteRate)
	case f.MaxBody < 1 || f.MaxBody >= 1<<24:
		return fmt.Errorf("--max-body %d: a package holds 1 to 16777215 bytes", f.MaxBody)
	case f.LiveWindow < 0 || f.LiveWindow > 10*time.Second:
		return fmt.Errorf("--live-window %v: give at most 10s, or 0 for none", f.LiveWindow)
	case min(f.LiveBatch, f.LiveRate, f.LiveHistory, f.LiveRooms, f.LiveBudget, f.LivePace) < 0:
		return errors.New("--live-batch, --live-rate, --live-history, --live-rooms, --live-budget, --live-pace: give a number, or 0 for off")
	case min(f.PushRate, f.PushMaxItems, f.PushPending) < 0 || f.PushMaxBody < 1:
		return errors.New("--push-rate, --push-max-items, --push-pending: give a number, or 0 for off; --push-max-body: give at least 1")
	case f.OutLimit < 4096:
		return fmt.Errorf("--out-limit %d: give at least 4096 bytes", f.OutLimit)
	}
	for _, p := range f.WSPaths {
		if !strings.HasPrefix(p, "/") {
			return fmt.Errorf("--ws-paths %s: a path begins with /", p)
		}
	}
	return nil
}

func (f *flags) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(f.LogLevel)) // checked by the enum
	opts := &slog.HandlerOptions{Level: level}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// off turns the command line's "0 is off" into Config's "negative is off".
func off[T int | time.Duration](v T) T {
	if v == 0 {
		return -1
	}
	return v
}
