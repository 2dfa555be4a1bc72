package chat_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/actorstest"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/rooms/chat"
)

// FEATURES 2, word for word.
func TestChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := actors.New(actors.Config{NewAudience: actorstest.NewAudience, Heartbeat: -1})
		h, err := rooms.Install(a, nil, chat.Kind())
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := a.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if err := h.Stop(t.Context(), protocol.ReasonShutdown); err != nil {
				t.Error(err)
			}
			a.Close()
		}()

		ann, bob := actorstest.Connect(t, a), actorstest.Connect(t, a)
		for _, body := range []string{`{}`, `null`, `[]`, `"hello"`, ``} { // "any JSON body"
			id := ann.Request("room.join", body)
			if body == `{}` {
				ann.WantPush("others only; empty is []", "onMembers", `{"members":[]}`)
			}
			ann.WantReply("code must be present; a second join is idempotent", id, `{"code":0,"result":"success"}`)
		}
		id := bob.Request("room.join", `{"room":"1"}`)
		bob.WantPush("who is here", "onMembers", fmt.Sprintf(`{"members":[%d]}`, ann.Session.ID()))
		bob.WantReply("in", id, `{"code":0,"result":"success"}`)
		ann.WantPush("the others hear", "onNewUser", fmt.Sprintf(`{"content":"New user: %d"}`, bob.Session.ID()))

		bob.Notify("room.message", `{"name":"bob","content":"hi \ud83d\ude00","x":1}`)
		for _, p := range []*actorstest.Probe{ann, bob} {
			p.WantPush("exactly two fields, the sender included", "onMessage", `{"name":"bob","content":"hi \ud83d\ude00"}`)
		}
		bob.Drop()
		ann.WantPush("on disconnect the member leaves", "onLeave", fmt.Sprintf(`{"content":"User left: %d"}`, bob.Session.ID()))
		synctest.Wait()
		if n := h.Stats().Members; n != 1 {
			t.Errorf("%d members, want 1", n)
		}
	})
}
