package actors

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// Session is the actor of one connection. It is a process of the actor runtime
// with an inbox of its own rather than an actor with a context: that is half the
// memory, and lets packets wait by value. Whatever arrives goes into the inbox;
// run, on one goroutine at a time, is the only owner of what follows it below.
//
// The methods Packet, Batch, Tick, Reply and Closed are the connection's side of
// it, called on the connection's loop. What the loop brings is handled there and
// then, between two reads, unless a handler in it may wait: such work goes on in
// a goroutine. That saves the start of a goroutine, and mostly the wake-up of a
// thread, for each packet.
type Session struct {
	Ref

	// Set at birth, read-only afterwards.
	reader func()  // off as a value: a go statement on the method would allocate one
	codec  *spoken // nil where pomelo is spoken

	// Any goroutine.
	in inbox[event]

	// Owned by the loop.
	due bool // Batch has to run the session

	// Owned by run.
	state    sessionState
	rest     *node[event] // what the loop has left for a goroutine
	backlog  fifo[event]  // data packets behind a request that awaits its answer
	armed    time.Duration
	waiting  awaiting
	members  []Membership
	rate     bucket
	bytes    bucket
	seat     *seat // as a user, nil before the first bind
	compress bool  // the client reads compressed routes
	ended    bool
	paced    uint32 // notifies passed on, see Ctx.Pace
}

// awaiting is the request whose answer is to come from elsewhere.
type awaiting struct {
	token    uint32 // counts up; the pending request's while pending
	pending  bool
	id       uint64
	route    *route
	deadline time.Duration
	apart    *apart // its handler, until that has returned
}

// event is one thing that happens to a session.
type event struct {
	kind   eventKind
	held   bool // Resume is due when it is handled
	reason protocol.Reason
	packet protocol.Packet
	chunk  *protocol.Chunk
	msg    any // of eventMessage; the cause of eventClosed
}

type eventKind uint8

const (
	eventPacket eventKind = iota
	eventInvoke           // msg is an *invocation
	eventTick
	eventMessage
	eventClosed
	eventTasks // the alarm of the session's tasks has rung
)

var events = sync.Pool{New: func() any { return new(node[event]) }}

// Packet takes one inbound package; p.Body aliases c, which the session releases.
// It is handled with the next call of Batch.
func (s *Session) Packet(p protocol.Packet, c *protocol.Chunk) {
	if s.push(event{kind: eventPacket, packet: p, chunk: c}) {
		s.due = true
	}
}

// Batch says that all packages of one read have been handed over.
func (s *Session) Batch() {
	if s.due {
		s.due = false
		s.run(true)
	}
}

// Tick says that the wire's timer is due.
func (s *Session) Tick(time.Time) { s.onLoop(event{kind: eventTick}) }

// Reply takes what a room has put into its audience for this session alone.
func (s *Session) Reply(v any) { s.onLoop(event{kind: eventMessage, msg: v, held: true}) }

// Closed says that the connection has ended.
func (s *Session) Closed(r protocol.Reason, cause error) {
	s.onLoop(event{kind: eventClosed, reason: r, msg: cause})
}

// SendUserMessage implements actor.Process.
func (s *Session) SendUserMessage(_ *actor.PID, msg any) {
	_, msg, _ = actor.UnwrapEnvelope(msg)
	kind := eventMessage
	if _, is := msg.(*invocation); is {
		kind = eventInvoke
	}
	s.post(event{kind: kind, msg: msg})
}

// SendSystemMessage implements actor.Process. A session cannot be watched: whoever
// wants to hear of its end has it enter a Membership.
func (s *Session) SendSystemMessage(_ *actor.PID, msg any) {
	if _, stop := msg.(*actor.Stop); stop {
		s.post(event{kind: eventMessage, msg: &kickMsg{why: protocol.ReasonShutdown}})
	}
}

// Stop implements actor.Process.
func (s *Session) Stop(pid *actor.PID) { s.SendSystemMessage(pid, &actor.Stop{}) }

// post is for every goroutine but the loop's.
func (s *Session) post(e event) {
	if s.push(e) {
		go s.reader() // ends with the inbox empty; App.Shutdown waits for the sessions
	}
}

func (s *Session) onLoop(e event) {
	if s.push(e) {
		s.run(true)
	}
}

// push reports true to whoever has to run the session.
func (s *Session) push(e event) bool {
	n := events.Get().(*node[event])
	n.v = e
	return s.in.push(n)
}

// off runs the session off the loop.
func (s *Session) off() { s.run(false) }

