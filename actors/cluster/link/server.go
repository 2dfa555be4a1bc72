package link

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/protocol"
)

// Call is a call of a peer that this process carries out. It may be answered from
// any goroutine; the first answer counts.
type Call struct {
	From Peer
	*wire.Envelope

	link   *Link
	answer atomic.Pointer[wire.Envelope]
}

// Answer answers the call; it takes over e.
func (c *Call) Answer(e *wire.Envelope) {
	e.Op, e.Call = wire.OpAnswer, c.Envelope.Call
	if c.answer.CompareAndSwap(nil, e) {
		c.send(e)
	}
}

// Fail answers with an error: a *protocol.Error as it is, any other as 500.
func (c *Call) Fail(err error) {
	e := &wire.Envelope{Code: int32(protocol.CodeInternal), Text: err.Error()}
	if coded, ok := errors.AsType[*protocol.Error](err); ok {
		e.Code, e.Text = int32(coded.Code), coded.Msg
	}
	c.Answer(e)
}

// send sends the answer, a copy each time: the link writes its places into what
// it sends. An answer that cannot be sent now is asked for again.
func (c *Call) send(e *wire.Envelope) {
	again := &wire.Envelope{
		Op: e.Op, Call: e.Call, Kind: e.Kind, Id: e.Id, Epoch: e.Epoch, Seq: e.Seq,
		Code: e.Code, Text: e.Text, Body: e.Body,
	}
	if c.link.Send(c.From, again) != nil {
		c.link.stats.answersHeld.Add(1)
	}
}

// server is the goroutine that hands calls out, each once.
type server struct {
	link *Link
	in   chan arrival
	seen map[string]*history // by peer; owned by run
}

type arrival struct {
	from Peer
	e    *wire.Envelope
}

// offer queues a call, on the carrier's goroutine.
func (s *server) offer(from Peer, e *wire.Envelope) {
	select {
	case s.in <- arrival{from, e}:
	default:
		s.link.stats.overrun.Add(1)
		busy := &Call{From: from, Envelope: e, link: s.link}
		busy.Fail(protocol.Errorf(protocol.CodeUnavailable, busyText))
	}
}

func (s *server) run() {
	tidy := time.NewTicker(keepAnswers)
	defer tidy.Stop()
	for {
		select {
		case <-s.link.run.Done():
			return
		case a := <-s.in:
			s.handle(time.Now(), a)
		case now := <-tidy.C:
			for id, h := range s.seen {
				if h.expire(now); len(h.order) == 0 {
					delete(s.seen, id)
				}
			}
		}
	}
}

func (s *server) handle(now time.Time, a arrival) {
	h, ok := s.seen[a.from.ID]
	if !ok {
		h = &history{calls: make(map[uint64]*Call)}
		s.seen[a.from.ID] = h
	}
	h.expire(now)
	if c, again := h.calls[a.e.Call]; again {
		s.link.stats.repeated.Add(1)
		if answer := c.answer.Load(); answer != nil {
			c.send(answer)
		}
		return
	}
	c := &Call{From: a.from, Envelope: a.e, link: s.link}
	h.add(now, c)
	f, ok := s.link.served[a.e.Op]
	if !ok {
		s.link.stats.unknown.Add(1)
		c.Fail(protocol.Errorf(protocol.CodeNoRoute, "op %d is not known to this node", a.e.Op))
		return
	}
	f(c)
}

// A call is remembered for longer than any caller repeats it, and no more than so
// many of one peer.
const (
	keepAnswers = 30 * time.Second
	keepCalls   = 1 << 14
)

// history is what one peer has called for lately.
type history struct {
	calls map[uint64]*Call
	order []called
}

type called struct {
	at     time.Time
	number uint64
}

func (h *history) add(now time.Time, c *Call) {
	h.calls[c.Envelope.Call] = c
	h.order = append(h.order, called{now, c.Envelope.Call})
}

func (h *history) expire(now time.Time) {
	n := 0
	for n < len(h.order) && (now.Sub(h.order[n].at) > keepAnswers || len(h.order)-n >= keepCalls) {
		delete(h.calls, h.order[n].number)
		n++
	}
	h.order = h.order[n:]
}
