package actors

import (
	"log/slog"
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
	leaving  bool   // it ends when nothing is left to answer
	paced    uint32 // notifies passed on, see Ctx.Pace
}

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
