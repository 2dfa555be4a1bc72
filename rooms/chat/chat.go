// Package chat is the smallest room worth playing: everyone in it hears
// everyone. It serves the routes of nano's chat demo, so that demo's page works
// here unmodified: room.join, room.message and room.leave.
package chat

import (
	"fmt"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// Room is one chat room.
type Room struct{}

// JoinRequest asks to enter; the field "room" of the same body names the room.
type JoinRequest = rooms.Anything

// JoinReply tells the newcomer that it is in.
type JoinReply struct {
	Code   int    `json:"code"` // always present: old pages test it
	Result string `json:"result"`
}

// Message is one line of chat, pushed to everyone as it came.
type Message struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// Members is what a newcomer hears first: who else is here.
type Members struct {
	Members []uint64 `json:"members"`
}

// Notice tells the others who came or went.
type Notice struct {
	Content string `json:"content"`
}

// Join tells the newcomer who is here, and those who are here of the newcomer.
func (*Room) Join(c *rooms.Ctx, m *rooms.Member, _ *JoinRequest) (*JoinReply, error) {
	here := make([]uint64, 0, c.Count())
	for _, o := range c.Members() {
		here = append(here, o.ID())
	}
	c.Send(m, "onMembers", Members{here})
	c.Broadcast("onNewUser", Notice{fmt.Sprintf("New user: %d", m.ID())}) // m is not in yet
	return &JoinReply{Result: "success"}, nil                             // now it is
}

// Return takes in a member of a room that came back on another node: for the
// people in it nothing has happened.
func (*Room) Return(*rooms.Ctx, *rooms.Member, *JoinRequest) error { return nil }

// Message tells everyone, the sender included.
func (*Room) Message(c *rooms.Ctx, _ *rooms.Member, msg *Message) { c.Broadcast("onMessage", msg) }

// Leave tells those who stay.
func (*Room) Leave(c *rooms.Ctx, m *rooms.Member, _ protocol.Reason) {
	c.Broadcast("onLeave", Notice{fmt.Sprintf("User left: %d", m.ID())})
}

// Kind serves the routes room.join, room.message and room.leave. The rooms have
// nothing to work out, so they run inline.
func Kind() rooms.Kind {
	return rooms.KindOf("room",
		rooms.OnJoin((*Room).Join),
		rooms.OnReturn((*Room).Return),
		rooms.OnNotify("message", (*Room).Message),
		rooms.OnLeave((*Room).Leave),
	).Inline()
}
