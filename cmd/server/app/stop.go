package app

import (
	"context"
	"errors"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// The stages of a stop have a part of Config.Grace each, counted from its start, so
// that who does not come to an end takes no time from those behind. What an earlier
// stage leaves of its part goes to the next.
const (
	untilLeft   = 0.6 // rooms moved, players sent away
	untilEnded  = 0.7 // sessions and their handlers
	untilClosed = 0.9 // rooms of a server alone, which may save
)

// stop ends everything in order; it also undoes a start that failed half way. What
// players have not taken by then is cut off, with a warning that says how much:
// a client that will not close is no failure of the server. What rooms could not
// save is one.
func (s *server) stop() error {
	s.stopping.Store(true)
	began := time.Now()
	until := func(part float64) (context.Context, context.CancelFunc) {
		return context.WithDeadline(context.Background(), began.Add(time.Duration(part*float64(s.cfg.Grace))))
	}
	var errs []error
	stage := func(part float64, steps ...func(context.Context) error) {
		ctx, cancel := until(part)
		defer cancel()
		for _, step := range steps {
			errs = append(errs, s.cut(step(ctx)))
		}
	}
	if s.wires != nil {
		s.wires.StopAccepting()
	}
	stage(untilLeft, s.stopPushes, s.leave)
	if s.actors != nil {
		stage(untilEnded, s.actors.Shutdown)
	}
	if s.rooms != nil {
		stage(untilClosed, func(ctx context.Context) error { return s.rooms.Stop(ctx, protocol.ReasonShutdown) })
	}
	if s.node != nil {
		stage(1, s.node.close)
	}
	stage(1, s.closeStore)
	if s.wires != nil {
		stage(1, s.wires.Shutdown)
	}
	if s.actors != nil { // components last: a game saves into what they hold
		stage(1, s.actors.Finish)
	}
	if s.admin != nil {
		stage(1, s.admin.stop)
	}
	return errors.Join(errs...)
}

// cut passes on what is an error of a stop, and logs what is none.
func (s *server) cut(err error) error {
	if joined, is := err.(interface{ Unwrap() []error }); is {
		var rest []error
		for _, one := range joined.Unwrap() {
			rest = append(rest, s.cut(one))
		}
		return errors.Join(rest...)
	}
	if left, is := errors.AsType[*actors.LeftError](err); is {
		s.cfg.Log.Warn("stopped beside sessions and handlers that did not end", "sessions", left.Sessions, "handlers", left.Handlers)
		return nil
	}
	if cut, is := errors.AsType[*transport.CutError](err); is {
		s.cfg.Log.Warn("cut off connections that did not close", "connections", cut.Connections)
		return nil
	}
	return err
}
