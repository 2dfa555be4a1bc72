package protocol

// AwayRoute is pushed to every session of a server that is about to stop, with an
// Away as JSON: a client that knows it connects again by itself within that time,
// at a moment of its own, when no answer is on its way to it.
const AwayRoute = "sys.goaway"

// Away is the body of AwayRoute. Each session is told another time.
type Away struct {
	After int64  `json:"after"`         // milliseconds until this connection is closed
	URL   string `json:"url,omitempty"` // where to connect; empty: where it did
}
