package actors_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
)

// What may wait leaves the loop, what is known not to stays on it, and answers
// leave in the order of the requests all the same.
func TestLoopIsNeverKeptByAHandlerThatWaits(t *testing.T) {
	a := actors.New(actors.Config{Rate: -1, NewAudience: actorstest.NewAudience})
	defer a.Close()
	release := make(chan struct{})
	actors.HandleRaw(a, "t.wait", func(_ *actors.Ctx, b []byte) ([]byte, error) {
		<-release
		return b, nil
	})
	actors.HandleRaw(a, "t.inline", func(_ *actors.Ctx, b []byte) ([]byte, error) { return b, nil }, actors.Inline())
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	p := actorstest.Connect(t, a)
	routes := []string{"t.inline", "t.wait", "t.inline", "t.wait", "t.none", "t.inline"}
	for i, route := range routes {
		b, err := protocol.AppendMessage(nil, protocol.Message{Type: protocol.Request, ID: uint64(i + 1), Route: route, Body: []byte(strconv.Itoa(i))})
		if err != nil {
			t.Fatal(err)
		}
		p.Session.Packet(protocol.Packet{Type: protocol.Data, Body: b}, nil)
	}
	p.Session.Batch() // is the loop's goroutine, and returns
	p.WantReply("what came before the wait", 1, "0")
	p.WantIdle("all else is behind it")
	p.Session.Tick(time.Now()) // the loop goes on
	close(release)
	for i := 1; i < 4; i++ {
		p.WantReply("in order", uint64(i+1), strconv.Itoa(i))
	}
	p.WantCode("in order, errors too", 5, protocol.CodeNoRoute)
	p.WantReply("in order, to the end", 6, "5")
	if got, want := p.Handled(), len(routes)+2; got != want {
		t.Errorf("%d packets given back, want %d", got, want)
	}
}

// What waited for an answer leaves the loop as well when the answer comes there.
func TestLoopIsNotKeptByWhatWaitedForAnAnswer(t *testing.T) {
	a := actors.New(actors.Config{Rate: -1, NewAudience: actorstest.NewAudience})
	defer a.Close()
	release, waiting := make(chan struct{}), make(chan actors.Token, 1)
	a.Route("t.later", func(c *actors.Ctx, _ actors.Inbound) { waiting <- c.Await() }, actors.Inline())
	actors.HandleRaw(a, "t.wait", func(_ *actors.Ctx, b []byte) ([]byte, error) {
		<-release
		return b, nil
	})
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	p := actorstest.Connect(t, a)
	first, second := p.Request("t.later", ``), p.Request("t.wait", `"x"`)
	p.Session.Reply(actors.Answer{Token: <-waiting, Value: value{1}}) // on the loop
	p.WantReply("the answer", first, `{"n":1}`)
	close(release)
	p.WantReply("then what was behind it", second, `"x"`)
}

// A sender runs an inline actor for a while and no longer.
func TestInlineMailboxLetsItsSenderGo(t *testing.T) {
	a := actors.New(actors.Config{})
	defer a.Close()
	const n = 1000
	var got []int
	sent, done := make(chan struct{}), make(chan struct{})
	pid := a.System().Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		i, ok := c.Message().(int)
		if !ok {
			return
		}
		if got = append(got, i); i == 0 {
			for j := 1; j < n; j++ {
				c.Send(c.Self(), j)
			}
		}
		switch i {
		case n / 2:
			<-sent // for ever, if the sender were still here
		case n - 1:
			close(done)
		}
	}, actor.WithMailbox(a.InlineMailbox(0))))
	a.System().Root.Send(pid, 0)
	close(sent)
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the rest was never handled")
	}
	for i, v := range got {
		if v != i {
			t.Fatalf("message %d handled as number %d", v, i)
		}
	}
}

// chain is a push that, while it is written, pushes the next.
type chain struct {
	ref  *actors.Ref
	n    int
	back chan struct{} // closed when the loop is free
}

const links = 30

func (c chain) MarshalJSON() ([]byte, error) {
	if c.n == links/2 {
		<-c.back // for ever, if this were still the loop
	}
	if c.n+1 < links {
		c.ref.Push("onLink", chain{c.ref, c.n + 1, c.back})
	}
	return strconv.AppendInt(nil, int64(c.n), 10), nil
}

// A loop lets go of a session to which others post without end.
func TestLoopLetsGoOfABusySession(t *testing.T) {
	a := actors.New(actors.Config{NewAudience: actorstest.NewAudience})
	defer a.Close()
	back := make(chan struct{})
	actors.HandleRaw(a, "t.chain", func(c *actors.Ctx, _ []byte) ([]byte, error) {
		c.Session().Push("onLink", chain{c.Session(), 0, back})
		return nil, nil
	}, actors.Inline())
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	p := actorstest.Connect(t, a)
	id := p.Request("t.chain", ``) // is the loop, and returns
	close(back)
	p.WantReply("the answer", id, "")
	for i := range links {
		p.WantPush("a link", "onLink", strconv.Itoa(i))
	}
}
