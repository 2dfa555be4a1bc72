package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Memory is a Store within one process: the whole store of a node alone, and of
// tests. It keeps its time by package time, so that in a synctest bubble leases
// end in fake time.
type Memory struct {
	// state travels: whoever has taken it out of the channel owns it until it is
	// put back.
	state chan *memory
}

// NewMemory returns an empty store at revision 1.
func NewMemory() *Memory {
	m := &Memory{state: make(chan *memory, 1)}
	m.state <- &memory{revision: 1, records: make(map[string]Record), leases: make(map[Lease]*memoryLease)}
	return m
}

type memory struct {
	revision uint64
	records  map[string]Record
	leases   map[Lease]*memoryLease
	granted  Lease
	watches  []*memoryWatch
	history  []revisedEvent // the last of it, for watches that start in the past
	compact  uint64         // history begins after this revision
	closed   bool
}

type memoryLease struct {
	ttl   time.Duration
	timer *time.Timer
	round uint64 // of renewals; a timer that fired for an earlier one is void
}

type memoryWatch struct {
	prefix string
	queue  []Event
	wake   chan struct{} // holds a token when queue is not empty
}

type revisedEvent struct {
	revision uint64
	event    Event
}

// keptHistory is how many changes at least a watch may lag behind its list.
const keptHistory = 1024

var errClosed = errors.New("store: closed")

// with runs f as the owner of the state.
func (m *Memory) with(ctx context.Context, f func(s *memory) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := <-m.state
	defer func() { m.state <- s }()
	if s.closed {
		return errClosed
	}
	return f(s)
}

// Grant implements Store.
func (m *Memory) Grant(ctx context.Context, ttl time.Duration) (id Lease, _ time.Duration, err error) {
	err = m.with(ctx, func(s *memory) error {
		s.granted++
		id = s.granted
		l := &memoryLease{ttl: ttl}
		l.timer = time.AfterFunc(ttl, func() { m.expire(id, 0) })
		s.leases[id] = l
		return nil
	})
	return id, ttl, err
}

// Renew implements Store.
func (m *Memory) Renew(ctx context.Context, id Lease) (ttl time.Duration, err error) {
	err = m.with(ctx, func(s *memory) error {
		l, ok := s.leases[id]
		if !ok {
			return ErrNoLease
		}
		l.timer.Stop()
		l.round++
		round := l.round
		l.timer = time.AfterFunc(l.ttl, func() { m.expire(id, round) })
		ttl = l.ttl
		return nil
	})
	return ttl, err
}

// Revoke implements Store.
func (m *Memory) Revoke(ctx context.Context, id Lease) error {
	return m.with(ctx, func(s *memory) error {
		s.end(id)
		return nil
	})
}

func (m *Memory) expire(id Lease, round uint64) {
	_ = m.with(context.Background(), func(s *memory) error { // a closed store has no leases to end
		if l, ok := s.leases[id]; ok && l.round == round {
			s.end(id)
		}
		return nil
	})
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, key string, value []byte, l Lease) (rec Record, created bool, err error) {
	err = m.with(ctx, func(s *memory) (err error) {
		var there bool
		if rec, there = s.records[key]; there {
			rec.Value = slices.Clone(rec.Value)
			return nil
		}
		created = true
		rec, err = s.put(key, value, l)
		return err
	})
	return rec, created && err == nil, err
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, key string, value []byte, l Lease) (rec Record, err error) {
	err = m.with(ctx, func(s *memory) (err error) {
		rec, err = s.put(key, value, l)
		return err
	})
	return rec, err
}

// PutIf implements Store.
func (m *Memory) PutIf(ctx context.Context, key string, value []byte, guard Guard) (written bool, err error) {
	err = m.with(ctx, func(s *memory) (err error) {
		old, there := s.records[key]
		over := guard.Below == nil || !there || bytes.Compare(old.Value, guard.Below) < 0
		if rec, ok := s.records[guard.Key]; ok && rec.Epoch == guard.Epoch && over {
			_, err = s.put(key, value, 0)
			written = err == nil
		}
		return err
	})
	return written, err
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, key string, epoch uint64) (deleted bool, err error) {
	err = m.with(ctx, func(s *memory) error {
		if rec, ok := s.records[key]; ok && rec.Epoch == epoch {
			s.revision++
			s.remove(key)
			deleted = true
		}
		return nil
	})
	return deleted, err
}

