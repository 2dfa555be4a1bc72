package rooms

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// claimed begins the room with its last snapshot; or it lets a room go on that was
// away from its key for a while, unless another activation has saved meanwhile.
func (r *farRoom) claimed(c actor.Context, now time.Time, m *claimDone) {
	was := r.safe.epoch
	if !r.safe.claimed(now, m, r.far.epoch) {
		return
	}
	switch {
	case r.opened && m.got.By > was:
		r.st.log.Info("room has gone on elsewhere meanwhile and ends here", "by", m.got.By)
		r.lose(c)
		return
	case !r.opened:
		r.loaded, r.safe.data = m.got.Data, m.got.Data
	}
	if r.resuming {
		r.resumed(c)
	}
	early := r.early
	r.early = nil
	for _, h := range early {
		r.heard(h, now)
	}
	if len(r.deferred) > 0 && !r.called {
		r.callRoll(now)
	}
}

func (r *farRoom) saveDone(c actor.Context, now time.Time, m *saveDone) {
	r.safe.done(now, m, !r.suspended && !r.safe.claiming && r.spread.mesh.Held())
	if r.safe.fenced {
		r.far.silence(true)
		r.lose(c)
		return
	}
	if !r.holds() {
		r.flush(now)
	}
	if !r.suspended && r.rollEnd.IsZero() && !r.safe.stalled(now) {
		r.goOn(c)
	}
}

// holds says whether what the room has to say must wait for a save.
func (r *farRoom) holds() bool { return r.safe.store != nil && r.safe.holds(r.st.done) }
