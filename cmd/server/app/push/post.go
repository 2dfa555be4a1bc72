package push

import (
	"errors"
	"net/http"
	"time"

	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/rooms/live"
)

// aim is whom a request is for.
type aim uint8

const (
	aimAll aim = iota
	aimRoom
	aimUser
)

// post serves one of the three ways to push.
func (a *API) post(to aim) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		accepted, err := a.push(w, r, to)
		answer(w, accepted, err)
	}
}

// push carries out one request, and returns how many items were taken.
func (a *API) push(w http.ResponseWriter, r *http.Request, to aim) (accepted int, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return 0, refused(http.StatusMethodNotAllowed, 0, "POST only")
	}
	if err := a.authorize(r); err != nil {
		return 0, err
	}
	charge, err := a.gate.enter(r.ContentLength, a.cfg.MaxBody)
	if err != nil {
		a.stats.shed.Add(1)
		return 0, err
	}
	defer a.gate.leave(charge)
	req, err := a.read(w, r, to)
	if err != nil {
		return 0, err
	}
	n := len(req.post.Items)
	if wait, ok := a.gate.spend(time.Now(), n); !ok {
		a.stats.limited.Add(int64(n))
		return 0, retry(http.StatusTooManyRequests, n, wait, "more items than the rate allows")
	}
	a.stats.pending.Add(int64(n))
	err = a.deliver(r, to, req)
	a.stats.pending.Add(-int64(n))
	if some, ok := errors.AsType[*Partial](err); ok {
		a.stats.total.Add(int64(n - some.Dropped))
		a.stats.fail.Add(int64(some.Dropped))
		return n - some.Dropped, some
	}
	if err != nil {
		if errors.Is(err, rooms.ErrUnsure) {
			a.stats.unsure.Add(int64(n))
		} else {
			a.stats.fail.Add(int64(n))
		}
		return 0, verdict(err, n)
	}
	a.stats.total.Add(int64(n))
	return n, nil
}

// ErrUnknown says that there is no such room or user.
var ErrUnknown = errors.New("unknown")

// Partial says that some items did not reach a user, who has just come or gone.
type Partial struct{ Dropped int }

// Error is what the caller reads.
func (p *Partial) Error() string { return "the user was not there for all of the items" }

// deliver hands the items over and waits until they are taken or refused.
func (a *API) deliver(r *http.Request, to aim, req request) error {
	done := make(chan error, 1)
	report := func(err error) { done <- err }
	switch to {
	case aimAll:
		a.target.All(req.post, report)
	case aimRoom:
		a.target.Room(req.name, req.post, report)
	case aimUser:
		a.target.User(req.name, req.post, report)
	}
	timer := time.NewTimer(a.cfg.Wait)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
	case <-r.Context().Done():
	}
	if req.post.GiveUp() {
		return live.ErrGivenUp
	}
	return <-done // taken up already: the verdict is on its way
}
