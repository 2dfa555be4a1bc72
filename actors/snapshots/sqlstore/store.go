package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/actors/snapshots"
)

// Store is a snapshots.Store in a database. Open makes one.
type Store struct {
	// Set at birth, read-only afterwards.
	db      *sql.DB
	dialect dialect
	log     *slog.Logger
	writes  chan *write     // SQLite: what is to be committed together; nil otherwise
	run     context.Context // ends with the store
	stop    context.CancelFunc
	tasks   sync.WaitGroup
}

var _ snapshots.Store = (*Store)(nil)

// An epoch that is lower than the row's finds no row to change. What is not known
// yet is inserted, since it may have been tidied up. Both databases read $1.
const (
	claimSQL = `INSERT INTO shaddock_snapshots AS s (room, epoch, changed) VALUES ($1, $2, $3)
		ON CONFLICT (room) DO UPDATE SET epoch = excluded.epoch, changed = excluded.changed,
			seq = CASE WHEN s.epoch < excluded.epoch THEN 0 ELSE s.seq END
		WHERE s.epoch <= excluded.epoch
		RETURNING data, saved, epoch`
	nextSQL = `INSERT INTO shaddock_snapshots AS s (room, epoch, changed) VALUES ($1, 1, $2)
		ON CONFLICT (room) DO UPDATE SET epoch = s.epoch + 1, seq = 0, changed = excluded.changed
		RETURNING data, saved, epoch`
	saveSQL = `INSERT INTO shaddock_snapshots AS s (room, epoch, seq, saved, data, changed) VALUES ($1, $2, $3, $2, $4, $5)
		ON CONFLICT (room) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq,
			saved = excluded.saved, data = excluded.data, changed = excluded.changed
		WHERE (s.epoch, s.seq) <= (excluded.epoch, excluded.seq)`
	tidySQL = `DELETE FROM shaddock_snapshots WHERE data IS NULL AND changed < $1`
)

// Claim implements snapshots.Store.
func (s *Store) Claim(ctx context.Context, k snapshots.Key, epoch uint64) (snapshots.Snapshot, error) {
	var row *sql.Row
	if epoch == 0 {
		row = s.db.QueryRowContext(ctx, nextSQL, k.Path(), now())
	} else {
		row = s.db.QueryRowContext(ctx, claimSQL, k.Path(), int64(epoch), now())
	}
	var (
		got       snapshots.Snapshot
		by, given int64
	)
	err := row.Scan(&got.Data, &by, &given)
	if errors.Is(err, sql.ErrNoRows) {
		err = snapshots.ErrFenced
	}
	if err != nil {
		return snapshots.Snapshot{}, fmt.Errorf("claim snapshot of %s: %w", k, err)
	}
	got.By, got.Epoch = uint64(by), uint64(given)
	return got, nil
}

// Save implements snapshots.Store.
func (s *Store) Save(ctx context.Context, k snapshots.Key, epoch, seq uint64, data []byte) error {
	if len(data) == 0 {
		data = nil // NULL, not an empty value
	}
	w := &write{room: k.Path(), epoch: int64(epoch), seq: int64(seq), data: data}
	var err error
	if s.writes != nil {
		err = s.together(ctx, w)
	} else {
		err = w.apply(ctx, s.db)
	}
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", k, err)
	}
	return nil
}

// write is one save.
type write struct {
	room       string
	epoch, seq int64
	data       []byte
	done       chan error // of one that is committed together with others
}

// apply carries a save out, on its own or within a transaction.
func (w *write) apply(ctx context.Context, on interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}) error {
	res, err := on.ExecContext(ctx, saveSQL, w.room, w.epoch, w.seq, w.data, now())
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = snapshots.ErrFenced
	}
	return err
}

func now() int64 { return time.Now().UnixMilli() }

// start begins the store's own work.
func (s *Store) start() {
	s.run, s.stop = context.WithCancel(context.Background())
	s.tasks.Go(s.tidy)
	if s.writes != nil {
		s.tasks.Go(s.commit)
	}
}

// Rooms that have nothing are remembered for tidyAfter: for that long a save of an
// activation that has ended may still be under way, which takes seconds.
const (
	tidyAfter = 24 * time.Hour
	tidyEvery = time.Hour
)

// tidy forgets rooms that have nothing to begin with.
func (s *Store) tidy() {
	t := time.NewTicker(tidyEvery)
	defer t.Stop()
	for {
		_, err := s.db.ExecContext(s.run, tidySQL, time.Now().Add(-tidyAfter).UnixMilli())
		if err != nil && s.run.Err() == nil {
			s.log.Warn("snapshots of rooms that are over could not be tidied up", "error", err)
		}
		select {
		case <-s.run.Done():
			return
		case <-t.C:
		}
	}
}

// Close implements snapshots.Store.
func (s *Store) Close() error {
	s.stop()
	s.tasks.Wait()
	return s.db.Close()
}
