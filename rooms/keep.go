package rooms

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	places "github.com/shaddock-game/shaddock/actors/cluster/directory"
)

// Keeper holds the snapshots of rooms outside of their node. cluster.Snapshots is
// one. Its methods are called from goroutines of their own and may block.
type Keeper interface {
	// Load returns the last snapshot, nil when there is none.
	Load(ctx context.Context, k places.Key) ([]byte, error)
	// Save refuses the snapshot of an activation that is not the room any more, by
	// an error that is directory.ErrFenced.
	Save(ctx context.Context, k places.Key, epoch uint64, snapshot []byte) error
}

// Kept saves the snapshots of rooms of this kind outside of their node as well, when
// they run in a cluster that keeps some: a room that comes back elsewhere begins
// with the last one, by the restore of Snapshots, in place of OnInit. With Snapshots
// after every operation nothing that the room says leaves before what led to it is
// saved, so that what a member was told cannot be lost; what is handled during one
// save shares the next.
func (k Kind) Kept() Kind {
	k.kept = true
	return k
}

// Keep sets where the snapshots of kinds that are Kept go, before Spread.
func (h *Host) Keep(k Keeper) { h.keeper = k }

// safe is what a room does about its snapshots. It belongs to the room's actor.
type safe struct {
	keeper  Keeper // nil: the room is not kept
	strict  bool   // nothing is said before it is saved
	loading bool
	loaded  []byte
	saved   uint64 // state.taken of the last snapshot that was saved
	saving  bool
	fenced  bool
}

type (
	loadDone struct {
		snapshot []byte
		err      error
	}
	saveDone struct {
		taken uint64
		err   error
	}
)

const (
	keepTimeout = 2 * time.Second
	keepPause   = 200 * time.Millisecond // after a failure
	lastSaves   = 20                     // tries of a room that stops
)

func (h *Host) newSafe(k *Kind) safe {
	if !k.kept || k.save == nil || h.keeper == nil {
		return safe{}
	}
	return safe{keeper: h.keeper, strict: k.saveEvery == 1}
}

// load fetches the snapshot that the room begins with.
func (r *farRoom) load(c actor.Context, pause time.Duration) {
	r.safe.loading = true
	root, self, keeper, key := c.ActorSystem().Root, c.Self(), r.safe.keeper, places.Key(r.key)
	r.work.Go(func() {
		if !rest(r.ended, pause) {
			return
		}
		ctx, cancel := context.WithTimeout(r.ended, keepTimeout)
		defer cancel()
		b, err := keeper.Load(ctx, key)
		root.Send(self, &loadDone{b, err})
	})
}

func (r *farRoom) loadDone(c actor.Context, now time.Time, m *loadDone) {
	if m.err != nil {
		r.st.log.Warn("room snapshot could not be loaded; its calls wait", "error", m.err)
		r.load(c, keepPause)
		return
	}
	r.safe.loading, r.safe.loaded = false, m.snapshot
	early := r.early
	r.early = nil
	for _, h := range early {
		r.heard(h, now)
	}
}

// save writes the latest snapshot, one at a time.
func (r *farRoom) save(c actor.Context, pause time.Duration) {
	s := &r.safe
	if s.keeper == nil || s.saving || s.fenced || s.saved == r.st.taken {
		return
	}
	s.saving = true
	root, self, keeper, key := c.ActorSystem().Root, c.Self(), s.keeper, places.Key(r.key)
	epoch, taken, snapshot := r.far.epoch, r.st.taken, r.st.snapshot
	r.work.Go(func() {
		if !rest(r.ended, pause) {
			return
		}
		ctx, cancel := context.WithTimeout(r.ended, keepTimeout)
		defer cancel()
		root.Send(self, &saveDone{taken, keeper.Save(ctx, key, epoch, snapshot)})
	})
}

func (r *farRoom) saveDone(c actor.Context, now time.Time, m *saveDone) {
	s := &r.safe
	s.saving = false
	switch {
	case m.err == nil:
		s.saved = m.taken
		r.save(c, 0)
		if !s.saving {
			r.flush(now)
		}
	case isFenced(m.err) && !r.suspended && r.spread.mesh.Held():
		s.fenced = true // the directory will say so; until then nothing is said
		r.far.silence(true)
	default:
		r.st.log.Warn("room snapshot could not be saved", "error", m.err)
		r.save(c, keepPause)
	}
}

// holds says whether what the room has to say must wait for a save.
func (r *farRoom) holds() bool {
	return r.safe.fenced || r.safe.strict && (r.safe.saving || r.safe.saved != r.st.taken)
}

func isFenced(err error) bool { return errors.Is(err, places.ErrFenced) }

// last saves what a room that stops has, and then lets f have its way. It runs on
// a goroutine of its own, when the actor has ended.
func (r *farRoom) last(f func(saved bool)) {
	r.work.Go(func() {
		for i := 0; ; i++ {
			ctx, cancel := context.WithTimeout(context.Background(), keepTimeout)
			err := r.safe.keeper.Save(ctx, places.Key(r.key), r.far.epoch, r.st.snapshot)
			cancel()
			switch {
			case err == nil:
				f(true)
				return
			case isFenced(err) || i == lastSaves:
				r.st.log.Error("last snapshot of a room could not be saved", "error", err)
				f(false)
				return
			}
			_ = rest(context.Background(), keepPause)
		}
	})
}

func rest(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
