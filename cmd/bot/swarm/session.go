package swarm

import (
	"sync"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
)

// session is one player: a program that is carried out step by step, by whoever
// brings what it waits for. There is no goroutine of its own; a loop, the driver
// or an HTTP caller locks it and works on.
type session struct {
	// Set at birth, read-only afterwards.
	shard  *shard
	kind   *scenario.Behaviour
	number uint32
	room   uint32

	mu      sync.Mutex // guards all below; taken before the lock of a hand
	url     string
	link    *link // nil: no connection
	ops     []scenario.Op
	pc      int32
	loops   [scenario.MaxDepth]int32
	stage   stage
	wait    waiting
	ready   bool   // its setup has been done once
	opened  bool   // it has been open once: the next time is a reconnect
	waitID  uint32 // the request that forAnswer waits for
	lastID  uint32
	acts    uint32
	due     int64    // planned moment of the step under way
	said    int64    // planned moment of the last message: expected pushes count from it
	until   int64    // when the wait is over, one way or the other; 0: never
	asked   []asked  // requests without an answer
	backlog []int64  // acts that wait for the one under way
	stash   []heard  // pushes an expect may be interested in
	vars    [][]byte // by slot
	inbox   measure.Inbox
	pulse   pulse

	// Guarded by the lock of timers.
	timer  int32
	wakeAt int64
}

// stage is which of its behaviour's programs a session is in.
type stage uint8

const (
	inSetup stage = iota
	atRest        // ready for an act
	inAct
	inRun
	over // it failed, or has run to the end
)

// waiting is what the step under way waits for.
type waiting uint8

const (
	forNothing waiting = iota
	forOpen            // of a connection
	forAnswer
	forPush
	forTime
	forReading // end of a stall
	forEnd     // of the connection, by the server
	forHTTP
	forRetry // to connect again
)

// asked is a request without an answer.
type asked struct {
	op    *scenario.Op
	id    uint32
	due   int64
	until int64
}

// backlogMax bounds the acts of a session that wait behind one that takes long:
// more are skipped, and counted.
const backlogMax = 1 << 12

// start begins the setup of a session that was planned for due.
func (s *session) start(h *hand, due, now int64) {
	s.stage, s.ops, s.pc, s.due = inSetup, setupOf(s.kind), 0, due
	s.advance(h, now)
}

// setupOf is never nil, which would be no program at all.
func setupOf(b *scenario.Behaviour) []scenario.Op {
	if b.Setup == nil {
		return []scenario.Op{}
	}
	return b.Setup
}

// act begins one act that was planned for due, or lets it wait for the one under
// way: its latency counts from due either way. false: the session cannot act.
func (s *session) act(h *hand, due, now int64) bool {
	switch {
	case s.stage == atRest && (s.link != nil || s.kind.Act[0].Kind == scenario.OpConnect):
		s.beginAct(h, due)
		s.advance(h, now)
		return true
	case s.stage == inAct && len(s.backlog) < backlogMax:
		s.backlog = append(s.backlog, due)
		return true
	}
	return false
}

func (s *session) beginAct(h *hand, due int64) {
	s.stage, s.ops, s.pc, s.due = inAct, s.kind.Act, 0, due
	s.acts++
	if due >= h.worker.measureFrom.Load() {
		h.sheet.Add(measure.Sent, 1)
	}
}

// run begins the program that goes at the session's own pace.
func (s *session) run(h *hand, due, now int64) {
	if s.stage != atRest || len(s.kind.Run) == 0 {
		return
	}
	s.stage, s.ops, s.pc, s.due = inRun, s.kind.Run, 0, due
	s.advance(h, now)
}

// advance carries out steps until one has to wait.
func (s *session) advance(h *hand, now int64) {
	w := h.worker
	for s.wait == forNothing && s.ops != nil && !w.ending.Load() {
		if int(s.pc) < len(s.ops) {
			op := &s.ops[s.pc]
			s.pc++
			s.step(h, op, now)
			continue
		}
		s.finish(h)
	}
	s.rearm(w)
}

// finish ends a program.
func (s *session) finish(h *hand) {
	s.ops = nil
	switch s.stage {
	case inSetup:
		s.stage = atRest
		if !s.ready {
			s.ready = true
			h.sums.ready++
		}
		if begin := h.worker.beginAt.Load(); begin != 0 && len(s.kind.Run) > 0 {
			s.stage, s.ops, s.pc = inRun, s.kind.Run, 0
		}
	case inAct:
		s.stage = atRest
		s.nextAct(h)
	case inRun:
		s.stage = over
	}
}

// nextAct begins the act that has waited longest.
func (s *session) nextAct(h *hand) {
	if len(s.backlog) == 0 {
		return
	}
	if s.link == nil && s.kind.Act[0].Kind != scenario.OpConnect {
		h.sheet.Add(measure.Skipped, len(s.backlog))
		s.backlog = nil
		return
	}
	due := s.backlog[0]
	if s.backlog = s.backlog[1:]; len(s.backlog) == 0 {
		s.backlog = nil
	}
	s.beginAct(h, due)
}

