package rooms

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/actors/snapshots"
	"github.com/shaddock-game/shaddock/actors/timer"
)

// Keep sets where the snapshots of kinds that are Kept go, before the first room
// opens. Without it, or with snapshots.Nop, they stay in the room.
func (h *Host) Keep(s snapshots.Store) {
	if _, nop := s.(snapshots.Nop); nop {
		s = nil
	}
	h.keeper = s
}

// keeps says whether rooms of a kind are kept here.
func (h *Host) keeps(k *Kind) bool { return k.kept && h.keeper != nil }

// safe is what a room does about its snapshots. It belongs to the room's actor; the
// store is asked from goroutines, since it may be slow.
type safe struct {
	// Set at birth, read-only afterwards.
	store snapshots.Store // nil: the room is not kept
	key   snapshots.Key
	stats *counters
	log   *slog.Logger
	work  *sync.WaitGroup
	ended context.Context
	post  func(msg any) // to the room's actor; set when it has started

	saves
	claiming bool
	epoch    uint64 // of the last claim that succeeded
	patience saves  // of claims: only its pauses are used
}

// Messages to the room's actor, which may have ended.
type (
	claimDone struct {
		asked uint64
		got   snapshots.Snapshot
		err   error
	}
	saveDone struct {
		epoch uint64
		size  int
		took  time.Duration
		err   error
	}
)

// Refused implements actors.Refusable: nobody waits for it any more.
func (*claimDone) Refused(error) {}

// Refused implements actors.Refusable: what was not saved is saved at the end.
func (*saveDone) Refused(error) {}

// keepTimeout is how long one question to the store may take.
const keepTimeout = 2 * time.Second

func newSafe(r *room) safe {
	if !r.host.keeps(r.st.kind) {
		return safe{}
	}
	return safe{
		store: r.host.keeper, key: snapshots.Key(r.key), stats: &r.host.stats, log: r.st.log,
		work: r.work, ended: r.ended, saves: saves{rule: r.st.kind.saveRule()},
	}
}

// claim asks for what the room is to begin with, or whether it may go on. The
// answer is a claimDone.
func (s *safe) claim(epoch uint64, pause time.Duration) {
	s.claiming = true
	s.work.Go(func() {
		if !timer.Sleep(s.ended, pause) {
			return
		}
		ctx, cancel := context.WithTimeout(s.ended, keepTimeout)
		defer cancel()
		got, err := s.store.Claim(ctx, s.key, epoch)
		s.post(&claimDone{epoch, got, err})
	})
}

// claimed takes in an answer. False: it is asked again, or another claim is under
// way.
func (s *safe) claimed(now time.Time, m *claimDone, epoch uint64) bool {
	if m.asked != epoch {
		return false
	}
	if m.err != nil {
		s.stats.ClaimFailures.Add(1)
		if !s.patience.failed {
			s.log.Warn("room snapshot could not be fetched; its calls wait", "error", m.err)
		}
		s.patience.fail(now, rand.Float64())
		s.claim(epoch, s.patience.again.Sub(now))
		return false
	}
	s.claiming, s.epoch, s.patience = false, m.got.Epoch, saves{}
	return true
}

// step begins a save if one is due, and returns when to look again.
func (s *safe) step(st *state, now time.Time) (next time.Time) {
	if s.store == nil || s.claiming {
		return time.Time{}
	}
	s.handled(now, st.done)
	due, next := s.due(now, st.done)
	if !due {
		return next
	}
	if st.taken != st.done {
		st.takeSnapshot()
	}
	seq, ok := s.begin(st.done, st.snapshot)
	if !ok {
		return time.Time{}
	}
	epoch, data := s.epoch, st.snapshot
	s.work.Go(func() {
		ctx, cancel := context.WithTimeout(s.ended, keepTimeout)
		defer cancel()
		began := time.Now()
		err := s.store.Save(ctx, s.key, epoch, seq, data)
		s.post(&saveDone{epoch, len(data), time.Since(began), err})
	})
	return time.Time{}
}

// done takes in what became of a save. Sure says that the room is the one that may
// save, as far as this node knows: one that is refused then is not, and is over.
func (s *safe) done(now time.Time, m *saveDone, sure bool) {
	switch {
	case m.err == nil:
		s.stats.Saves.Add(1)
		s.stats.SaveBytes.Add(int64(m.size))
		s.stats.SaveNanos.Add(int64(m.took))
		if s.failed {
			s.stats.Unsaved.Add(-1)
		}
		s.succeed()
	case isFenced(m.err) && sure && m.epoch == s.epoch: // else the room has regained its key since
		s.stats.Fenced.Add(1)
		s.fenced, s.saving = true, false
		s.log.Error("room is claimed by a later activation and ends here", "error", m.err)
	default:
		s.stats.SaveFailures.Add(1)
		if !s.failed {
			s.stats.Unsaved.Add(1)
			s.log.Warn("room could not be saved", "error", m.err)
		}
		s.fail(now.Add(-m.took), rand.Float64())
	}
}

// over is the end of the room's actor.
func (s *safe) over() {
	if s.failed {
		s.stats.Unsaved.Add(-1)
		s.failed = false
	}
}

func isFenced(err error) bool { return errors.Is(err, snapshots.ErrFenced) }

// finalSave is what a room that has ended is still to save.
type finalSave struct {
	store      snapshots.Store
	key        snapshots.Key
	epoch, seq uint64
	data       []byte
	stats      *counters
	log        *slog.Logger
}

// final returns what is left to save of a room whose last snapshot has been taken,
// nil when nothing is.
func (s *safe) final(st *state) *finalSave {
	if s.claiming || s.fenced {
		return nil
	}
	if !s.saving && !s.failed && bytes.Equal(st.snapshot, s.data) {
		return nil
	}
	s.seq++ // a save that is under way may arrive later, and is refused then
	return &finalSave{s.store, s.key, s.epoch, s.seq, st.snapshot, s.stats, s.log}
}

// finalTries is how often a room that ends tries to save what it has: for ten seconds
// of a store that refuses at once, longer with one that does not answer.
const finalTries = 15

// carryOut saves, and says whether it did. It blocks.
func (f *finalSave) carryOut() bool {
	var pauses saves
	for i := 1; ; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), keepTimeout)
		began := time.Now()
		err := f.store.Save(ctx, f.key, f.epoch, f.seq, f.data)
		cancel()
		if err == nil {
			f.stats.Saves.Add(1)
			f.stats.SaveBytes.Add(int64(len(f.data)))
			f.stats.SaveNanos.Add(int64(time.Since(began)))
			return true
		}
		f.stats.SaveFailures.Add(1)
		if isFenced(err) || i == finalTries {
			f.log.Error("last snapshot of a room could not be saved", "error", err)
			return false
		}
		pauses.fail(began, rand.Float64())
		_ = timer.Sleep(context.Background(), pauses.again.Sub(began)) // it does not end early
	}
}
