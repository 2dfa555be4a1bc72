package actors

import (
	"reflect"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// RouteOption changes how one route is served.
type RouteOption func(*route)

// WithSerializer writes and reads the bodies of one route with s.
func WithSerializer(s protocol.Serializer) RouteOption {
	return func(r *route) { r.serializer = s }
}

// Inline says that the handler never waits and is done in microseconds: it then
// runs on the connection's loop, between two reads, where a goroutine would have
// been started for it. One that waits all the same makes every player of that
// loop wait. Inbound stages then run there, too.
func Inline() RouteOption { return func(r *route) { r.inline = true } }

// Internal keeps a route from clients, who are answered 404 as if it did not
// exist, and from the dictionary. It is called with Ref.Invoke.
func Internal() RouteOption { return func(r *route) { r.internal = true } }

// Public leaves the route open to those who are not logged in, for the stages
// that ask: see Ctx.Public.
func Public() RouteOption { return func(r *route) { r.public = true } }

// Limit lets each session call the route n times in every per, at once or spread
// out; what is more is answered 429, and a notify dropped and counted. The
// session's general rate counts besides.
func Limit(n int, per time.Duration) RouteOption {
	return func(r *route) { r.limit = limit{n, per} }
}

// Deadline is how long an answer that the handler does not give at once may take:
// one from another actor, or of a Blocking handler. Then the client is answered
// 408. It stands in for Config.RequestTimeout.
func Deadline(d time.Duration) RouteOption { return func(r *route) { r.deadline = d } }

// Describe says what a raw route is about, for lists of routes: its form and the
// types of its bodies, each nil where there is none.
func Describe(form Form, req, rep reflect.Type) RouteOption {
	return func(r *route) { r.form, r.req, r.rep = form, req, rep }
}

// route is one registered route. It is read-only from Start on.
type route struct {
	name       string
	handle     RouteFunc
	serializer protocol.Serializer
	blocking   bool
	serial     bool // runs on its component's desk
	inline     bool
	onLoop     bool // may be called on the connection's loop, set by Start
	internal   bool
	public     bool
	limit      limit
	deadline   time.Duration // 0: Config.RequestTimeout
	form       Form
	owner      string       // the component that serves it, "" for a function
	req, rep   reflect.Type // nil where the form is raw
}

// limit is n calls in every per.
type limit struct {
	n   int
	per time.Duration
}

// limited is how much of a route's limit a session has used.
type limited struct {
	route *route
	used  bucket
}

// within spends one call of the route's limit.
func (s *Session) within(r *route) bool {
	m := s.rare()
	i := 0
	for i < len(m.limits) && m.limits[i].route != r {
		i++
	}
	if i == len(m.limits) {
		m.limits = append(m.limits, limited{route: r})
	}
	// The bucket counts in seconds; to it, one per is one second.
	now := time.Duration(s.app.since().Seconds() / r.limit.per.Seconds() * float64(time.Second))
	ok, _ := m.limits[i].used.take(now, float32(r.limit.n), 1)
	return ok
}