// resume goes on behind the step that waited.
func (s *session) resume(h *hand, now int64) {
	s.wait, s.until, s.due = forNothing, 0, now
	s.advance(h, now)
}

// retryAfter is how long a session waits before it connects again.
const retryAfter = int64(1e9)

// abort gives up the step under way, which is accounted for already: the setup
// and an act with it, while a session at its own pace goes on, as players do.
func (s *session) abort(h *hand, now int64) {
	s.wait, s.until = forNothing, 0
	switch {
	case s.stage == inSetup && s.opened && h.worker.Reconnect:
		s.retry(h, now)
		return
	case s.stage == inSetup:
		s.stage, s.ops = over, nil
		if !s.ready {
			h.sums.failed++
		}
	case s.stage == inAct:
		s.stage, s.ops = atRest, nil
		s.nextAct(h)
	case s.stage == inRun && s.link == nil:
		s.stumble(h, now)
		return
	}
	s.due = now
	s.advance(h, now)
}

// stumble is for a session at its own pace that has lost its connection: it goes
// on where its program connects next, after a pause.
func (s *session) stumble(h *hand, now int64) {
	run, pause := s.kind.Run, retryAfter
	if s.kind.Outlaw {
		pause /= 20
	}
	for i := range run { // from the step under way on, and round again
		at := (int(s.pc) + i) % len(run)
		if run[at].Kind == scenario.OpConnect {
			s.pc, s.wait, s.until = int32(at), forTime, now+pause
			s.rearm(h.worker)
			return
		}
	}
	if s.stage, s.ops = over, nil; h.worker.Reconnect {
		s.retry(h, now)
	}
}

// retry goes through the setup again, not at the same moment as everybody else.
func (s *session) retry(h *hand, now int64) {
	s.stage, s.ops, s.pc = inSetup, setupOf(s.kind), 0
	s.wait, s.until = forRetry, now+retryAfter+h.env.Rand.Int64N(retryAfter)
	s.rearm(h.worker)
}

// wake looks at what a timer was set for.
func (s *session) wake(h *hand, now int64) {
	if h.worker.ending.Load() {
		return
	}
	s.expire(h, now)
	if s.link != nil {
		s.pulse.tick(h, s, now)
	}
	if s.link != nil && s.link.leaveAt != 0 && s.link.leaveAt <= now {
		s.moveOn(h, now)
	}
	if s.until != 0 && s.until <= now {
		s.timeUp(h, now)
	}
	s.rearm(h.worker)
}

// timeUp ends a wait by its time.
func (s *session) timeUp(h *hand, now int64) {
	planned := s.until
	switch s.wait {
	case forTime:
		s.wait, s.until, s.due = forNothing, 0, planned
		s.advance(h, now)
	case forReading:
		s.link.read()
		s.resume(h, now)
	case forRetry:
		s.wait, s.until, s.due = forNothing, 0, planned
		s.advance(h, now)
	case forOpen:
		s.fault(h, s.link.metric(), "timeout")
		h.worker.report("no handshake in time from " + s.url)
		s.hangUp(h)
		s.abort(h, now)
	case forPush, forEnd:
		s.fault(h, s.ops[s.pc-1].Metric, "timeout")
		s.abort(h, now)
	default: // answers expire by themselves
		s.until = 0
	}
}

// expire gives up requests whose answer is overdue. They were asked in order,
// but may have had different patience.
func (s *session) expire(h *hand, now int64) {
	for i := 0; i < len(s.asked); i++ {
		a := s.asked[i]
		if a.until > now {
			continue
		}
		s.forget(i)
		i--
		h.sums.answered++
		s.fault(h, a.op.Metric, "timeout")
		if s.wait == forAnswer && s.waitID == a.id {
			s.abort(h, now)
		}
	}
}

func (s *session) forget(i int) {
	s.asked = append(s.asked[:i], s.asked[i+1:]...)
}

// rearm sets the timer for whatever comes first.
func (s *session) rearm(w *worker) {
	at := s.until
	if s.link != nil && s.pulse.next != 0 && (at == 0 || s.pulse.next < at) {
		at = s.pulse.next
	}
	if s.link != nil && s.link.leaveAt != 0 && (at == 0 || s.link.leaveAt < at) {
		at = s.link.leaveAt
	}
	for i := range s.asked {
		if at == 0 || s.asked[i].until < at {
			at = s.asked[i].until
		}
	}
	if at != 0 {
		w.timers.set(s, at)
	}
}

// hangUp closes the connection because the program or the run is done with it:
// nothing more is owed to the session.
func (s *session) hangUp(h *hand) {
	l := s.link
	if l == nil {
		return
	}
	s.inbox.Leave()
	s.unlink(h)
	l.conn.Close(reasonDone)
}

// unlink forgets the connection and what was asked on it.
func (s *session) unlink(h *hand) {
	if s.link.phase == linkOpen {
		h.sums.open--
	}
	h.sums.answered += int64(len(s.asked))
	s.link, s.asked, s.stash, s.pulse = nil, nil, nil, pulse{}
}
