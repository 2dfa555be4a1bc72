// Package push is the HTTP API through which other systems push to players.
//
//	POST /push/all    items=[…]            everyone who watches anything
//	POST /push/room   room=r&items=[…]     the members of one live room
//	POST /push/user   user=uid&items=[…]   the sessions of one user
//	GET  /stats                            counters, of all nodes of a cluster
//	GET  /openapi.json                     all of this for programs
//
// Bodies are forms, or JSON objects with the same fields. Items are JSON values;
// each becomes one push on the route that the field route names, onMessage when
// there is none. The field latest marks one item as the newest value of something:
// it takes the place of an older one that a member has not got yet.
//
// # What an answer means
//
// 202 says that all items have been taken: they reach every receiver or are counted
// as dropped. 504 says that nobody knows: the node that had the items was lost, the
// room failed, or the user went. Every other answer says that none has been taken, so a
// caller that was answered 429 or 503 may post the same again after the time that
// Retry-After names. Only for a user who comes or goes meanwhile may a 202 count some
// items as dropped.
//
// # Memory
//
// A request is charged to a budget before its body is read, until its items are
// with their room; rooms have budgets of their own. What exceeds either is answered
// 503 and held nowhere.
package push

import (
	"context"
	_ "embed"
	"net/http"
	"time"

	"github.com/shaddock-game/shaddock/rooms/live"
)

// Config says what callers may do. The zero value works; for numbers zero is the
// default and negative is off.
type Config struct {
	Key      string        // that callers must show; "" lets in callers of this machine only
	MaxBody  int           // bytes of one request, 4 MiB
	MaxItems int           // items of one request, 20,000
	MaxItem  int           // bytes of one item, 16 KiB
	Pending  int           // bytes of all requests that are being worked on, 64 MiB
	Rate     int           // items a second over all callers, no limit; more are answered 429
	Wait     time.Duration // for a room to take the items, 5 s; then they are taken back: 503
}

func (c *Config) setDefaults() {
	or(&c.MaxBody, 4<<20)
	or(&c.MaxItems, 20_000)
	or(&c.MaxItem, 16<<10)
	or(&c.Pending, 64<<20)
	or(&c.Rate, -1)
	or(&c.Wait, 5*time.Second)
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 30 // "off": the budget is the limit
	}
}

// or resolves a setting: zero is the default, negative is off, which is 0.
func or[T int | time.Duration](field *T, value T) {
	switch {
	case *field == 0:
		*field = max(value, 0)
	case *field < 0:
		*field = 0
	}
}

// Target is where pushes go. Those that push never block; they call verdict exactly
// once, from any goroutine: with nil when all items were taken, with ErrUnknown when
// there is no such room or user, with rooms.ErrUnsure when they may have been taken, or
// with another error, which reads as overload.
type Target interface {
	All(p *live.Post, verdict func(err error))
	Room(room string, p *live.Post, verdict func(err error))
	User(uid string, p *live.Post, verdict func(err error))
	// Totals are those of this node.
	Totals() Totals
	// Whole are the counters of the cluster, for a node alone API.Stats. It may take a
	// moment; the error is ctx's.
	Whole(ctx context.Context) (Stats, error)
}

// API is the handler. It is safe for concurrent use.
type API struct {
	// Set at birth, read-only afterwards.
	cfg    Config
	target Target
	mux    *http.ServeMux
	guard  *http.CrossOriginProtection

	// Any goroutine.
	gate  gate
	stats counters
}

//go:embed openapi.json
var openAPI []byte

// New returns the API in front of target.
func New(cfg Config, target Target) *API {
	cfg.setDefaults()
	a := &API{cfg: cfg, target: target, mux: http.NewServeMux(), guard: http.NewCrossOriginProtection()}
	a.gate.init(cfg.Pending, cfg.Rate)
	a.mux.HandleFunc("/push/all", a.post(aimAll))
	a.mux.HandleFunc("/push/room", a.post(aimRoom))
	a.mux.HandleFunc("/push/user", a.post(aimUser))
	a.mux.HandleFunc("GET /stats", a.serveStats)
	a.mux.HandleFunc("GET /openapi.json", serveOpenAPI)
	return a
}

// Paths are what the API answers, for whoever mounts it beside other handlers.
var Paths = []string{"/push/", "/stats", "/openapi.json"}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*") // for the tools of other sites; nothing here is secret
	_, _ = w.Write(openAPI)                            // the caller has gone: nobody to tell
}
