package app

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/cmd/server/app/push"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/rooms/live"
)

// pushes carries what the push API takes to rooms and users. Any goroutine.
type pushes struct {
	server *server

	unheard            atomic.Int64 // items for everyone, when nobody was there
	user, userFail     atomic.Int64 // items
	userSent, userLost atomic.Int64 // one for each item and session
}

// All implements push.Target. That nobody is there is no failure: everyone has
// got it.
func (t *pushes) All(p *live.Post, verdict func(error)) {
	t.server.rooms.Tell(live.Everyone, p, func(err error) {
		if errors.Is(err, rooms.ErrNoRoom) {
			t.unheard.Add(int64(len(p.Items)))
			err = nil
		}
		verdict(err)
	})
}

// Room implements push.Target.
func (t *pushes) Room(room string, p *live.Post, verdict func(error)) {
	t.server.rooms.Tell(rooms.Key{Kind: live.RoomKind, ID: room}, p, func(err error) {
		if errors.Is(err, rooms.ErrNoRoom) {
			err = push.ErrUnknown
		}
		verdict(err)
	})
}

// User implements push.Target.
func (t *pushes) User(uid string, p *live.Post, verdict func(error)) {
	if !p.Take() {
		verdict(live.ErrGivenUp)
		return
	}
	var rest, reached atomic.Int64 // items
	var lost atomic.Int64          // sessions that had an item and did not confirm it
	rest.Store(int64(len(p.Items)))
	report := func(sent, dropped int) {
		t.userSent.Add(int64(sent))
		t.userLost.Add(int64(dropped))
		if sent > 0 {
			reached.Add(1)
		} else {
			lost.Add(int64(dropped))
		}
		if rest.Add(-1) == 0 {
			verdict(t.userVerdict(len(p.Items), int(reached.Load()), lost.Load() > 0))
		}
	}
	for _, item := range p.Items {
		if err := t.server.actors.Users().Push(uid, p.PushRoute(), item, report); err != nil {
			t.server.cfg.Log.Error("push could not be written", "uid", uid, "error", err)
			report(0, 0)
		}
	}
}

func (t *pushes) userVerdict(items, reached int, lost bool) error {
	t.user.Add(int64(reached))
	t.userFail.Add(int64(items - reached))
	switch {
	case reached == items:
		return nil
	case reached == 0 && lost: // it ended meanwhile, or its node did
		return rooms.ErrUnsure
	case reached == 0:
		return push.ErrUnknown
	}
	return &push.Partial{Dropped: items - reached}
}

// Totals implements push.Target.
func (t *pushes) Totals() push.Totals {
	s := t.server
	l, in, all := s.live.Stats(), s.rooms.Traffic(live.RoomKind), s.rooms.Traffic(live.EveryoneKind)
	return push.Totals{
		Online: s.actors.Stats().Sessions, Rooms: l.Rooms,
		Sent: in.Delivered + all.Delivered + t.userSent.Load(), Lost: in.Dropped + all.Dropped + t.userLost.Load(),
		Merging: l.Waiting + in.Pending + all.Pending,
		Room:    l.Room, RoomFail: l.RoomFailed, All: l.All + t.unheard.Load(), AllFail: l.AllFailed,
		User: t.user.Load(), UserFail: t.userFail.Load(),
		Messages: l.Sent, Limited: l.Limited, Overloaded: l.Overloaded,
		Writes: s.wires.Stats().Writes,
	}
}

// Whole implements push.Target.
func (t *pushes) Whole(ctx context.Context) (push.Stats, error) {
	all, err := t.server.tally.ask(ctx)
	return all.Stats, err
}

// servePushes opens the push API's own listener, if there is to be one.
func (s *server) servePushes() (err error) {
	if s.cfg.PushListen == "" || s.cfg.PushListen == none {
		return nil
	}
	s.pushing, err = serveSide("--push-listen", s.cfg.PushListen, s.push)
	return err
}

// stopPushes ends the listener; requests under way are answered first.
func (s *server) stopPushes(ctx context.Context) error {
	if s.pushing == nil {
		return nil
	}
	return s.pushing.stop(ctx)
}

// mountPushes answers the push API on the players' port too.
func (s *server) mountPushes(mux *http.ServeMux) {
	for _, p := range push.Paths {
		mux.Handle(p, s.push)
	}
}
