package crowd

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/tests/chaos/ledger"
	"github.com/shaddock-game/shaddock/tests/chaos/proof"
)

// caller is one client. But for answered, its fields belong to run.
type caller struct {
	// Set at birth, read-only afterwards.
	crowd      *Crowd
	id         int
	kind, room string
	home       int // the gate that it prefers
	in         *inbox

	line     *line     // nil while it is not connected
	member   bool      // joined, and the answer has come
	joinedAt time.Time // when it was last
	dialAt   time.Time // when to connect
	giveUp   time.Time // when a connection that has not led into the room is given up
	leaveAt  time.Time // when to go, having been told so; zero: no need
	tries    int       // connections in a row that came to nothing
	call     call
	nextCall time.Time // when the next is due
	n        uint64
	late     int // calls in a row without an answer
	ending   bool
	last     bool // asks for the final state before it ends
	ended    bool

	events   []proof.Event
	answered atomic.Int64
}

// call is the message under way.
type call struct {
	pending bool
	sent    bool
	planned time.Time
	id      uint64 // of the request
}

func newCaller(c *Crowd, id int, kind, room string, home int) *caller {
	return &caller{crowd: c, id: id, kind: kind, room: room, home: home, in: newInbox()}
}

func (x *caller) write(e proof.Event) {
	e.At, e.Room, e.Kept, e.From = proof.Now(), x.kind+"/"+x.room, x.kind == ledger.Kept, x.id
	if x.line != nil {
		e.Gate = x.line.gate
	}
	x.events = append(x.events, e)
}

func (x *caller) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !x.ended {
		select {
		case <-ctx.Done():
			x.hangUp()
			return
		case <-x.in.wake:
			for _, m := range x.in.take() {
				x.receive(m)
			}
		case <-timer.C:
		}
		timer.Reset(time.Until(x.settle(time.Now())))
	}
}

// connectTime is how long it may take to be in the room.
const connectTime = 3 * time.Second

// finish has the caller end, with a look at what the room has if it is to be the
// last one.
func (x *caller) finish(last bool) { x.in.put(lineEvent{what: toldToEnd, last: last}) }

// settle does what is due and returns when to look again.
func (x *caller) settle(now time.Time) time.Time {
	next := now.Add(time.Hour)
	if x.line == nil {
		if x.ending && !x.last {
			x.ended = true
			return now
		}
		if !now.Before(x.dialAt) {
			x.dial(now)
		} else {
			next = earlier(next, x.dialAt)
		}
	}
	if x.line != nil && !x.member {
		if !now.Before(x.giveUp) {
			x.hangUp()
			x.dialAt = now
			return now
		}
		next = earlier(next, x.giveUp)
	}
	if x.ending {
		return next
	}
	if !x.leaveAt.IsZero() && !x.call.sent {
		if !now.Before(x.leaveAt) {
			x.leave()
			return now
		}
		next = earlier(next, x.leaveAt)
	}
	if !x.call.pending && !now.Before(x.nextCall) {
		x.skip(now)
	}
	if !x.call.pending && !now.Before(x.nextCall) {
		x.ask(now)
	}
	if !x.call.pending {
		return earlier(next, x.nextCall)
	}
	end := x.call.planned.Add(x.crowd.cfg.Patience)
	if !now.Before(end) {
		x.refused(proof.Late)
		if x.late++; x.late > 1 && x.line != nil {
			x.leave()
		}
		return now
	}
	if x.member && !x.call.sent {
		x.call.sent = true
		x.call.id = x.line.request(x.kind+".add", ledger.AddRequest{From: x.id, N: x.n})
	}
	return earlier(next, end)
}

// ask begins the call that is due, which counts from when it was.
func (x *caller) ask(now time.Time) {
	x.n++
	x.call = call{pending: true, planned: x.nextCall}
	x.nextCall = x.nextCall.Add(x.crowd.cfg.Every)
	x.write(proof.Event{What: proof.Asked, By: x.id, N: x.n})
	e := &x.events[len(x.events)-1]
	e.At -= int64(now.Sub(x.call.planned))
	if !x.member || x.call.planned.Before(x.joinedAt) {
		e.Gate = "" // it had to get into the room first
	}
}

// leastTime is what a call must have left of its patience to be sent.
const leastTime = time.Second