// loopSweeps bounds how often in a row a session is swept on the loop: others may
// post to it faster than that gets done.
const loopSweeps = 8

// run handles what is in the inbox until it is empty, or on the loop until it
// comes to what may wait there or has been at it for long.
func (s *Session) run(loop bool) {
	t := turns.Get().(*turn)
	t.loop = loop
	for n := 0; ; n++ {
		if loop && n == loopSweeps || !s.sweep(t) || !s.catchUp(t) {
			t.free(s)
			go s.reader()
			return
		}
		t.flush(s)
		s.arm()
		if s.in.rest() {
			break
		}
	}
	t.free(s)
}

// sweep handles what has come in. It stops in front of an event that must not be
// handled here, and then reports false.
func (s *Session) sweep(t *turn) bool {
	n := s.rest
	if s.rest = nil; n == nil {
		n = s.in.take()
	}
	for n != nil {
		next := n.next
		if !s.event(t, n) {
			s.rest = n
			return false
		}
		n = next
	}
	return true
}

// event handles one event, or keeps it for later. It reports false for one that
// must not be handled on the loop, and leaves it as it is.
func (s *Session) event(t *turn, n *node[event]) bool {
	e := &n.v
	switch e.kind {
	case eventPacket, eventInvoke:
		if e.packet.Type != protocol.Heartbeat && (s.busy() || !s.backlog.empty()) && !s.ended {
			s.backlog.push(n)
			return true
		}
		if t.loop && s.mayWait(t, e) {
			return false
		}
		s.packet(t, e)
	case eventTick:
		s.armed = 0
		s.tick(t)
	case eventMessage:
		s.message(t, e.msg)
		if e.held {
			t.flush(s) // first the answer, then what the room sent behind it
			s.wire.Resume()
		}
	case eventTasks:
		if t.loop {
			return false
		}
		s.tasksDue(t)
	case eventClosed:
		if t.loop && s.hasCallbacks() {
			return false
		}
		cause, _ := e.msg.(error)
		s.end(e.reason, cause)
	}
	recycle(n)
	return true
}

// catchUp handles what had to wait for an answer, with the result of event.
func (s *Session) catchUp(t *turn) bool {
	for (!s.busy() || s.ended) && !s.backlog.empty() {
		if t.loop && s.mayWait(t, &s.backlog.first.v) {
			return false
		}
		n := s.backlog.pop()
		s.packet(t, &n.v)
		recycle(n)
	}
	return true
}

// mayWait reports whether the handling of e may hold up the goroutine it is done
// on: only what is known not to is done on the loop.
func (s *Session) mayWait(t *turn, e *event) bool {
	p := e.packet
	switch {
	case s.ended:
		return false
	case e.kind == eventInvoke:
		return true
	case p.Type == protocol.Handshake:
		return s.app.cfg.Validate != nil
	case p.Type != protocol.Data:
		return false
	}
	t.parse(s, p.Body)
	if t.broken != nil {
		return false
	}
	r := s.app.routes[t.message.Route]
	return r != nil && !r.onLoop
}

func recycle(n *node[event]) {
	*n = node[event]{}
	events.Put(n)
}

// packet handles one package and gives its bytes back, or an invocation.
func (s *Session) packet(t *turn, e *event) {
	if e.kind == eventInvoke {
		s.invoke(t, e.msg.(*invocation))
		return
	}
	if !s.ended {
		s.act(t, s.state.packet(s.app.since(), e.packet.Type), e.packet.Body)
		if e.packet.Type == protocol.HandshakeAck && s.state.phase == phaseWorking {
			s.login()
		}
	}
	if e.chunk != nil {
		e.chunk.Release()
	}
	s.wire.Done(1, len(e.packet.Body))
}

func (s *Session) tick(t *turn) {
	now := s.app.since()
	if s.waiting.pending && now >= s.waiting.deadline {
		s.app.stats.Timeouts.Add(1)
		s.answer(t, &Answer{Token: Token{s.waiting.token}, Err: protocol.Errorf(protocol.CodeTimeout, "no answer in time")})
	}
	s.act(t, s.state.tick(now, s.busy()), nil)
}

// act carries out what the state has decided.
func (s *Session) act(t *turn, a action, body []byte) {
	switch a {
	case actHandshake:
		s.handshake(t, body)
	case actReady, actBeat:
		t.packet(s, protocol.Heartbeat, nil)
	case actData:
		if s.codec != nil {
			s.text(t, body)
			return
		}
		s.data(t, body)
	case actClose:
		s.farewell(t, s.state.why, "")
	case actNone:
	}
}

