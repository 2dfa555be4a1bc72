package rooms

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/actors/timer"
	"github.com/shaddock-game/shaddock/protocol"
)

// far is what a room of a cluster has instead of an audience: its gates, and which
// session is behind which. It is the room's outlet. It belongs to the room's
// actor and needs the mailbox only for far.pid.
type far struct {
	// Set at birth, read-only afterwards.
	app   *actors.App
	kind  *Kind
	key   Key
	line  func(to link.Peer, e *wire.Envelope) error
	self  string // this node
	there func(node string) bool
	stats *farStats

	// Owned by the room.
	open     func(now time.Time, labels Labels) // the room, with the first that find it
	pid      *actor.PID                         // of the room: what is sent to distant sessions goes through it
	epoch    uint64
	gates    map[string]*gate
	over     map[string]uint64 // by gate, the last conversation that ended: what is late of it begins none
	sessions map[uint64]*behind
	had      map[string]*had // by gate
	roll     map[string]bool // gates that have not answered the roll call; nil when it is over
	left     []uint64        // sessions whose entries may go once the call is over
	bytes    int             // gathered and not flushed
	merge    Merge           // how the gates gather broadcasts
	mute     bool            // the room may not say anything now
}

// gate is one gate as the room sees it.
type gate struct {
	*talk.Talk
	serial    uint64 // of the last call
	listening int    // members that get broadcasts
	kept      int64  // bytes of its flow, as counted
	forgotten uint64 // batches of its flow, as counted
	late      bool   // it came when the room had begun already
}

// behind is one session that has spoken to the room.
type behind struct {
	ref       *actors.Ref
	gate      *gate
	listening bool
	last      lastAnswer
}

func newFar(h *Host, k *Kind, key Key, epoch uint64) *far {
	s := h.spread
	return &far{
		there: s.there,
		app:   h.app, kind: k, key: key, line: s.toGate, self: s.mesh.Self().ID, stats: &s.stats, epoch: epoch,
		gates: make(map[string]*gate), over: make(map[string]uint64), sessions: make(map[uint64]*behind), had: make(map[string]*had),
	}
}

// session returns the entry of a session that speaks through g.
func (f *far) session(g *gate, id uint64, uid string) *behind {
	b, ok := f.sessions[id]
	if !ok {
		b = &behind{gate: g}
		if here, is := f.app.Session(id); is && g.Peer.ID == f.self {
			b.ref = here
		} else {
			b.ref = f.app.Distant(id, uid, f.pid)
		}
		f.sessions[id] = b
	}
	if b.ref.Wire() == nil {
		b.ref.Know(uid)
	}
	if b.gate != g { // it came back by another conversation
		f.deaf(b)
		b.gate = g
	}
	return b
}

func (f *far) deaf(b *behind) {
	if b.listening {
		b.listening = false
		b.gate.listening--
	}
}

// tidy forgets sessions that have left, once nothing more is to be said to them.
func (f *far) tidy(seats map[uint64]*Member) {
	for _, id := range f.left {
		if _, seated := seats[id]; !seated {
			if b, ok := f.sessions[id]; ok {
				f.deaf(b)
				delete(f.sessions, id)
			}
		}
	}
	f.left = f.left[:0]
}

// to returns the batch for whoever has the session, or nil.
func (f *far) to(id uint64, code byte) (*behind, *gate) {
	b, ok := f.sessions[id]
	if !ok {
		return nil, nil
	}
	b.gate.Batch = talk.PutUint(append(b.gate.Batch, code), id)
	return b, b.gate
}

func (f *far) join(m *Member) {
	if b, g := f.to(m.ID(), downJoin); g != nil && !b.listening {
		b.listening = true
		g.listening++
	}
}

func (f *far) leave(m *Member) {
	if b, g := f.to(m.ID(), downLeave); g != nil {
		f.deaf(b)
		f.left = append(f.left, m.ID())
	}
}

func (f *far) answer(m *Member, a actors.Answer) { f.answerTo(m.ID(), a) }

func (f *far) answerTo(id uint64, a actors.Answer) {
	begin := 0
	if b, ok := f.sessions[id]; ok {
		begin = len(b.gate.Batch)
	}
	to, g := f.to(id, downAnswer)
	if g == nil {
		return
	}
	flags, body := uint64(0), []byte(nil)
	if a.Err == nil && a.Value != nil {
		var err error
		if body, err = f.body(a.Value); err != nil {
			a.Err = protocol.Errorf(protocol.CodeInternal, "internal error").With(err)
		} else {
			flags |= answerValue
		}
	}
	e := &protocol.Error{}
	if a.Err != nil {
		flags, e = flags|answerFailed, protocol.AsError(a.Err)
	}
	if a.Joined != nil {
		flags |= answerJoined
	}
	if a.Left != nil {
		flags |= answerLeft
	}
	b := talk.PutUint(g.Batch, uint64(a.Token.Number()))
	b = talk.PutUint(b, flags)
	b = talk.PutUint(b, uint64(e.Code))
	b = talk.PutBytes(b, e.Msg)
	g.Batch = talk.PutBytes(b, body)
	f.bytes += len(body)
	to.last.keep(a.Token.Number(), g.Batch[begin:])
}

