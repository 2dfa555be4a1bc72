package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lonng/nano"
	"github.com/lonng/nano/component"
	"github.com/lonng/nano/pipeline"
	"github.com/lonng/nano/session"
)

const (
	defaultRoom = "1"
	roomKey     = "room" // session attribute: the *nano.Group joined
)

var errNotJoined = errors.New("not in a room yet")

// RoomManager is the component behind room.join, room.message and room.echo.
// nano calls it on its one logic goroutine, so it needs no lock.
type RoomManager struct {
	component.Base
	announce bool
	rooms    map[string]*nano.Group
}

type joinRequest struct {
	Room string `json:"room"`
}

type joinResponse struct {
	Code   int    `json:"code"`
	Result string `json:"result"`
}

type members struct {
	Members []int64 `json:"members"`
}

type newUser struct {
	Content string `json:"content"`
}

// UserMessage is what a member says and what the room hears.
type UserMessage struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// AfterInit makes closed sessions leave their room.
func (m *RoomManager) AfterInit() {
	session.Lifetime.OnClosed(func(s *session.Session) {
		if room, ok := s.Value(roomKey).(*nano.Group); ok {
			_ = room.Leave(s) // fails only for a closed group; none is ever closed
		}
	})
}

// Join puts the session into the room named in the body. Unlike the demo it
// takes any JSON body and remembers several rooms.
func (m *RoomManager) Join(s *session.Session, body []byte) error {
	req := joinRequest{}
	if err := json.Unmarshal(body, &req); err != nil || req.Room == "" {
		req.Room = defaultRoom
	}
	if s.HasKey(roomKey) {
		return s.Response(&joinResponse{Result: "success"})
	}
	room, ok := m.rooms[req.Room]
	if !ok {
		room = nano.NewGroup(req.Room)
		m.rooms[req.Room] = room
	}
	if err := s.Bind(s.ID()); err != nil {
		return err
	}
	s.Set(roomKey, room)
	if err := s.Push("onMembers", &members{Members: room.Members()}); err != nil {
		return err
	}
	if m.announce {
		// The error is that of one member with a full queue: it must not fail the join.
		_ = room.Broadcast("onNewUser", &newUser{Content: fmt.Sprintf("New user: %d", s.ID())})
	}
	if err := room.Add(s); err != nil {
		return err
	}
	return s.Response(&joinResponse{Result: "success"})
}

// Message tells everyone in the room, the sender included.
func (m *RoomManager) Message(s *session.Session, msg *UserMessage) error {
	room, ok := s.Value(roomKey).(*nano.Group)
	if !ok {
		return errNotJoined
	}
	return room.Broadcast("onMessage", msg)
}

// Echo answers with the body it got.
func (m *RoomManager) Echo(s *session.Session, body []byte) error {
	return s.Response(body)
}

// ownBody is an inbound pipeline stage, run where the message was read. The body
// of a raw handler aliases nano's read buffer and would be the next message's by
// the time the logic goroutine gets to it; a copy is the cheapest way out.
func ownBody(_ *session.Session, m *pipeline.Message) error {
	if m.Route == "room.echo" {
		m.Data = bytes.Clone(m.Data)
	}
	return nil
}