// message handles what actors and other goroutines send.
func (s *Session) message(t *turn, msg any) {
	switch m := msg.(type) {
	case *Answer:
		s.answer(t, m)
	case Answer:
		s.answer(t, &m)
	case *pushMsg:
		if s.state.phase == phaseWorking {
			t.push(s, m.route, m.v)
		}
	case *kickMsg:
		if s.state.close(m.why) == actClose {
			s.farewell(t, m.why, m.text)
		}
	case order:
		m.carry(s, t)
	default:
		s.log().Warn("session got a message of no known type", "type", typeName(msg))
	}
}

// farewell tells the client why the session ends, and closes the wire behind it.
func (s *Session) farewell(t *turn, why protocol.Reason, text string) {
	if s.codec != nil {
		s.wire.WriteText(s.codec.AppendKick(nil, why, text))
	} else {
		t.out = protocol.AppendKick(t.out, why, text)
		t.flush(s)
	}
	s.wire.Close(why)
}

// await makes the session wait for the answer to the request that c handles.
func (s *Session) await(c *Ctx) Token {
	w := &s.waiting
	if w.token++; w.token == 0 {
		w.token = 1
	}
	w.pending, w.id, w.route = true, c.id, c.route
	w.deadline = s.app.since() + s.app.patience(c.route)
	return Token{w.token}
}

// answer carries a late answer to the client. Memberships change in any case: the
// room has seated the session, whether or not the client still waits.
func (s *Session) answer(t *turn, a *Answer) {
	s.rejoin(a)
	w := &s.waiting
	if !w.pending || a.Token.n != w.token {
		if a.Token.n != 0 {
			s.app.stats.LateAnswers.Add(1)
		}
		return
	}
	if s.binding(a) {
		return
	}
	w.pending = false
	switch {
	case w.id == 0 && a.Err != nil:
		s.app.stats.NotifyErrors.Add(1)
		s.log().Debug("notify failed", "route", w.route.name, "error", a.Err)
		if w.route == handshakeLogin && s.state.close(protocol.ReasonHandshakeRefused) == actClose {
			s.farewell(t, protocol.ReasonHandshakeRefused, protocol.AsError(a.Err).Msg)
		}
	case w.id == 0:
	case a.Err != nil:
		t.refuse(s, w.route.name, w.id, a.Err)
	default:
		t.respond(s, w.route, w.id, a.Value)
		s.app.stats.outcome(protocol.CodeOK)
	}
}

// rejoin keeps the memberships in step with what rooms say.
func (s *Session) rejoin(a *Answer) {
	if m := a.Left; m != nil {
		if i := s.membership(m.Kind, m.Room); i >= 0 {
			s.members = slices.Delete(s.members, i, i+1)
		}
	}
	if m := a.Joined; m != nil {
		switch i := s.membership(m.Kind, m.Room); {
		case s.ended:
			s.farewellTo(*m, protocol.ReasonClientGone)
		case i >= 0:
			s.members[i] = *m
		default:
			s.members = append(s.members, *m)
		}
	}
}

func (s *Session) membership(kind, room string) int {
	return slices.IndexFunc(s.members, func(m Membership) bool { return m.Kind == kind && m.Room == room })
}

// end is the last thing that happens to a session.
func (s *Session) end(why protocol.Reason, cause error) {
	if s.ended {
		return
	}
	s.ended = true
	s.state.close(why)
	for _, m := range s.members {
		s.farewellTo(m, why)
	}
	s.quitAll()
	s.endTasks()
	s.members, s.waiting.pending = nil, false
	if p := s.waiting.apart; p != nil {
		p.cancel()
	}
	s.callbacks(why)
	s.app.remove(s, why, cause) // last: App.Shutdown waits for it
}

func (s *Session) farewellTo(m Membership, why protocol.Reason) { s.app.farewell(s.id, m, why) }

// arm sets the wire's timer to the next deadline, when that is earlier than the
// one set: a timer that comes too early only finds nothing to do.
func (s *Session) arm() {
	if s.ended {
		return
	}
	next, ok := s.state.next()
	if w := &s.waiting; w.pending && (!ok || w.deadline < next) {
		next, ok = w.deadline, true
	}
	if ok && (s.armed == 0 || next < s.armed) {
		s.armed = next
		s.wire.Timer(s.app.born.Add(next))
	}
}

func (s *Session) log() *slog.Logger { return s.app.cfg.Logger.With("session", s.id, "uid", s.UID()) }
