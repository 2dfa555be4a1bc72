package rooms_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/actors/cluster"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

const gold actors.Key[int] = "gold"

// bank is a game that works with the sessions of its members.
type bank struct{}

// teller is who hears what banks do. Its channels belong to the bubble.
type teller struct {
	joined chan *actors.Ref
	ended  chan protocol.Reason
}

type amount struct {
	Gold int `json:"gold"`
}

// bankKind hands the session of each member that joins to the test, and tells it of
// each end.
func (h *teller) kind() rooms.Kind {
	return rooms.KindOf("bank",
		rooms.OnJoin(func(_ *bank, _ *rooms.Ctx, m *rooms.Member, _ *rooms.Anything) (*amount, error) {
			m.Session().OnClosed(func(_ *actors.Ref, why protocol.Reason) { h.ended <- why })
			h.joined <- m.Session()
			return &amount{gold.Get(m.Session())}, nil
		}),
		rooms.OnRequest("read", func(_ *bank, _ *rooms.Ctx, m *rooms.Member, _ *rooms.Empty) (*amount, error) {
			return &amount{gold.Get(m.Session())}, nil
		}),
		rooms.OnNotify("pay", func(_ *bank, _ *rooms.Ctx, m *rooms.Member, a *amount) {
			s := m.Session()
			s.Push("onPay", a)
			gold.Set(s, gold.Get(s)-a.Gold)
			_ = s.Invoke("t.tell", nil) // the route is there
		}),
	)
}

// "attributes (read what the room was given, change by message), OnClosed callbacks,
// Invoke": a room works with the sessions of its members on other nodes as with those
// of its own.
func TestRoomWorksWithSessionsElsewhere(t *testing.T) {
	var h teller
	handlers := func(_ string, a *actors.App, _ *cluster.Config) {
		actors.Handle(a, "t.set", func(c *actors.Ctx, v *amount) (*amount, error) {
			gold.Set(c, v.Gold)
			return v, nil
		}, actors.Inline())
		actors.HandleNotify(a, "t.tell", func(c *actors.Ctx, _ *struct{}) error {
			c.Push("onGold", amount{gold.Get(c)})
			return nil
		}, actors.Inline())
	}
	inTown(t, "", []rooms.Kind{h.kind()}, func(t *town) {
		h = teller{make(chan *actors.Ref, 10), make(chan protocol.Reason, 10)}
		t.setup = handlers
		t.start("g1")
		t.start("b")
		t.net.Lose(0.1)
		p := actorstest.Connect(t.T, t.nodes["g1"].app)
		set := func(n int) {
			t.Helper()
			p.WantReply("set", p.Request("t.set", fmt.Sprintf(`{"gold":%d}`, n)), fmt.Sprintf(`{"gold":%d}`, n))
		}
		set(10)
		p.WantReply("the room reads it", p.Request("bank.join", `{}`), `{"gold":10}`)
		set(20)
		p.WantReply("it is given what has changed", p.Request("bank.read", `{}`), `{"gold":20}`)
		for i := range 20 {
			p.Notify("bank.pay", `{"gold":1}`)
			p.WantPush("a push", "onPay", `{"gold":1}`)
			p.WantPush("behind it the session's own handler sees the change", "onGold", fmt.Sprintf(`{"gold":%d}`, 19-i))
		}
		t.net.Lose(0)
		p.WantReply("the room knows it too, by now", p.Request("bank.read", `{}`), `{"gold":0}`)

		ref := <-h.joined
		p.WantReply("leave", p.Request("bank.leave", ``), `{"code":0,"result":"success"}`)
		time.Sleep(time.Second)
		ref.Push("onLater", amount{1})
		p.WantPush("who has left the room is reached past it", "onLater", `{"gold":1}`)
		p.WantReply("back", p.Request("bank.join", `{}`), `{"gold":0}`)

		set(30)
		p.WantReply("read", p.Request("bank.read", `{}`), `{"gold":30}`)
		t.start("c")
		t.nodes["b"].kill()
		id := p.Request("bank.read", `{}`)
		m := p.Message("an answer")
		for m.Route == rooms.ResyncRoute { // what may have been missed
			m = p.Message("an answer")
		}
		if m.ID != id || string(m.Body) != `{"gold":30}` {
			t.Fatalf("a room that opens elsewhere is told: got %s %s", m.Route, m.Body)
		}
		q := actorstest.Connect(t.T, t.nodes["g1"].app)
		q.WantReply("another joins", q.Request("bank.join", `{}`), `{"gold":0}`)
		time.Sleep(time.Second) // the room's wish to hear of the end is on its way
		q.Session.Kick(protocol.ReasonKicked, "")
		select {
		case why := <-h.ended:
			if why != protocol.ReasonKicked {
				t.Fatalf("ended with %v", why)
			}
		case <-time.After(time.Minute):
			t.Fatal("the end of a session is not heard of")
		}
	})
}