func (f *far) body(v any) ([]byte, error) {
	if raw, ok := v.(actors.Raw); ok {
		return raw, nil
	}
	return f.kind.serializer.Append(nil, v)
}

func (f *far) send(m *Member, fr protocol.Frame) {
	if _, g := f.to(m.ID(), downSend); g != nil {
		f.frame(g, fr)
	}
}

func (f *far) multicast(ms []*Member, fr protocol.Frame) {
	by := make(map[*gate][]uint64)
	for _, m := range ms {
		if b, ok := f.sessions[m.ID()]; ok && b.listening {
			by[b.gate] = append(by[b.gate], m.ID())
		}
	}
	for g, ids := range by {
		g.Batch = talk.PutUint(append(g.Batch, downMulticast), uint64(len(ids)))
		for _, id := range ids {
			g.Batch = talk.PutUint(g.Batch, id)
		}
		f.frame(g, fr)
	}
}

func (f *far) broadcast(fr protocol.Frame, messages int, except *Member) {
	var not uint64
	if except != nil {
		not = except.ID()
	}
	for _, g := range f.gates {
		if g.listening == 0 {
			continue
		}
		g.Batch = talk.PutUint(talk.PutUint(append(g.Batch, downBroadcast), not), uint64(messages))
		f.frame(g, fr)
	}
}

func (f *far) frame(g *gate, fr protocol.Frame) {
	was := len(g.Batch)
	g.Batch = talk.PutFrame(g.Batch, fr)
	f.bytes += len(g.Batch) - was
}

// pending is what the gates have not acknowledged.
func (f *far) pending() (messages, bytes int) {
	for _, g := range f.gates {
		messages += g.Out.Waiting()
		bytes += g.Out.Bytes()
	}
	return messages, bytes + f.bytes
}

// setMerge has every gate gather by m, also those to come.
func (f *far) setMerge(m Merge) {
	f.merge = m
	for _, g := range f.gates {
		g.Batch = putMerge(append(g.Batch, downMerge), m)
	}
}

// close has nothing to end: the last answers have told every gate.
func (f *far) close() {}

// pass says to a distant session what somebody sent to its reference. One that is in
// the room no longer is reached past it.
func (f *far) pass(d *actors.ToDistant) {
	id := d.Ref.ID()
	if _, here := f.sessions[id]; !here {
		d.Post()
		return
	}
	switch {
	case d.Rest != nil:
		if _, g := f.to(id, downRest); g != nil {
			g.Batch = talk.PutBytes(g.Batch, d.Rest)
			f.bytes += len(d.Rest)
		}
	case d.Answer != nil:
		f.answerTo(id, *d.Answer)
	case d.Kick != nil:
		if _, g := f.to(id, downKick); g != nil {
			g.Batch = talk.PutBytes(talk.PutUint(g.Batch, uint64(d.Kick.Why)), d.Kick.Text)
		}
	case d.Push != nil:
		body, err := f.body(d.Push.Value)
		if err != nil {
			f.stats.unwritable.Add(1)
			return
		}
		if _, g := f.to(id, downPush); g != nil {
			g.Batch = talk.PutBytes(talk.PutBytes(g.Batch, d.Push.Route), body)
			f.bytes += len(d.Push.Route) + len(body)
		}
	}
}

// gathered says whether there is anything to flush.
func (f *far) gathered() bool {
	for _, g := range f.gates {
		if len(g.Batch) > 0 {
			return true
		}
	}
	return false
}

func (f *far) flush(now time.Time) {
	f.bytes = 0
	limits := farLimits
	if f.stats.keptBytes.Load() > keptBudget {
		limits.Bytes = tightBytes
	}
	for _, g := range f.gates {
		g.Out.Limits = limits
		g.Flush(now)
		f.count(g)
	}
}

// count brings the node's accounts of what is kept for gates up to date.
func (f *far) count(g *gate) {
	if kept := int64(g.Out.Bytes()); kept != g.kept {
		f.stats.keptBytes.Add(kept - g.kept)
		g.kept = kept
	}
	if n := g.Out.Forgotten(); n != g.forgotten {
		f.stats.forgottenDown.Add(int64(n - g.forgotten))
		g.forgotten = n
	}
}

// forget takes a gate, which is spoken to no more, out of the accounts.
func (f *far) forget(g *gate) {
	f.stats.keptBytes.Add(-g.kept)
	g.kept = 0
}

// release takes all gates out of the accounts: the room has ended.
func (f *far) release() {
	for _, g := range f.gates {
		f.forget(g)
	}
}

// silence ends or begins what the room may say; what it says meanwhile is kept.
func (f *far) silence(mute bool) {
	f.mute = mute
	for _, g := range f.gates {
		g.Mute = mute
	}
}

// due does what conversations are due to, and returns when to look again.
func (f *far) due(now time.Time) (next time.Time) {
	for _, g := range f.gates {
		next = timer.Sooner(next, g.Due(now))
	}
	return next
}
