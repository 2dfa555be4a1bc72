package actors

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/talk"
	"github.com/shaddock-game/shaddock/protocol"
)

// watch waits for the end of a session of another node. It is asked for until that
// node has it, and ends with the session or with the node.
type watch struct {
	ref *Ref
	f   func(*Ref, protocol.Reason)

	// Owned by the farActor.
	number uint64
	node   string
}

// Refused implements Refusable: too much waits already.
func (w *watch) Refused(err error) {
	if errors.Is(err, ErrBusy) {
		time.AfterFunc(watchAgain, func() { w.ref.app.system.Root.Send(w.ref.app.far, w) })
		return
	}
	w.ref.app.callback(w, protocol.ReasonShutdown) // this application stops
}

// watchFar has f called when a session of another node has ended.
func (r *Ref) watchFar(f func(*Ref, protocol.Reason)) {
	w := &watch{ref: r, f: f}
	if r.app.nodes == nil {
		r.app.callback(w, protocol.ReasonClientGone)
		return
	}
	r.app.system.Root.Send(r.app.far, w)
}

func (f *farActor) watch(w *watch) {
	if w.number == 0 {
		w.number = f.app.polled.Add(1)
	}
	n, ok := f.app.nodeOf(w.ref.id)
	if !ok {
		f.app.callback(w, protocol.ReasonClientGone)
		return
	}
	w.node = n.ID
	f.watches[w.number] = w
	f.lookLater()
	body := talk.PutUint(talk.PutUint([]byte{farWatch}, w.ref.id), w.number)
	if f.app.post(n.ID, body) == nil {
		return
	}
	f.timers.After(f.now, watchAgain, func(time.Time) {
		if f.watches[w.number] == w {
			f.watch(w)
		}
	})
}

// stillEvery is how often it is made sure that sessions that are watched are there:
// while a node is taken for lost, what it has to say is.
const stillEvery = 30 * time.Second

func (f *farActor) lookLater() {
	if f.looking {
		return
	}
	f.looking = true
	f.timers.After(f.now, stillEvery, func(time.Time) {
		f.looking = false
		f.look()
	})
}

// look asks for all that is watched whether it is there.
func (f *farActor) look() {
	for number, w := range f.watches {
		_ = f.app.post(w.node, talk.PutUint(talk.PutUint([]byte{farStill}, w.ref.id), number)) // again the next time
		f.lookLater()
	}
}

// returned takes in that this node had been taken for lost: what ended meanwhile,
// nobody has told it. The others may learn a moment later that it is there again.
func (f *farActor) returned() {
	f.timers.After(f.now, watchAgain, func(time.Time) { f.look() })
}

// ended passes the end of a session on, once.
func (f *farActor) ended(m *farEnd) {
	w, ok := f.watches[m.number]
	if !ok {
		return
	}
	delete(f.watches, m.number)
	if m.uid != "" {
		w.ref.Know(m.uid)
	}
	if len(m.state) > 0 {
		w.ref.KnowState(m.state)
	}
	f.app.callback(w, m.why)
}

// callback calls what was given to OnClosed, where it may block. App.Shutdown waits
// for it.
func (a *App) callback(w *watch, why protocol.Reason) {
	a.besides.Add(1)
	go func() {
		defer a.besides.Add(-1)
		defer func() {
			if p := recover(); p != nil {
				a.stats.Panics.Add(1)
				a.cfg.Logger.Error("closed callback panicked", "session", w.ref.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
		}()
		w.f(w.ref, why)
	}()
}

// watched serves another node that wants to hear of the end of a session of this one.
func (a *App) watched(node string, id, number uint64) {
	s, ok := a.Session(id)
	if !ok {
		a.tellEnd(node, number, protocol.ReasonClientGone, nil)
		return
	}
	s.OnClosed(func(s *Ref, why protocol.Reason) { a.tellEnd(node, number, why, s) })
}

// stillThere serves a node that makes sure of what it watches.
func (a *App) stillThere(node string, id, number uint64) {
	if _, ok := a.Session(id); !ok {
		a.tellEnd(node, number, protocol.ReasonClientGone, nil)
	}
}

// tellEnd says it again while the node does not take it: a goodbye that is lost would
// leave a ghost.
func (a *App) tellEnd(node string, number uint64, why protocol.Reason, s *Ref) {
	b := talk.PutUint(talk.PutUint([]byte{farEnded}, number), uint64(why))
	if s != nil {
		b = talk.PutBytes(talk.PutBytes(b, s.UID()), writeState(s.attrs()))
	} else {
		b = talk.PutBytes(talk.PutBytes(b, ""), "")
	}
	a.tellAgain(node, b)
}

func (a *App) tellAgain(node string, body []byte) {
	err := a.post(node, body)
	if err == nil || errors.Is(err, ErrNoNode) { // if only its lease has lapsed it will ask
		return
	}
	time.AfterFunc(goodbyeAgain, func() { a.tellAgain(node, body) })
}
