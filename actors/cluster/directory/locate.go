package directory

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// flight is one search for a room, which all who look for it share.
type flight struct {
	done  chan struct{}
	place Place
	err   error
}

// A search goes on for as long as a caller may wait: who has less patience leaves
// earlier, and the next one finds it further on.
const flightTime = 10 * time.Second

// Known returns where a room was last seen, if that node is still there. It asks
// nobody: the room may have moved.
func (d *Directory) Known(key Key) (Place, bool) {
	p, ok := d.places.load(key)
	if !ok {
		return Place{}, false
	}
	if _, there := d.cfg.Roster.View().Get(p.Node); !there {
		d.Gone(key, p)
		return Place{}, false
	}
	return p, true
}

// Where returns where a room runs that is active, and starts none. It asks the store
// when this node does not know.
func (d *Directory) Where(ctx context.Context, key Key) (Place, bool, error) {
	if p, ok := d.Known(key); ok {
		return p, true, nil
	}
	path := d.cfg.Prefix + key.Path()
	recs, _, err := d.cfg.Store.List(ctx, path)
	if err != nil {
		return Place{}, false, err
	}
	for _, r := range recs { // room 1 is also the beginning of room 10
		if r.Key == path {
			p, err := placeOf(r)
			return p, err == nil, err
		}
	}
	return Place{}, false, nil
}

// Find returns where a room runs, and has it started where it should when it runs
// nowhere.
func (d *Directory) Find(ctx context.Context, key Key) (Place, error) {
	if p, ok := d.Known(key); ok {
		return p, nil
	}
	f, mine := d.join(key)
	if mine {
		d.tasks.Go(func() { d.fly(key, f) })
	}
	select {
	case <-f.done:
		return f.place, f.err
	case <-ctx.Done():
		return Place{}, ctx.Err()
	}
}

// Confirm is Find for who has reason to doubt what is known: it asks the node that
// had the room, which starts it again if it has ended there.
func (d *Directory) Confirm(ctx context.Context, key Key) (Place, error) {
	known, ok := d.Known(key)
	if !ok {
		return d.Find(ctx, key)
	}
	p, err := d.askNode(ctx, link.Peer{ID: known.Node, Addr: known.Addr}, key)
	if err == nil && p.Node == known.Node {
		d.places.later(key, p)
		return p, nil
	}
	d.Gone(key, known)
	return d.Find(ctx, key)
}

// Then is Find for whoever must not wait: f is called with the result, at once
// when it is known, else from a goroutine of the directory's. It is not called
// any more once the directory is closed.
func (d *Directory) Then(key Key, f func(Place, error)) {
	if p, ok := d.Known(key); ok {
		f(p, nil)
		return
	}
	d.tasks.Go(func() {
		p, err := d.Find(d.run, key)
		if d.run.Err() == nil {
			f(p, err)
		}
	})
}

// Gone tells that a room was not where Find said. It is looked for anew.
func (d *Directory) Gone(key Key, p Place) {
	if d.places.drop(key, p) {
		d.history.left(time.Now(), key, p)
	}
}

func (d *Directory) join(key Key) (f *flight, mine bool) {
	f = &flight{done: make(chan struct{})}
	v, there := d.flights.LoadOrStore(key, f)
	return v.(*flight), !there
}

func (d *Directory) fly(key Key, f *flight) {
	ctx, cancel := context.WithTimeout(d.run, flightTime)
	defer cancel()
	began := time.Now()
	f.place, f.err = d.guarded(ctx, key)
	if f.err == nil {
		d.places.store(key, f.place)
		d.history.arrived(time.Now(), key, f.place)
		d.stats.found(time.Since(began))
	} else {
		d.stats.notFound.Add(1)
	}
	d.flights.Delete(key)
	close(f.done)
}

// guarded is search for a kind whose Route is not to be trusted: the id of a room is
// a player's to choose, and a panic here would end the node for one that Route has
// not thought of.
func (d *Directory) guarded(ctx context.Context, key Key) (p Place, err error) {
	defer func() {
		if r := recover(); r != nil {
			d.log.Error("room could not be placed: its kind's route panicked", "room", key.String(), "panic", r, "stack", string(debug.Stack()))
			err = protocol.Errorf(protocol.CodeInternal, "room cannot be placed")
		}
	}()
	return d.search(ctx, key)
}

// search asks the node that should run the room, follows one that says who does,
// and tries others when one refuses.
func (d *Directory) search(ctx context.Context, key Key) (Place, error) {
	var (
		s     = search{avoid: make(map[string]bool)}
		pause = firstPause
		err   error
	)
	for {
		target, ok := s.next(d.cfg.Rules[key.Kind], key, d.cfg.Roster.View())
		switch {
		case ok:
			d.bare.Delete(key.Kind)
			var where Place
			if where, err = d.askNode(ctx, target, key); err == nil && where.Node == target.ID {
				return where, nil
			}
			if s.heard(target, where, err) {
				continue
			}
		case s.nobody:
			if err = d.noHost(key.Kind, time.Now()); err != nil {
				return Place{}, err
			}
		}
		if !timer.Sleep(ctx, pause) {
			return Place{}, protocol.Errorf(protocol.CodeUnavailable, "room is not available").With(errors.Join(err, ctx.Err()))
		}
		pause = min(2*pause, lastPause)
	}
}

const (
	firstPause = 10 * time.Millisecond
	lastPause  = 300 * time.Millisecond
)

// askNode asks one node to run the room, or to say who does.
func (d *Directory) askNode(ctx context.Context, to link.Peer, key Key) (Place, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	a, err := d.cfg.Link.Call(ctx, to, &wire.Envelope{Op: wire.OpClaim, Kind: key.Kind, Id: key.ID})
	if err != nil {
		return Place{}, err
	}
	if len(a.Body) == 0 {
		return Place{Node: to.ID, Addr: to.Addr, Epoch: a.Epoch}, nil
	}
	var p Place
	if err := json.Unmarshal(a.Body, &p); err != nil {
		return Place{}, err
	}
	return p, nil
}

// askTime is how long one node may take: a room that moves is saved meanwhile.
const askTime = 5 * time.Second