// skip has the calls fail that are due, once the first of them would hardly be
// answered in time: whoever has fallen behind would else send each when it is too
// late, and be behind for ever.
func (x *caller) skip(now time.Time) {
	if now.Sub(x.nextCall) <= x.crowd.cfg.Patience-leastTime {
		return
	}
	for x.nextCall.Before(now) {
		x.ask(now)
		x.refused(proof.Late)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// refused ends the call under way without what it asked for.
func (x *caller) refused(why string) {
	x.write(proof.Event{What: proof.Refused, By: x.id, N: x.n, Note: why})
	x.call = call{}
}

// dial connects to the caller's own gate, or another when that is not there.
func (x *caller) dial(now time.Time) {
	gates := x.crowd.cfg.Gates
	for i := range gates {
		g := gates[(x.home+x.tries+i)%len(gates)]
		if addr := g.Addr(); addr != "" {
			x.tries++
			x.giveUp = now.Add(connectTime)
			x.line = newLine(x.crowd.client, g.Name, addr, x.in)
			if x.line == nil {
				break
			}
			return
		}
	}
	x.dialAt = now.Add(100 * time.Millisecond)
}

// pause is how long a caller waits after it lost its connection, as those with our
// SDK do: half a second, longer with each try in vain, less a random part of up to a
// half.
func (x *caller) pause() time.Duration {
	wait := time.Second / 2 << min(x.tries, 2)
	return wait/2 + rand.N(wait/2)
}

// leave hangs up; the caller connects again.
func (x *caller) leave() {
	x.write(proof.Event{What: proof.Went})
	x.hangUp()
	x.dialAt = time.Now()
}

func (x *caller) hangUp() {
	x.setMember(false)
	if x.line != nil {
		x.line.close()
		x.line = nil
	}
	x.leaveAt, x.late = time.Time{}, 0
	if x.call.sent {
		x.refused("went")
	}
}

func (x *caller) setMember(in bool) {
	if in != x.member {
		x.member = in
		if in {
			x.joinedAt = time.Now()
			x.crowd.members.Add(1)
		} else {
			x.crowd.members.Add(-1)
		}
	}
}

func (x *caller) receive(e lineEvent) {
	if e.what == toldToEnd {
		x.ending, x.last = true, e.last
		x.call = call{}
		if x.last && x.member {
			x.line.final = x.line.request(x.kind+".state", struct{}{})
		} else if !x.last {
			x.hangUp()
		}
		return
	}
	if e.line != x.line {
		return // of one that was given up
	}
	switch e.what {
	case lineOpen:
		x.line.join = x.line.request(x.kind+".join", map[string]any{"room": x.room, "from": x.id})
	case lineClosed:
		x.cut()
	case lineMessage:
		x.message(e.m)
	}
}

// cut takes in that the connection has ended.
func (x *caller) cut() {
	if x.member {
		x.write(proof.Event{What: proof.Cut})
		x.tries = 0
	}
	x.setMember(false)
	x.line, x.leaveAt = nil, time.Time{}
	if x.call.sent {
		x.refused("cut")
	}
	x.dialAt = time.Now().Add(x.pause())
}

func (x *caller) message(m protocol.Message) {
	switch {
	case m.Type == protocol.Push:
		x.push(m)
	case m.ID == x.line.join:
		x.joined(m)
	case m.ID == x.line.final && m.ID != 0:
		x.final(m)
	case x.call.sent && m.ID == x.call.id:
		x.answer(m)
	} // or an answer that came too late
}

func (x *caller) joined(m protocol.Message) {
	var d ledger.Deed
	if m.Error || json.Unmarshal(m.Body, &d) != nil {
		x.line.close()
		x.line, x.dialAt = nil, time.Now().Add(200*time.Millisecond)
		return
	}
	x.tries = 0
	x.write(proof.Event{What: proof.Joined, Life: d.Life, Epoch: d.Epoch, Seq: d.Seq})
	x.setMember(true)
	if x.ending {
		x.line.final = x.line.request(x.kind+".state", struct{}{})
	}
}

func (x *caller) answer(m protocol.Message) {
	x.late = 0
	if m.Error {
		x.refused(reason(m.Body))
		if x.events[len(x.events)-1].Note == proof.NotIn {
			x.leave()
		}
		return
	}
	var d ledger.Deed
	if err := json.Unmarshal(m.Body, &d); err != nil || d.By != x.id || d.N != x.n {
		x.refused("wrong answer: " + string(m.Body))
		return
	}
	e := proof.Event{What: proof.Got, Life: d.Life, Epoch: d.Epoch, Seq: d.Seq, By: d.By, N: d.N}
	if d.Again {
		e.Note = proof.Repeated
	}
	x.write(e)
	x.call = call{}
	x.answered.Store(proof.Now())
}

// reason is what an error says.
func reason(body []byte) string {
	var e struct {
		Code protocol.Code `json:"code"`
		Msg  string        `json:"msg"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return string(body)
	}
	if e.Code == protocol.CodeRefused {
		return proof.NotIn
	}
	return fmt.Sprintf("%d %s", e.Code, e.Msg)
}

func (x *caller) push(m protocol.Message) {
	switch m.Route {
	case ledger.DeedRoute:
		var d ledger.Deed
		if err := json.Unmarshal(m.Body, &d); err == nil {
			x.write(proof.Event{What: proof.Heard, Life: d.Life, Epoch: d.Epoch, Seq: d.Seq, By: d.By, N: d.N})
		}
	case "sys.resync":
		x.write(proof.Event{What: proof.Resync})
	case "onRoomClosed":
		x.leave()
	case "sys.goaway":
		var away struct{ After int64 }
		if err := json.Unmarshal(m.Body, &away); err != nil {
			away.After = 0
		}
		// Not all at once, and not in the last moment.
		x.leaveAt = time.Now().Add(time.Duration(away.After) * time.Millisecond / 2)
		x.home++ // that one is about to end
	}
}

// final takes in what the room has, and ends.
func (x *caller) final(m protocol.Message) {
	var s ledger.State
	if m.Error || json.Unmarshal(m.Body, &s) != nil {
		x.line.final = x.line.request(x.kind+".state", struct{}{})
		return
	}
	x.write(proof.Event{What: proof.Final, Seq: s.Seq, Last: s.Last})
	x.hangUp()
	x.ended = true
}
