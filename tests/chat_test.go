package tests

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/protocol"
)

const joined = `{"code":0,"result":"success"}`

// FEATURES, the chat demo: join, pushes to the newcomer and the others, messages
// to all, over WebSocket and TCP in one room.
func TestChatConversation(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	ann := join(t, addr, "/nano")
	ann.notify("room.message", `{"name":"ann","content":"nobody hears this"}`)
	id := ann.request("room.join", `{}`)
	ann.want("the first member sees an empty room", protocol.Push, "onMembers", `{"members":[]}`)
	if m := ann.wantAnswer("join", id); string(m.Body) != joined || m.Error {
		t.Fatalf("join answered %s", m.Body)
	}

	bob := join(t, addr, "")
	bob.request("room.join", `{"room":1}`)
	var members struct{ Members []uint64 }
	if m := bob.message("bob sees who is here"); m.Route != "onMembers" || json.Unmarshal(m.Body, &members) != nil || len(members.Members) != 1 {
		t.Fatalf("bob got %s %s, want one member", m.Route, m.Body)
	}
	bob.want("bob is in", protocol.Response, "", joined)
	if m := ann.message("ann hears of bob"); m.Route != "onNewUser" || !strings.HasPrefix(string(m.Body), `{"content":"New user: `) {
		t.Fatalf("ann got %s %s", m.Route, m.Body)
	}

	bob.notify("room.message", `{"name":"bob","content":"hi","more":"is cut"}`)
	for _, p := range []*peer{ann, bob} {
		p.want("all hear bob, bob included", protocol.Push, "onMessage", `{"name":"bob","content":"hi"}`)
	}

	id = bob.request("room.join", `{}`)
	if m := bob.wantAnswer("a second join", id); string(m.Body) != joined {
		t.Fatalf("second join answered %s", m.Body)
	}
	bob.wantEcho("a second join pushes nothing")

	bob.conn.Close()
	if m := ann.message("ann hears that bob has left"); m.Route != "onLeave" {
		t.Fatalf("ann got %s %s, want onLeave", m.Route, m.Body)
	}
	ann.wantEcho("ann is alone and well")
}

// "before joining it is refused (a request gets an error)"
func TestMessageBeforeJoin(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	p := join(t, addr, "/nano")
	p.wantCode("a message before the join", p.request("room.message", `{"name":"x","content":"y"}`), protocol.CodeRefused)
	p.wantCode("an unknown route", p.request("room.nothing", `{}`), protocol.CodeNoRoute)
	p.wantCode("a join that is no JSON", p.request("room.join", `{"room"`), protocol.CodeBadRequest)
	p.wantEcho("the session lives on")
}

// Rooms are told apart by name.
func TestRoomsByName(t *testing.T) {
	addr, _ := serve(t, app.Config{})
	a, b := join(t, addr, "/"), join(t, addr, "/")
	a.wantAnswer("join red", a.request("room.join", `{"room":"red"}`))
	b.wantAnswer("join blue", b.request("room.join", `{"room":"blue"}`))
	a.notify("room.message", `{"name":"a","content":"red only"}`)
	a.want("red hears", protocol.Push, "onMessage", `{"name":"a","content":"red only"}`)
	b.wantEcho("blue does not")

	a.wantAnswer("also join blue", a.request("room.join", `{"room":"blue"}`))
	a.wantCode("in two rooms the body must say which", a.request("room.message", `{"name":"a","content":"?"}`), protocol.CodeConflict)
	a.wantAnswer("it does", a.request("room.message", `{"room":"blue","name":"a","content":"both"}`))
	if m := b.message("blue hears of a"); m.Route != "onNewUser" {
		t.Fatalf("b got %s %s", m.Route, m.Body)
	}
	b.want("blue hears a", protocol.Push, "onMessage", `{"name":"a","content":"both"}`)
}

// PROTOCOL: "1,000 pipelined requests on one connection (exactly one answer
// each, right id, in order)", joins among them, which a room answers.
func TestThousandPipelinedRequests(t *testing.T) {
	addr, _ := serve(t, app.Config{RateLimit: -1})
	p := join(t, addr, "/nano")
	var batch []byte
	for i := range uint64(1000) {
		route := "room.echo"
		if i%100 == 7 {
			route = "room.join"
		}
		batch = append(batch, data(t, protocol.Message{Type: protocol.Request, ID: i + 1, Route: route, Body: []byte(`{"room":"` + strconv.FormatUint(i, 10) + `"}`)})...)
	}
	p.send(batch)
	for i := range uint64(1000) {
		p.wantAnswer("request "+strconv.FormatUint(i+1, 10), i+1)
	}
	p.wantEcho("and nothing more")
}
