package report

import "time"

// Schema is the version of the JSON that this package writes. It changes when a
// field changes its meaning or goes away; a new field leaves it as it is.
const Schema = 1

// Result is what one run came to. Times are milliseconds and sizes bytes where
// the JSON name says so by its suffix; seconds otherwise. A Result is built by
// one goroutine; reading it is safe from any once nobody writes.
type Result struct {
	Schema     int               `json:"schema"`
	Run        Run               `json:"run"`
	Metrics    map[string]Metric `json:"metrics"`
	Deliveries Deliveries        `json:"deliveries"`
	Traffic    Traffic           `json:"traffic"`
	Sessions   Sessions          `json:"sessions"`
	Schedule   Schedule          `json:"schedule"`
	Generator  Generator         `json:"generator"`
	Server     *Server           `json:"server,omitempty"` // nil: nobody told which process it is
	Series     []Sample          `json:"series,omitempty"`
}

// Run says what was run, where and how, so that it can be run again.
type Run struct {
	Target      string    `json:"target"`
	Scenario    string    `json:"scenario"`
	Command     []string  `json:"command"` // the command line, program name first
	Seed        uint64    `json:"seed"`
	Sessions    int       `json:"sessions"`
	Rooms       int       `json:"rooms"`
	Rate        float64   `json:"rate"`  // acts planned per second, 0 where phases say it
	Begin       time.Time `json:"begin"` // of the measuring
	End         time.Time `json:"end"`
	Seconds     float64   `json:"seconds"` // End - Begin
	Interrupted bool      `json:"interrupted,omitempty"`
	Machine     Machine   `json:"machine"`
	Commit      string    `json:"commit"` // of the bot, "unknown" without version control
}

// Deliveries accounts for what the server had to relay (see package measure for
// what is owed to whom).
type Deliveries struct {
	Expected   int64 `json:"expected"`
	Received   int64 `json:"received"` // of the expected ones
	Lost       int64 `json:"lost"`
	Duplicated int64 `json:"duplicated"`
	OutOfOrder int64 `json:"out_of_order"`
	Strangers  int64 `json:"strangers"` // of other rooms or other runs
}

// Traffic counts what the sockets carried while measuring.
type Traffic struct {
	BytesIn     int64 `json:"bytes_in"`
	BytesOut    int64 `json:"bytes_out"`
	PackagesIn  int64 `json:"packages_in"`
	PackagesOut int64 `json:"packages_out"`

	BytesInPerSecond     float64 `json:"bytes_in_per_second"`
	BytesOutPerSecond    float64 `json:"bytes_out_per_second"`
	PackagesInPerSecond  float64 `json:"packages_in_per_second"`
	PackagesOutPerSecond float64 `json:"packages_out_per_second"`
}

// Sessions counts connections.
type Sessions struct {
	Opened     int64 `json:"opened"`     // handshakes completed
	Reconnects int64 `json:"reconnects"` // of those, not the session's first
	Dropped    int64 `json:"dropped"`    // ended without our asking
}

// Schedule tells whether the generator kept to its plan. One that did not has
// measured itself, and its result says so.
type Schedule struct {
	Planned  int64   `json:"planned"`
	Sent     int64   `json:"sent"`
	Skipped  int64   `json:"skipped"` // no session was free or open
	Late     int64   `json:"late"`    // begun more than 5 ms behind the plan: could not keep up
	WorstLag float64 `json:"worst_lag_ms"`
}

// Generator is what the bot itself used while measuring, all its processes.
type Generator struct {
	Processes    int     `json:"processes"`
	CPUSeconds   float64 `json:"cpu_seconds"`
	Cores        float64 `json:"cores"` // CPUSeconds per second
	RSS          int64   `json:"rss_bytes"`
	CPUPerPushUS float64 `json:"cpu_us_per_push"` // 0 when no push came
}

// Server is what the server used while measuring, by its process or by its
// metrics page.
type Server struct {
	CPUSeconds    float64 `json:"cpu_seconds"`
	Cores         float64 `json:"cores"`
	Op            string  `json:"op"` // delivery, request or session: what CPUPerOpUS is per
	CPUPerOpUS    float64 `json:"cpu_us_per_op"`
	RSSBefore     int64   `json:"rss_before_bytes"`    // before the first session
	RSSConnected  int64   `json:"rss_connected_bytes"` // with all sessions
	RSSEnd        int64   `json:"rss_end_bytes"`
	RSSPerSession float64 `json:"rss_per_session_bytes"`
}

// New returns an empty result of this schema, on this machine, by this build of
// the bot.
func New() *Result {
	return &Result{
		Schema:    Schema,
		Run:       Run{Machine: ThisMachine(), Commit: BuildCommit()},
		Metrics:   make(map[string]Metric),
		Generator: Generator{Processes: 1},
	}
}

// Seal fills in what follows from the rest: rates per second and costs per
// operation. Whoever builds a Result calls it last.
func (r *Result) Seal() {
	if !r.Run.End.IsZero() {
		r.Run.Seconds = r.Run.End.Sub(r.Run.Begin).Seconds()
	}
	t := &r.Traffic
	for _, p := range []struct {
		rate  *float64
		total int64
	}{
		{&t.BytesInPerSecond, t.BytesIn}, {&t.BytesOutPerSecond, t.BytesOut},
		{&t.PackagesInPerSecond, t.PackagesIn}, {&t.PackagesOutPerSecond, t.PackagesOut},
	} {
		*p.rate = per(float64(p.total), r.Run.Seconds)
	}
	g := &r.Generator
	g.Cores = per(g.CPUSeconds, r.Run.Seconds)
	g.CPUPerPushUS = per(g.CPUSeconds*1e6, float64(r.count("push")))
	if s := r.Server; s != nil {
		s.Cores = per(s.CPUSeconds, r.Run.Seconds)
		var ops int64
		s.Op, ops = r.operation()
		s.CPUPerOpUS = per(s.CPUSeconds*1e6, float64(ops))
	}
}

// operation is what a server's work is divided by: pushes where there are any,
// else answers, else sessions. The metrics are counted and not the accounts of
// deliveries, which include those of a warm-up; processor time does not.
func (r *Result) operation() (name string, n int64) {
	if n := r.count("push"); n > 0 {
		return "delivery", n
	}
	if n := r.count("request"); n > 0 {
		return "request", n
	}
	return "session", int64(r.Run.Sessions)
}

// per divides, and is 0 where there is nothing to divide by.
func per(a, b float64) float64 {
	if b <= 0 {
		return 0
	}
	return a / b
}
