package push

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/rooms/live"
)

// result is the body of every answer to a push.
type result struct {
	Accepted int    `json:"accepted"`
	Dropped  int    `json:"dropped"`
	Error    string `json:"error,omitempty"`
}

// refusal is why nothing of a request was taken.
type refusal struct {
	status  int
	dropped int // items that were in the request, as far as is known
	after   time.Duration
	text    string
}

// Error is what the caller reads.
func (r *refusal) Error() string { return r.text }

func refused(status, dropped int, text string) *refusal {
	return &refusal{status: status, dropped: dropped, text: text}
}

func retry(status, dropped int, after time.Duration, text string) *refusal {
	return &refusal{status: status, dropped: dropped, after: after, text: text}
}

func bad(format string, args ...any) *refusal {
	return refused(http.StatusBadRequest, 0, fmt.Sprintf(format, args...))
}

// verdict is what the caller is told about items that their target refused.
func verdict(err error, items int) *refusal {
	switch {
	case errors.Is(err, ErrUnknown):
		return refused(http.StatusNotFound, items, "nobody is there: no such room or user is online")
	case errors.Is(err, rooms.ErrUnsure):
		return refused(http.StatusGatewayTimeout, 0, "the items may have been said or not: who had them was lost")
	case errors.Is(err, live.ErrGivenUp):
		return retry(http.StatusServiceUnavailable, items, time.Second, "the room did not take the items in time")
	case errors.Is(err, actors.ErrStopped):
		return retry(http.StatusServiceUnavailable, items, time.Second, "the room has just closed")
	case errors.Is(err, rooms.ErrPaused):
		return retry(http.StatusServiceUnavailable, items, time.Second, "the room stands still for a moment")
	}
	return retry(http.StatusServiceUnavailable, items, time.Second, "too many items are on their way already")
}

// answer writes what became of a request.
func answer(w http.ResponseWriter, accepted int, err error) {
	status, res := http.StatusAccepted, result{Accepted: accepted}
	if some, ok := errors.AsType[*Partial](err); ok {
		res.Dropped, res.Error = some.Dropped, some.Error()
	}
	if no, ok := errors.AsType[*refusal](err); ok {
		status, res.Dropped, res.Error = no.status, no.dropped, no.text
		if no.after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(no.after.Seconds()))))
		}
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="push"`)
		}
	}
	writeJSON(w, status, res)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone: nobody to tell
}
