package sqlstore

import (
	"context"
	"errors"
	"time"
)

// maxGroup is how many saves share a transaction of SQLite at most, and as many
// wait for the next; more wait for a place until their own deadline.
const maxGroup = 128

// groupTimeout bounds one transaction. Who asked has given up earlier.
const groupTimeout = 10 * time.Second

var errClosing = errors.New("store is closing")

// together has a save committed with others. A commit of SQLite waits for the disk,
// and there is one writer: rooms that save at the same time wait for one commit,
// not for each other's. When ctx ends first, the save may happen all the same.
func (s *Store) together(ctx context.Context, w *write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.done = make(chan error, 1)
	select {
	case s.writes <- w:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.run.Done():
		return errClosing
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.run.Done(): // it may have been taken all the same
		return errClosing
	}
}

// commit takes what waits and commits it, until the store is closed.
func (s *Store) commit() {
	group := make([]*write, 0, maxGroup)
	for {
		group = group[:0]
		select {
		case <-s.run.Done():
			return
		case w := <-s.writes:
			group = append(group, w)
		}
		for len(group) < maxGroup {
			select {
			case w := <-s.writes:
				group = append(group, w)
				continue
			default:
			}
			break
		}
		s.commitGroup(group)
		clear(group)
	}
}

// commitGroup answers each save with its own outcome, once all are durable.
func (s *Store) commitGroup(group []*write) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	errs := make([]error, len(group))
	err := func() error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for i, w := range group {
			errs[i] = w.apply(ctx, tx)
		}
		return tx.Commit()
	}()
	for i, w := range group {
		if err != nil {
			errs[i] = err
		}
		w.done <- errs[i]
	}
}
