package rooms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// In a cluster the list of the rooms of one kind is kept by one node, the kind's
// home: the one that all nodes agree on who have the same view of the members.
// Rooms report to their own node, which passes it on, and repeats it now and then:
// what is lost, or was told to a home that is no more, is known again after
// repeatEvery. Until then a match may open a room too many; it never seats anyone
// twice, since it is the room that seats.

const (
	repeatEvery = 5 * time.Second
	forgetAfter = 3*repeatEvery + time.Second // a room of another node that is not repeated
	reportBatch = 100                         // rooms in one message
)

// Messages of a directory that is shared.
type (
	joinShare  struct{ spread *spread }
	repeat     struct{}
	newMembers struct{ view *roster.View }
	farReports struct {
		from string
		body []byte
	}
)

// share is a directory's part of the cluster.
type share struct {
	// Set at birth, read-only afterwards.
	spread *spread
	ring   func()

	// Owned by the directory.
	own   map[Key]*report      // what the rooms of this node have said
	homes map[string]link.Peer // by kind, as of the members known last
	timer *time.Timer
}

// shareDirectory makes the directory part of a cluster, before the mesh starts.
func (h *Host) shareDirectory(s *spread) {
	s.root.Send(h.directory, &joinShare{s})
	s.mesh.Watch(func(st roster.Standing) { s.root.Send(h.directory, &newMembers{st.View}) })
	s.mesh.Direct(wire.OpRoomReports, func(from link.Peer, e *wire.Envelope) {
		s.root.Send(h.directory, &farReports{from.ID, e.Body})
	})
	s.mesh.ServeCall(wire.OpRoomQuery, s.serveQuery)
	s.mesh.ServeCall(wire.OpRoomCreate, s.serveCreate)
}

func newShare(c actor.Context, s *spread) *share {
	root, self := c.ActorSystem().Root, c.Self()
	sh := &share{spread: s, own: make(map[Key]*report), ring: func() { root.Send(self, &repeat{}) }}
	sh.homes = s.homes()
	sh.timer = time.AfterFunc(repeatEvery, sh.ring)
	return sh
}

func (sh *share) stop() { sh.timer.Stop() }

// home is where the list of a kind is kept: rendezvous hashing over the nodes that
// can run it, and this node when there is none.
func (s *spread) home(kind string) link.Peer {
	best, most := s.mesh.Self(), uint64(0)
	for _, m := range s.mesh.Members().Members() {
		if !m.Runs(kind) {
			continue
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(m.ID + "/" + kind)) // never fails
		if n := h.Sum64() | 1; n > most {
			best, most = link.Peer{ID: m.ID, Addr: m.Addr}, n
		}
	}
	return best
}

func (s *spread) homes() map[string]link.Peer {
	homes := make(map[string]link.Peer, len(s.host.kinds))
	for kind := range s.host.kinds {
		homes[kind] = s.home(kind)
	}
	return homes
}

// keep remembers what a room of this node says, and reports whether it is for this
// directory; else it has been passed on.
func (sh *share) keep(r *report) (here bool) {
	if r.Ended {
		delete(sh.own, r.Info.Key)
	} else {
		again := *r
		again.Matched = 0 // told once
		sh.own[r.Info.Key] = &again
	}
	home := sh.homes[r.Info.Key.Kind]
	if home.ID == sh.spread.mesh.Self().ID {
		return true
	}
	sh.pass(home, []*report{r})
	return false
}

// pass sends reports; what is lost is repeated.
func (sh *share) pass(to link.Peer, rs []*report) {
	for len(rs) > 0 {
		n := min(len(rs), reportBatch)
		body, err := json.Marshal(rs[:n])
		if err == nil {
			err = sh.spread.mesh.Send(to, &wire.Envelope{Op: wire.OpRoomReports, Body: body})
		}
		if err != nil {
			sh.spread.host.log.Debug("rooms could not be reported", "to", to.Addr, "error", err)
		}
		rs = rs[n:]
	}
}

// receive handles what only a directory that is shared gets.
func (sh *share) receive(t *table, now time.Time, msg any) {
	switch m := msg.(type) {
	case *farReports:
		var rs []*report
		if err := json.Unmarshal(m.body, &rs); err != nil {
			sh.spread.host.log.Warn("reports of rooms could not be read", "from", m.from, "error", err)
			return
		}
		for _, r := range rs {
			if r != nil { // JSON has a word for none
				r.node = m.from
				t.report(now, r)
			}
		}
	case *newMembers: // mostly because of their load, which moves no home
		if homes := sh.spread.homes(); !maps.Equal(homes, sh.homes) {
			sh.homes = homes
			sh.tellAll(t, now)
		}
		t.retain(func(e *entry) bool {
			_, here := m.view.Get(e.node)
			return e.node == "" || here
		})
	case *repeat:
		sh.timer.Reset(repeatEvery)
		sh.tellAll(t, now)
		t.retain(func(e *entry) bool { return e.node == "" || now.Sub(e.heard) < forgetAfter })
	}
}

