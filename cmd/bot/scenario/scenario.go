// Package scenario is what sessions do, as a file that a game designer can
// read: phases of load, kinds of players ("behaviours") and their steps. A file
// is compiled into flat programs which package swarm executes; nothing here
// does I/O beyond reading the file.
//
// A behaviour has up to three lists of steps. setup runs once, before the
// measuring begins. act runs once for every moment of the schedule, in one
// session chosen in turn, and its latencies count from the planned moment. run
// begins with the measuring and goes at the session's own pace. A behaviour
// that never says connect connects first.
//
// `bot scenarios` lists the built-in files and `bot scenarios NAME` prints one
// to start from; reference.md beside this file documents every field.
package scenario

import (
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/pace"
)

// Scenario is a compiled file. It is immutable once loaded.
type Scenario struct {
	Name, About string
	Text        bool // JSON text messages instead of pomelo packages

	// What the file proposes; flags win. Zero means that the file has no opinion.
	Sessions, Rooms int
	Rate            float64
	Stages          []pace.Stage

	Behaviours []Behaviour
	Metrics    []string        // names of what is timed, indexed by Op.Metric
	Pushes     map[string]Push // by route
	FailIf     []string        // thresholds, as --fail-if takes them
	Vars       []string        // bound variables, indexed by slot
	Stops      bool            // some step stops reading: the engine bounds what it buffers
	HTTP       bool            // some step talks HTTP
}

// Push is what is known of a route by which members hear publications.
type Push struct {
	Metric int
	// Sampled says that the server may merge or skip such messages (a newer
	// position replaces an older one): they are timed, but nobody is owed one.
	Sampled bool
}

// The metrics that every scenario has, by number.
const (
	MetricConnect = iota
	MetricUpgrade
	MetricHandshake
	MetricHeartbeat
	MetricLag
	MetricDrop // errors only: why connections ended without our asking
	numFixedMetrics
)

var fixedMetrics = [numFixedMetrics]string{"connect", "upgrade", "handshake", "heartbeat", "lag", "drop"}

// Behaviour is one kind of player.
type Behaviour struct {
	Name   string
	Weight int       // its share of the sessions
	User   *Template // the handshake's user payload, nil: none
	// Outlaw says that sessions misbehave on purpose: what fails in them, and that
	// servers throw them out, is no fault of the server and not counted.
	Outlaw bool

	Setup, Act, Run []Op
}

// OpKind says what an Op does.
type OpKind uint8

// The operations of compiled programs.
const (
	OpConnect OpKind = iota
	OpClose
	OpRequest
	OpNotify // also a text message, in a text scenario
	OpExpect
	OpThink
	OpLoop      // enters a loop: its counter is set to Times
	OpNext      // end of a loop's body: jumps back to Jump while the counter lasts
	OpStall     // stops reading for Min; for good when zero
	OpRaw       // bytes as they are, behind the transport's framing
	OpExpectEnd // the server must end the connection
	OpHTTP
)

// Op is one operation. Which fields matter depends on Kind.
type Op struct {
	Kind   OpKind
	Line   int
	Metric int // index into Scenario.Metrics, -1: not timed
	Route  string
	Body   *Template
	Raw    []byte

	Publish      bool // the body carries a mark, and every member is owed the push
	Sampled      bool // of a publication: nobody is owed it, see Push
	Bare         bool // of OpConnect: no handshake, the connection is all that is wanted
	Enter, Leave bool // what success means for the session's membership of its room
	Checks       []Check
	Binds        []Bind
	Timeout      time.Duration // of an answer or a push
	Min, Max     time.Duration // of OpThink and OpStall
	Times        int           // of OpLoop; 0: for ever
	Jump         int           // of OpNext: the first operation of the body; of OpLoop: behind OpNext
	Depth        int           // of OpLoop, OpNext: nesting, from 0
	HTTP         *HTTP         // of OpHTTP
}

// MaxDepth is how deep loops nest: a session keeps one counter for each.
const MaxDepth = 3

// Check compares one member of a JSON answer.
type Check struct {
	Path []string
	Want any // as encoding/json decodes it
}

// Bind keeps one member of a JSON answer in a variable.
type Bind struct {
	Path []string
	Slot int
}

// HTTP is a request that OpHTTP makes, to the host of the session's address
// unless URL is absolute.
type HTTP struct {
	Method, URL string
	Header      map[string]string
	ContentType string
	Status      int // the expected one; 0: any 2xx
}

// Enters reports whether sessions of b enter their room in their setup.
func (b *Behaviour) Enters() bool {
	return slices.ContainsFunc(b.Setup, func(op Op) bool { return op.Enter })
}

// Stays reports whether they are still there, and listening, when the run ends.
func (b *Behaviour) Stays() bool {
	return b.Enters() && !slices.ContainsFunc(slices.Concat(b.Act, b.Run), func(op Op) bool {
		return op.Leave || op.Kind == OpClose || op.Kind == OpStall
	})
}

// Awaits adds the routes of the pushes that sessions of b wait for to routes.
func (b *Behaviour) Awaits(routes map[string]bool) {
	for _, ops := range [][]Op{b.Setup, b.Act, b.Run} {
		for i := range ops {
			if ops[i].Kind == OpExpect {
				routes[ops[i].Route] = true
			}
		}
	}
}

// Routes lists what sessions send and expect, for a lookup that allocates nothing.
func (s *Scenario) Routes() []string {
	var all []string
	for _, b := range s.Behaviours {
		for _, ops := range [][]Op{b.Setup, b.Act, b.Run} {
			for _, op := range ops {
				if op.Route != "" {
					all = append(all, op.Route)
				}
			}
		}
	}
	for route := range s.Pushes {
		all = append(all, route)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Connects reports whether the program opens the connection itself.
func connects(ops []Op) bool {
	for _, op := range ops {
		if op.Kind == OpConnect {
			return true
		}
	}
	return false
}
