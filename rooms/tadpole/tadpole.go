// Package tadpole is a pond in which everyone sees everyone swim. It shows what a
// room that runs on a clock looks like: what players send is checked and kept, and
// a tick tells everyone, so that a player who sends too often costs nobody more.
//
// It serves the routes of nano's tadpole demo, so that demo's client works here
// unmodified: Manager.Login, World.Enter, World.Update, World.Message.
package tadpole

import (
	"math"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// World is one pond.
type World struct {
	seen  map[*rooms.Member]*Tadpole // where each was last; those who have not moved yet are nowhere
	moved []*rooms.Member            // since the last tick, each once
}

// Tadpole is where one is, as its client tells and as everyone is told by the push
// update.
type Tadpole struct {
	ID       uint64  `json:"id"`
	X        float32 `json:"x"`
	Y        float32 `json:"y"`
	Name     string  `json:"name"`
	Momentum float32 `json:"momentum"`
	Angle    float32 `json:"angle"`

	told bool // everyone knows
}

// Swimmer names one tadpole: the answer to World.Enter, and the push leave.
type Swimmer struct {
	ID uint64 `json:"id"`
}

// Words is what one says, and the push message; the id that a client sends in it
// does not matter.
type Words struct {
	ID      uint64 `json:"id"`
	Message string `json:"message"`
}

// What is longer, or farther out, is refused.
const (
	maxName    = 64
	maxMessage = 512
	maxPlace   = 1e6
)

// Init makes an empty pond.
func (w *World) Init(*rooms.Ctx) error {
	w.seen = make(map[*rooms.Member]*Tadpole)
	return nil
}

// Enter shows the newcomer everyone; they see it when it moves.
func (w *World) Enter(c *rooms.Ctx, m *rooms.Member, _ *rooms.Anything) (*Swimmer, error) {
	for _, o := range c.Members() {
		if t, ok := w.seen[o]; ok {
			c.Send(m, "update", t)
		}
	}
	return &Swimmer{m.ID()}, nil
}

// Update keeps where m says that it is, until the next tick.
func (w *World) Update(_ *rooms.Ctx, m *rooms.Member, t *Tadpole) (*rooms.Empty, error) {
	switch {
	case t.ID != m.ID():
		return nil, protocol.Errorf(protocol.CodeRefused, "that is not your tadpole")
	case len(t.Name) > maxName || !near(t.X, t.Y, t.Momentum, t.Angle):
		return nil, protocol.Errorf(protocol.CodeBadRequest, "no tadpole is called or goes like that")
	}
	if last, ok := w.seen[m]; !ok || last.told {
		w.moved = append(w.moved, m)
	}
	w.seen[m] = t
	return nil, nil
}

// Message tells everyone at once: words are few.
func (w *World) Message(c *rooms.Ctx, m *rooms.Member, words *Words) (*rooms.Empty, error) {
	if words.Message == "" || len(words.Message) > maxMessage {
		return nil, protocol.Errorf(protocol.CodeBadRequest, "say something, in %d bytes", maxMessage)
	}
	c.Broadcast("message", Words{m.ID(), words.Message})
	return nil, nil
}

// Tick tells everyone who has moved, however often, once and in one frame.
func (w *World) Tick(c *rooms.Ctx) {
	updates := make([]any, 0, len(w.moved))
	for _, m := range w.moved {
		if t, here := w.seen[m]; here { // it may have left since
			t.told = true
			updates = append(updates, t)
		}
	}
	w.moved = w.moved[:0]
	c.BroadcastBatch("update", updates)
}

// Leave takes m out of the pond.
func (w *World) Leave(c *rooms.Ctx, m *rooms.Member, _ protocol.Reason) {
	delete(w.seen, m)
	c.Broadcast("leave", Swimmer{m.ID()})
}

func near(coordinates ...float32) bool {
	for _, x := range coordinates {
		if math.Abs(float64(x)) > maxPlace {
			return false
		}
	}
	return true
}

// Kind serves World.Enter, World.Update, World.Message and World.leave. A pond
// that panicked starts empty, with everyone in it: who moves is seen again.
func Kind() rooms.Kind {
	return rooms.KindOf("World",
		rooms.OnInit((*World).Init),
		rooms.OnJoin((*World).Enter),
		rooms.OnRequest("Update", (*World).Update),
		rooms.OnRequest("Message", (*World).Message),
		rooms.OnTick(50*time.Millisecond, (*World).Tick),
		rooms.OnLeave((*World).Leave),
	).JoinRoute("World.Enter").OnPanic(rooms.PanicRestore)
}

// LoginRequest is the body of Manager.Login.
type LoginRequest struct {
	Username string `json:"username"`
	Cipher   string `json:"cipher"`
}

// LoginReply answers it.
type LoginReply struct {
	Status int    `json:"status"` // 1: logged in
	ID     uint64 `json:"id"`
	Error  string `json:"error"`
}

// Login serves Manager.Login, which takes everyone: it is what the demo's client
// does first. It shows how a handler that belongs to no room is registered.
func Login(a *actors.App) {
	actors.Handle(a, "Manager.Login", func(c *actors.Ctx, _ *LoginRequest) (*LoginReply, error) {
		return &LoginReply{Status: 1, ID: c.Session().ID()}, nil
	})
}