// tellAll tells every home what it should know of this node's rooms, and forgets
// what is kept elsewhere now.
func (sh *share) tellAll(t *table, now time.Time) {
	self := sh.spread.mesh.Self().ID
	t.retain(func(e *entry) bool { return sh.homes[e.info.Key.Kind].ID == self })
	away := make(map[link.Peer][]*report)
	for key, r := range sh.own {
		if to := sh.homes[key.Kind]; to.ID != self {
			away[to] = append(away[to], r)
		} else {
			t.report(now, r)
		}
	}
	for to, rs := range away {
		sh.pass(to, rs)
	}
}

// query asks the home of a kind.
func (s *spread) query(ctx context.Context, home link.Peer, q *query) (a answer, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return a, fmt.Errorf("write query: %w", err)
	}
	e, err := s.mesh.Ask(ctx, home, &wire.Envelope{Op: wire.OpRoomQuery, Kind: q.Kind, Body: body})
	if err != nil {
		return a, fmt.Errorf("asking the directory of rooms: %w", err)
	}
	if err = json.Unmarshal(e.Body, &a); err != nil {
		return a, fmt.Errorf("read answer: %w", err)
	}
	return a, nil
}

// serveQuery carries out a query of another node.
func (s *spread) serveQuery(c *link.Call) {
	q := &query{answer: func(a answer) {
		body, err := json.Marshal(a)
		if err != nil {
			c.Fail(err)
			return
		}
		c.Answer(&wire.Envelope{Body: body})
	}}
	if err := json.Unmarshal(c.Body, q); err != nil {
		c.Fail(protocol.Errorf(protocol.CodeBadRequest, "bad query: %v", err))
		return
	}
	s.root.Send(s.host.directory, q)
}

// createTries is how often a new room is looked for, when where it was last is all
// that is known of it.
const createTries = 3

// create has a room started where it should run, and opens it there.
func (s *spread) create(ctx context.Context, key Key, labels Labels) error {
	for range createTries {
		at, err := s.mesh.Directory().Find(ctx, places.Key(key))
		if err != nil {
			return fmt.Errorf("create room %s: %w", key, err)
		}
		err = s.createAt(ctx, at, key, labels)
		if coded, is := errors.AsType[*protocol.Error](err); !is || coded.Code != protocol.CodeNoRoute {
			return err
		}
		s.mesh.Directory().Gone(places.Key(key), at)
	}
	return fmt.Errorf("create room %s: %w", key, protocol.Errorf(protocol.CodeUnavailable, "it does not stay where it is found; try again"))
}

func (s *spread) createAt(ctx context.Context, at places.Place, key Key, labels Labels) error {
	if at.Node == s.mesh.Self().ID {
		opened := make(chan error, 1)
		s.open(key, labels, func(err error) { opened <- err })
		select {
		case err := <-opened:
			return err
		case <-ctx.Done():
			return fmt.Errorf("create room %s: %w", key, ctx.Err())
		}
	}
	body, err := json.Marshal(labels)
	if err != nil {
		return fmt.Errorf("write labels: %w", err)
	}
	_, err = s.mesh.Ask(ctx, link.Peer{ID: at.Node, Addr: at.Addr}, &wire.Envelope{Op: wire.OpRoomCreate, Kind: key.Kind, Id: key.ID, Body: body})
	return err
}

// serveCreate opens a room of this node for another.
func (s *spread) serveCreate(c *link.Call) {
	var labels Labels
	if err := json.Unmarshal(c.Body, &labels); err != nil {
		c.Fail(protocol.Errorf(protocol.CodeBadRequest, "bad labels: %v", err))
		return
	}
	s.open(Key{c.Kind, c.Id}, labels, func(err error) {
		if err != nil {
			c.Fail(err)
			return
		}
		c.Answer(&wire.Envelope{})
	})
}

// open opens a room of this node. No route: it is not here.
func (s *spread) open(key Key, labels Labels, opened func(error)) {
	if v, ok := s.rooms.Load(key); ok {
		s.root.Send(v.(*actor.PID), &create{labels, opened})
		return
	}
	opened(protocol.Errorf(protocol.CodeNoRoute, "%v", ErrNoRoom))
}