// List implements Store.
func (m *Memory) List(ctx context.Context, prefix string) (recs []Record, rev uint64, err error) {
	err = m.with(ctx, func(s *memory) error {
		for key, rec := range s.records {
			if strings.HasPrefix(key, prefix) {
				rec.Value = slices.Clone(rec.Value)
				recs = append(recs, rec)
			}
		}
		rev = s.revision
		return nil
	})
	slices.SortFunc(recs, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	return recs, rev, err
}

// Watch implements Store.
func (m *Memory) Watch(ctx context.Context, prefix string, after uint64, f func([]Event)) error {
	w := &memoryWatch{prefix: prefix, wake: make(chan struct{}, 1)}
	if err := m.with(ctx, func(s *memory) error { return s.watch(w, after) }); err != nil {
		return err
	}
	defer func() {
		_ = m.with(context.Background(), func(s *memory) error { // a closed store has forgotten the watch
			s.watches = slices.DeleteFunc(s.watches, func(o *memoryWatch) bool { return o == w })
			return nil
		})
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.wake:
		}
		var batch []Event
		if err := m.with(ctx, func(*memory) error {
			batch, w.queue = w.queue, nil
			return nil
		}); err != nil {
			return err
		}
		if len(batch) > 0 {
			f(batch)
		}
	}
}

// Close implements Store. Watches end, and every later call fails.
func (m *Memory) Close() error {
	return m.with(context.Background(), func(s *memory) error {
		s.closed = true
		for _, l := range s.leases {
			l.timer.Stop()
		}
		for _, w := range s.watches {
			w.notify()
		}
		return nil
	})
}

func (s *memory) put(key string, value []byte, l Lease) (Record, error) {
	if _, ok := s.leases[l]; !ok && l != 0 {
		return Record{}, ErrNoLease
	}
	s.revision++
	rec := Record{Key: key, Value: slices.Clone(value), Lease: l, Epoch: s.revision, Revision: s.revision}
	if old, ok := s.records[key]; ok {
		rec.Epoch = old.Epoch
	}
	s.records[key] = rec
	s.tell(Event{Record: rec})
	rec.Value = slices.Clone(value)
	return rec, nil
}

func (s *memory) remove(key string) {
	delete(s.records, key)
	s.tell(Event{Record: Record{Key: key, Revision: s.revision}, Deleted: true})
}

// end deletes a lease and, in one revision, what was written with it.
func (s *memory) end(id Lease) {
	l, ok := s.leases[id]
	if !ok {
		return
	}
	l.timer.Stop()
	delete(s.leases, id)
	s.revision++
	for key, rec := range s.records {
		if rec.Lease == id {
			s.remove(key)
		}
	}
}

func (s *memory) watch(w *memoryWatch, after uint64) error {
	if after < s.compact {
		return ErrCompacted
	}
	s.watches = append(s.watches, w)
	for _, h := range s.history {
		if h.revision > after {
			w.add(h.event)
		}
	}
	return nil
}

func (s *memory) tell(e Event) {
	if len(s.history) == 2*keptHistory {
		s.compact = s.history[keptHistory-1].revision
		s.history = slices.Delete(s.history, 0, keptHistory)
	}
	s.history = append(s.history, revisedEvent{s.revision, e})
	for _, w := range s.watches {
		w.add(e)
	}
}

func (w *memoryWatch) add(e Event) {
	if strings.HasPrefix(e.Key, w.prefix) {
		e.Value = slices.Clone(e.Value)
		w.queue = append(w.queue, e)
		w.notify()
	}
}

func (w *memoryWatch) notify() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
