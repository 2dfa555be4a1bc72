// Package demo is a chat in which talk is not free: everyone has a balance that
// each message takes one from. It shows what a room keeps with its members.
//
// It serves the routes of nano's distributed demo, so that demo's page works here
// unmodified: BindService.Login and RoomService.SyncMessage. There the gate passes
// a login on to the master and that to the room; here it is the join of the room,
// wherever in the cluster that is.
package demo

import (
	"strings"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// Room is the room that all who log in talk in.
type Room struct{}

// LoginRequest is the body of BindService.Login.
type LoginRequest struct {
	Nickname string `json:"nickname"`
}

// LoginReply tells the newcomer that it is in.
type LoginReply struct {
	Code   int    `json:"code"` // always present: old pages test it
	Result string `json:"result"`
}

// Members is the push onMembers to a newcomer: the nicknames of the others, with
// commas between them.
type Members struct {
	Members string `json:"members"`
}

// Notice is the push onNewUser.
type Notice struct {
	Content string `json:"content"`
}

// Message is one line of chat, pushed to everyone as it came.
type Message struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// Balance is the push onBalance to who has spoken.
type Balance struct {
	Current int `json:"currentBalance"`
}

const firstBalance = 1000

// What the room keeps with a member.
const (
	nickname = "nickname"
	balance  = "balance"
)

// Login seats m under its nickname.
func (*Room) Login(c *rooms.Ctx, m *rooms.Member, req *LoginRequest) (*LoginReply, error) {
	if req.Nickname == "" || len(req.Nickname) > 64 {
		return nil, protocol.Errorf(protocol.CodeBadRequest, "a nickname has 1 to 64 bytes")
	}
	m.Set(nickname, req.Nickname)
	m.Set(balance, firstBalance)

	here := make([]string, 0, c.Count())
	for _, o := range c.Members() {
		name, _ := rooms.Attr[string](o, nickname)
		here = append(here, name)
	}
	c.Send(m, "onMembers", Members{strings.Join(here, ",")})
	c.Broadcast("onNewUser", Notice{"New user: " + req.Nickname})
	return &LoginReply{Result: "success"}, nil
}

// SyncMessage tells everyone, and takes one from the balance of who speaks.
func (*Room) SyncMessage(c *rooms.Ctx, m *rooms.Member, msg *Message) (*rooms.Empty, error) {
	left, _ := rooms.Attr[int](m, balance)
	if left == 0 {
		return nil, protocol.Errorf(protocol.CodeRefused, "your balance is spent")
	}
	m.Set(balance, left-1)
	c.Broadcast("onMessage", msg)
	c.Send(m, "onBalance", Balance{left - 1})
	return nil, nil
}

// Kind serves BindService.Login, RoomService.SyncMessage and RoomService.leave.
func Kind() rooms.Kind {
	return rooms.KindOf("RoomService",
		rooms.OnJoin((*Room).Login),
		rooms.OnRequest("SyncMessage", (*Room).SyncMessage),
	).JoinRoute("BindService.Login")
}
