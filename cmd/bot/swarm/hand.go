package swarm

import (
	"math/rand/v2"
	"sync"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
	"github.com/shaddock-game/shaddock/protocol"
)

// hand is what steps of sessions are carried out with: one per loop, for what
// arrives, and one for the driver, for what the schedule and the timers ask.
type hand struct {
	worker *worker

	mu    sync.Mutex     // held while a step runs, and by whoever takes the sheet
	sheet *measure.Sheet // of the interval under way
	sums  tally
	worst int64 // lag of this interval, nanoseconds
	env   scenario.Env
	buf   []byte // of the package under way
	body  []byte
}

// tally counts what a status tells, since the start.
type tally struct {
	ready, failed, open, noise           int64
	expected, delivered, asked, answered int64
}

func (t *tally) add(o *tally) {
	t.ready += o.ready
	t.failed += o.failed
	t.open += o.open
	t.noise += o.noise
	t.expected += o.expected
	t.delivered += o.delivered
	t.asked += o.asked
	t.answered += o.answered
}

func newHand(w *worker, number uint64) *hand {
	return &hand{
		worker: w,
		sheet:  measure.NewSheet(len(w.scen.Metrics)),
		env: scenario.Env{
			Sessions: w.Sessions, Rooms: w.Rooms, Run: w.run,
			Rand: rand.New(rand.NewPCG(w.Seed+uint64(w.index)<<32, number)),
		},
	}
}

// speak fills the environment of templates for s.
func (h *hand) speak(s *session, now int64) {
	e := &h.env
	e.Session, e.Room, e.Acts, e.NowMS = int(s.number), s.room, s.acts, now/1e6
	e.Token, e.Vars = h.worker.token(s.number), s.vars
}

// begin starts a package in the hand's buffer.
func (h *hand) begin() { h.buf = protocol.AppendHeadroom(h.buf[:0]) }

// send writes the buffer and counts it.
func (h *hand) send(s *session) {
	h.sheet.Add(measure.PackagesOut, 1)
	h.sheet.Add(measure.BytesOut, len(h.buf)-protocol.Headroom)
	s.link.conn.Write(h.buf)
}

// packet writes a package of type t.
func (h *hand) packet(s *session, t protocol.PacketType, body []byte) {
	h.begin()
	h.buf = protocol.AppendPacket(h.buf, t, body)
	h.send(s)
}

// take hands over the sheet of the interval that ends and puts spare, which is
// empty, in its place.
func (h *hand) take(spare *measure.Sheet) (full *measure.Sheet, worst int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	full, worst = h.sheet, h.worst
	h.sheet, h.worst = spare, 0
	return full, worst
}

func (h *hand) tally() tally {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sums
}
