package rooms

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// tellTimeout bounds the way of a told message to a room of another node.
const tellTimeout = 5 * time.Second

// tell hands a message from outside of any session to a room, wherever it runs. To
// another node it goes as JSON, and two of one sender may overtake each other.
func (s *spread) tell(key Key, t *told) {
	if v, ok := s.rooms.Load(key); ok {
		s.root.Send(v.(*actor.PID), t)
		return
	}
	s.host.work.Go(func() { t.verdict(s.tellFar(key, t.msg)) })
}

func (s *spread) tellFar(key Key, msg any) error {
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	at, ok, err := s.mesh.Directory().Where(ctx, places.Key(key))
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrNoRoom
	}
	// Whoever may take it back must do so before it is on its way.
	if p, may := msg.(interface{ Take() bool }); may && !p.Take() {
		return errTakenBack
	}
	body, err := json.Marshal(msg)
	if err != nil {
		return err
	}
	err = s.tellAt(ctx, at, key, body)
	if !errors.Is(err, ErrNoRoom) {
		return err
	}
	// It is not there any more: it may be elsewhere since.
	if at, ok, err = s.mesh.Directory().Where(ctx, places.Key(key)); err != nil || !ok {
		return cmp.Or(err, ErrNoRoom)
	}
	return s.tellAt(ctx, at, key, body)
}

func (s *spread) tellAt(ctx context.Context, at places.Place, key Key, body []byte) error {
	_, err := s.mesh.Ask(ctx, link.Peer{ID: at.Node, Addr: at.Addr}, &wire.Envelope{Op: wire.OpRoomTell, Kind: key.Kind, Id: key.ID, Body: body})
	return s.toldFar(key, at, err)
}

// toldFar reads what became of a message to another node.
func (s *spread) toldFar(key Key, at places.Place, err error) error {
	if call, is := errors.AsType[*link.CallError](err); is && call.Sent {
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	coded, is := errors.AsType[*protocol.Error](err)
	switch {
	case !is:
		return err
	case coded.Code == protocol.CodeNoRoute:
		s.mesh.Directory().Gone(places.Key(key), at)
		return ErrNoRoom
	case coded.Code == protocol.CodeInternal:
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	return err
}

var errTakenBack = errors.New("taken back by its sender")

// serveTell takes what another node was told for a room of this one.
func (s *spread) serveTell(c *link.Call) {
	key := Key{c.Kind, c.Id}
	k, known := s.host.kinds[key.Kind]
	v, here := s.rooms.Load(key)
	if !known || k.toldFrom == nil || !here {
		c.Fail(protocol.Errorf(protocol.CodeNoRoute, "%v", ErrNoRoom))
		return
	}
	msg, err := k.toldFrom(c.Body)
	if err != nil {
		c.Fail(badBody(err))
		return
	}
	s.root.Send(v.(*actor.PID), &told{msg, func(err error) {
		switch {
		case err == nil:
			c.Answer(&wire.Envelope{})
		default:
			c.Fail(tellable(err))
		}
	}})
}

// tellable gives a verdict the code by which the teller's node knows it.
func tellable(err error) error {
	_, coded := errors.AsType[*protocol.Error](err)
	switch {
	case errors.Is(err, ErrUnsure):
		return protocol.Errorf(protocol.CodeInternal, "%v", err)
	case errors.Is(err, ErrNoRoom):
		return protocol.Errorf(protocol.CodeNoRoute, "%v", err)
	case coded:
		return err
	case refusal(err):
		return protocol.Errorf(protocol.CodeUnavailable, "%v", err)
	}
	return protocol.Errorf(protocol.CodeRefused, "%v", err)
}

// refusal says whether err is one with which rooms and mailboxes refuse messages.
func refusal(err error) bool {
	for _, known := range []error{actors.ErrBusy, actors.ErrStopped, ErrPaused, errStopping, errNotOpen} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
