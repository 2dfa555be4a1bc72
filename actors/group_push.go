package actors

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/protocol"
)

// push writes a frame and has it fanned out, here and on the other gates; a nil filter
// chooses all.
func (g *Group) push(to Filter, route string, v any, done func(Sent)) error {
	f, err := NewFrame(g.cfg.Serializer, route, v)
	if err == nil && g.cfg.Text != nil {
		f.Text, err = g.cfg.Text(nil, route, v)
	}
	var far []byte
	if err == nil && g.spans() {
		far, err = g.writePush(to, f)
	}
	if err != nil {
		return fmt.Errorf("group %q: %w", g.name, err)
	}
	if far == nil {
		g.fan(to, f, done)
		return nil
	}
	g.pushFar(to, f, far, done)
	return nil
}

// fan has this node's actor fan a frame out.
func (g *Group) fan(to Filter, f protocol.Frame, done func(Sent)) {
	if done == nil {
		done = func(Sent) {}
	}
	g.send(&groupCall{
		run: func(a *groupActor) {
			report := func(sent, dropped int) { done(Sent{Sent: sent, Dropped: dropped}) }
			if to == nil {
				a.state.audience.Broadcast(f, nil, report)
				return
			}
			a.state.audience.Multicast(a.state.wires(to), f, report)
		},
		refused: func(err error) { done(Sent{Err: fmt.Errorf("group %q: %w", g.name, err)}) },
	})
}

// writePush makes what other gates get, but for the number of a poll: that is put in
// front.
func (g *Group) writePush(to Filter, f protocol.Frame) (b []byte, err error) {
	filter := []byte{filterAll}
	if to != nil {
		if filter, err = to.write(); err != nil {
			return nil, err
		}
	}
	return talk.PutFrame(append(talk.PutBytes(nil, g.name), filter...), f), nil
}

// pushFar fans a frame out here and on the gates that it concerns.
func (g *Group) pushFar(to Filter, f protocol.Frame, body []byte, done func(Sent)) {
	gates, here := g.app.gates(), true
	if id, one := to.(oneSession); one && g.elsewhere(&Ref{id: uint64(id)}) {
		n, _ := g.app.nodeOf(uint64(id))
		gates, here = []OtherNode{n}, false
	}
	write := func(number uint64) []byte {
		return append(talk.PutUint([]byte{farPushAll}, number), body...)
	}
	if done == nil {
		if here {
			g.fan(to, f, nil)
		}
		for all := write(0); len(gates) > 0; gates = gates[1:] {
			_ = g.app.post(gates[0].ID, all) // counted
		}
		return
	}
	t := &tally{done: done}
	t.parts.Store(2)
	if here {
		g.fan(to, f, t.add)
	} else {
		t.add(Sent{})
	}
	g.app.poll(gates, pollTime, write, func(answers []farAnswer, silent []string) {
		sum := Sent{Unheard: len(silent)}
		for _, a := range answers {
			r := talk.Reader{Rest: a.body}
			if a.err != nil {
				sum.Unheard++
				continue
			}
			sum.Sent += int(r.Uint())
			sum.Dropped += int(r.Uint())
		}
		t.add(sum)
	})
}

// tally adds up what became of a push here and elsewhere.
type tally struct {
	done                   func(Sent)
	parts                  atomic.Int32 // that have not reported yet
	sent, dropped, unheard atomic.Int32
	err                    atomic.Pointer[error]
}

func (t *tally) add(s Sent) {
	t.sent.Add(int32(s.Sent))
	t.dropped.Add(int32(s.Dropped))
	t.unheard.Add(int32(s.Unheard))
	if s.Err != nil {
		t.err.Store(&s.Err)
	}
	if t.parts.Add(-1) > 0 {
		return
	}
	sum := Sent{Sent: int(t.sent.Load()), Dropped: int(t.dropped.Load()), Unheard: int(t.unheard.Load())}
	if err := t.err.Load(); err != nil {
		sum.Err = *err
	}
	t.done(sum)
}

// sparing passes on what became of a push, and that nobody was there when the part was
// empty and went meanwhile.
func (g *Group) sparing(report func(Sent)) func(Sent) {
	if report == nil || !g.cfg.adopted {
		return report
	}
	return func(s Sent) {
		if errors.Is(s.Err, ErrGroupClosed) {
			s.Err = nil
		}
		report(s)
	}
}

// pushed serves a push of another node to the members of this one.
func (a *App) pushed(from string, r *talk.Reader) {
	number, name := r.Uint(), r.String()
	to, f := readFilter(r), r.Frame()
	if r.Err != nil {
		return
	}
	var report func(Sent)
	if number != 0 {
		report = func(s Sent) {
			a.reply(from, number, s.Err, talk.PutUint(talk.PutUint(nil, uint64(s.Sent)), uint64(s.Dropped)))
		}
	}
	if g, ok := a.part(name); ok && g.spans() {
		g.fan(to, f, g.sparing(report))
	} else if report != nil {
		report(Sent{})
	}
}
