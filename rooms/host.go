package rooms

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/protocol"
)

// Placement is the one way to a room: by its key, never by where it runs. It
// hands msg to the room, which it activates when it is not active; a room gets
// the messages of one sender in the order of the calls. Deliver never blocks; a
// msg that cannot be delivered is told so through its Refused method.
//
// Local is the placement of a node alone; a cluster brings another.
type Placement interface {
	Deliver(key Key, msg any)
}

// Host runs the rooms of this node. Its methods are usable from any goroutine.
type Host struct {
	app       *actors.App
	log       *slog.Logger
	kinds     map[string]*Kind
	local     *Local
	place     Placement
	spread    *spread // nil for a node alone
	keeper    snapshots.Store
	directory *actor.PID
	names     names
	work      sync.WaitGroup // async work of all rooms
	stats     counters

	traffic map[string]*traffic // by kind; the map is read-only after Install
}

// Install registers the routes of the kinds with the application, before its
// Start, and returns the host that will run their rooms. It reports everything
// that is wrong with the kinds, each naming its kind and the fix.
func Install(app *actors.App, log *slog.Logger, kinds ...Kind) (*Host, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := &Host{app: app, log: log, kinds: make(map[string]*Kind, len(kinds)), traffic: make(map[string]*traffic, len(kinds))}
	var errs []error
	for _, k := range kinds {
		errs = append(errs, k.errs...)
		if k.new == nil {
			errs = append(errs, errZeroKind)
			continue
		}
		if _, twice := h.kinds[k.name]; twice {
			errs = append(errs, fmt.Errorf("room kind %q installed twice: give one of them another name", k.name))
			continue
		}
		if k.serializer == nil {
			k.serializer = app.Serializer()
		}
		h.kinds[k.name], h.traffic[k.name] = &k, new(traffic)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	h.startDirectory()
	h.local = newLocal(h)
	h.place = h.local
	for _, k := range kinds {
		h.route(h.kinds[k.name])
	}
	return h, nil
}

var errZeroKind = errors.New("rooms: a zero Kind: make kinds with rooms.KindOf")

// Stop closes all rooms, which tell their members why, and waits until they and
// their async work have ended or ctx has.
func (h *Host) Stop(ctx context.Context, why protocol.Reason) error {
	if err := h.local.stop(ctx, why); err != nil {
		return err
	}
	h.app.System().Root.Stop(h.directory)
	done := make(chan struct{})
	go func() { defer close(done); h.work.Wait() }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the async work of rooms: %w", ctx.Err())
	}
}

func (h *Host) passivate(key Key, pid *actor.PID) { h.local.send(&passivate{key, pid}) }
func (h *Host) stayed(key Key)                    { h.local.send(&stayed{key}) }

// spawn starts the actor of one room. Its name is unique for the life of the
// process, so that a message for an earlier room with this key is never taken
// for one to this.
func (h *Host) spawn(key Key, n uint64) (*actor.PID, error) {
	k, ok := h.kinds[key.Kind]
	if !ok {
		return nil, fmt.Errorf("no room kind %q", key.Kind)
	}
	mailbox := h.app.Mailbox
	if k.inline {
		mailbox = h.app.InlineMailbox
	}
	log := h.log.With("kind", key.Kind, "room", key.ID)
	props := actor.PropsFromProducer(func() actor.Actor {
		ended, end := context.WithCancel(context.Background())
		r := &room{key: key, host: h, keeper: h, ended: ended, end: end, work: &h.work, st: &state{
			kind: k, id: key.ID, log: log, stats: &h.stats,
			rand: newRand(uint64(time.Now().UnixNano())),
			out:  h.newOutlet(k),
		}}
		if h.keeps(k) {
			return newKeptRoom(r)
		}
		return r
	}, actor.WithMailbox(mailbox(k.mailbox)), actor.WithGuardian(actor.NewOneForOneStrategy(0, 0, stopOnFailure)))
	return h.app.System().Root.SpawnNamed(props, fmt.Sprintf("room/%s/%s/%s@%d", h.app.System().ID, key.Kind, key.ID, n))
}

// newOutlet returns an outlet to sessions of this node.
func (h *Host) newOutlet(k *Kind) outlet {
	return &audienceOutlet{audience: h.app.NewAudience(), kind: h.traffic[k.name]}
}

// stopOnFailure ends a room whose shell panicked, which its state guards
// against: that is a fault of ours, and the next join makes a new room.
func stopOnFailure(any) actor.Directive { return actor.StopDirective }
