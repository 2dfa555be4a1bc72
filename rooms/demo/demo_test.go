package demo_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
	"github.com/shaddock-game/shaddock/rooms/demo"
)

func want(t *testing.T, what string, p *rooms.Player, pushes ...string) {
	t.Helper()
	var got []string
	for _, g := range p.Pushes() {
		got = append(got, g.String())
	}
	if !slices.Equal(got, pushes) {
		t.Errorf("%s: got %q, want %q", what, got, pushes)
	}
}

// FEATURES 4: "Login {nickname} before joining; per-user balance that goes down by
// one with each message (onBalance {"currentBalance":n}), starting at 1000".
func TestDemo(t *testing.T) {
	s, err := rooms.NewSim(demo.Kind(), rooms.SimConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ann, bob := s.Connect(""), s.Connect("")
	if _, err := ann.Request("SyncMessage", `{}`); protocol.AsError(err).Code != protocol.CodeRefused {
		t.Errorf("a message before the login: %v", err)
	}
	if _, err := ann.Join(`{}`); protocol.AsError(err).Code != protocol.CodeBadRequest {
		t.Errorf("a login without a nickname: %v", err)
	}
	if reply, err := ann.Join(`{"nickname":"ann"}`); reply != `{"code":0,"result":"success"}` || err != nil {
		t.Fatalf("login: %s %v", reply, err)
	}
	want(t, "nobody else is here", ann, `onMembers {"members":""}`)
	if _, err := bob.Join(`{"nickname":"bob"}`); err != nil {
		t.Fatal(err)
	}
	want(t, "who is here", bob, `onMembers {"members":"ann"}`)
	want(t, "who came", ann, `onNewUser {"content":"New user: bob"}`)

	const line = `{"name":"ann","content":"hi"}`
	for i := range 3 {
		if _, err := ann.Request("SyncMessage", line); err != nil {
			t.Fatal(err)
		}
		want(t, "the balance goes down by one", ann, "onMessage "+line, fmt.Sprintf(`onBalance {"currentBalance":%d}`, 999-i))
		want(t, "and is nobody else's", bob, "onMessage "+line)
	}
	for range 997 {
		if _, err := ann.Request("SyncMessage", line); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ann.Request("SyncMessage", line); protocol.AsError(err).Code != protocol.CodeRefused {
		t.Errorf("a message that cannot be paid: %v", err)
	}
	if _, err := bob.Request("SyncMessage", line); err != nil {
		t.Errorf("bob has his own: %v", err)
	}
}
