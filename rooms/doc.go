// Package rooms is where games are written. A room is an actor that owns its
// members and its game; a game is a plain Go type whose methods say what happens
// when somebody joins, asks, leaves, or when time passes.
//
//	type Room struct{ score map[uint64]int }
//
//	func (r *Room) Hit(c *rooms.Ctx, m *rooms.Member, h *Hit) (*Score, error) {
//		r.score[m.ID()] += h.Points
//		c.Broadcast("onScore", r.score)
//		return &Score{r.score[m.ID()]}, nil
//	}
//
//	func Kind() rooms.Kind {
//		return rooms.KindOf("arena", rooms.OnJoin((*Room).Join), rooms.OnRequest("hit", (*Room).Hit))
//	}
//
// The methods of one room never run at the same time: they need no lock and must
// not block. What may block goes through Async. The game sees the world through
// its Ctx only (clock, random source, members, pushes), so a test can drive it
// as a value: see Sim.
//
// A whole game with its test is the example "your first room" below; rooms/chat,
// rooms/demo and rooms/tadpole are served by the server of this project.
//
// # Routes
//
// A kind "arena" serves arena.join, arena.leave and one route per operation. The
// join names the room in the field "room" of its body (Kind.RoomOf changes that);
// later messages go to the room of that kind that the session is in. A join that
// names none goes to room 1, or, with Kind.Match and MatchBy, to a room with a
// free seat.
//
// # Directory
//
// Rooms tell the directory how many members and which labels they have. Host.List,
// Host.Find and Host.Create are for handlers and tools, <kind>.list (Kind.Listed)
// is for clients, and matches are made from it.
//
// # Order and loss
//
// All that one room sends to one member arrives in the order the room sent it:
// the pushes of OnJoin, the answer of the join, every later push. A member that
// cannot keep up is disconnected with a typed reason, and counted; pushes marked
// Latest are replaced by newer ones before that.
//
// # Life
//
// A room starts with the first join to its id and is put away when it has been
// empty for the kind's Idle time. A member whose connection ends leaves. When the
// behaviour panics the request is answered 500 and the kind's PanicPolicy says
// how the room goes on: with Snapshots it comes back as it was, and members keep
// their seats and attributes. A room that closes tells those in it why, by the push
// onRoomClosed.
package rooms
