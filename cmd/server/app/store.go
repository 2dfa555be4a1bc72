package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster"
	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/actors/snapshots/sqlstore"
)

// The values of Config.Store besides the URLs of package sqlstore.
const (
	storeNone   = "none"
	storeMemory = "memory"
	storeEtcd   = "etcd"
)

// openTimeout is how long a start may wait for a database.
const openTimeout = 15 * time.Second

// checkStore says what is wrong with the choice of a store, in one line.
func (c *Config) checkStore() error {
	switch s := c.Store; {
	case s == "" || s == storeNone:
	case s == storeMemory && c.Cluster.on():
		return errors.New("--store memory: the rooms of a cluster move from node to node: use etcd or postgres://…")
	case s == storeEtcd && !c.Cluster.on():
		return errors.New("--store etcd: needs --cluster-etcd; a server alone can use sqlite:FILE")
	case s == storeMemory || s == storeEtcd:
	case !sqlstore.Understood(s):
		return errors.New("--store: give none, memory, sqlite:FILE, etcd or postgres://user:password@host/database")
	case !sqlstore.Sharable(s) && c.Cluster.on():
		return errors.New("--store sqlite: nodes of a cluster cannot share a file: use etcd or postgres://…")
	}
	return nil
}

// openStore opens where the rooms of this node are kept, before the first opens.
// What is opened here is closed by closeStore.
func (s *server) openStore() error {
	if err := s.cfg.checkStore(); err != nil {
		return err
	}
	c := &s.cfg.Cluster
	switch url := s.cfg.Store; {
	case c.on() && len(c.Roles) > 0 && !slices.Contains(c.Roles, cluster.RoleRooms): // it has no rooms
	case c.on() && (url == "" || url == storeEtcd):
		s.rooms.Keep(s.node.Snapshots())
	case url == "" || url == storeNone:
	case url == storeMemory:
		s.rooms.Keep(snapshots.NewMemory())
	default:
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		store, err := sqlstore.Open(ctx, sqlstore.Config{URL: url, Logger: s.cfg.Log})
		if err != nil {
			return fmt.Errorf("--store: %w", err)
		}
		s.store = store
		s.rooms.Keep(store)
	}
	return nil
}

// closeStore waits for what the store has been asked, behind the last room.
func (s *server) closeStore(ctx context.Context) error {
	if s.store == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- s.store.Close() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("closing the store of rooms: %w", ctx.Err())
	}
}

func (s *server) collectStore(e emit) {
	r := s.rooms.Stats()
	e.count("room_saves_total", "Snapshots of kept rooms that the store has taken.", float64(r.Saves))
	e.count("room_save_bytes_total", "Bytes of them.", float64(r.SaveBytes))
	e.count("room_save_seconds_total", "Time that these saves took, in all.", r.SaveTime.Seconds())
	e.count("room_save_failures_total", "Tries to save a room that failed; each is followed by another.", float64(r.SaveFailures))
	e.gauge("rooms_unsaved", "Rooms whose last save failed: those that say nothing before it is saved stand still.", float64(r.Unsaved))
	e.count("room_paused_refused_total", "Messages from outside that rooms refused since they stood still: what they say could not be saved, or their node was not sure of owning them.", float64(r.Paused))
	e.count("room_fenced_total", "Rooms that ended here since a later activation had claimed theirs.", float64(r.Fenced))
	e.count("room_claim_failures_total", "Tries to fetch what a room begins with that failed; its calls wait.", float64(r.ClaimFailures))
	e.count("room_unsaveable_total", "Snapshots that the game failed to make.", float64(r.Unsaveable))
}
