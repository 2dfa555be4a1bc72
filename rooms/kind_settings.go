package rooms

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
)

// Name returns the kind's name, the first part of its routes.
func (k Kind) Name() string { return k.name }

// Idle sets how long an empty room lives on, waiting for somebody to come back.
// Zero means the default of 30 s; negative keeps empty rooms for ever.
func (k Kind) Idle(d time.Duration) Kind {
	if d == 0 {
		d = defaultIdle
	}
	k.idle = d
	return k
}

// Seats sets how many members a room takes; the next join is answered 503.
// Zero, the default, is without limit.
func (k Kind) Seats(n int) Kind {
	k.seats = n
	return k
}

// PerSession sets how many rooms of this kind a session may be in at a time; the
// next join is answered 403. Operations and leaves then go to the room that their
// body names, and need to name one only in several. Zero, the default, is without
// limit.
func (k Kind) PerSession(n int) Kind {
	k.perSession = n
	return k
}

// Also makes every session that joins a room of this kind enter another room as
// well, where it stays until it leaves that one or ends. Nobody is told.
func (k Kind) Also(room Key) Kind {
	k.also = room
	return k
}

// JoinRoute sets the whole route of the join, for clients that call it by
// another name than <kind>.join.
func (k Kind) JoinRoute(route string) Kind {
	k.joinRoute = route
	return k
}

// Match sends joins that name no room to the fullest room of the kind with a free
// seat, or to a new one when there is none. A session that is in a room of the
// kind already is sent there.
func (k Kind) Match() Kind {
	k.match = func(any) (Labels, error) { return nil, nil }
	return k
}

// MatchBy is Match among the rooms that have all labels that f returns for the
// body of the join, Req being the one of OnJoin; a new room gets these labels. An
// error is the answer of the join. F runs on the sessions' goroutines, many at a
// time.
func MatchBy[Req any](k Kind, f func(req *Req) (Labels, error)) Kind {
	if want := reflect.TypeFor[Req](); k.join != nil && k.join.req != want {
		k.errs = append(k.errs, fmt.Errorf("room kind %q: rooms.MatchBy reads a %v, OnJoin a %v: give both the same type", k.name, want, k.join.req))
	}
	k.match = func(req any) (Labels, error) { return f(req.(*Req)) }
	return k
}

// Listed serves <kind>.list, the rooms of the kind for clients to choose from,
// see ListRequest.
func (k Kind) Listed() Kind {
	k.listed = true
	return k
}

// Mailbox sets how many messages may wait for a room (4096 when zero). Past it
// requests are answered 503 and notifies are dropped and counted.
func (k Kind) Mailbox(n int) Kind {
	if n <= 0 {
		n = defaultMailbox
	}
	k.mailbox = n
	return k
}

// Merge sets how broadcasts of this kind's rooms are gathered into messages: for
// rooms that say much to many. The default is not to wait for more. A room can
// choose otherwise with Ctx.SetMerge.
func (k Kind) Merge(m Merge) Kind {
	k.merge = m
	return k
}

// Inline says that these rooms only pass on what they get: no method of the
// behaviour waits, and each is done in microseconds. A room then runs on whoever
// brings it a message, mostly the loop that has read it, instead of on a goroutine
// that has to be woken for it. One that takes long all the same keeps every player
// of that loop waiting.
func (k Kind) Inline() Kind {
	k.inline = true
	return k
}

// Serializer sets how bodies of this kind's routes and pushes are written,
// instead of the application's serializer.
func (k Kind) Serializer(s protocol.Serializer) Kind {
	k.serializer = s
	return k
}

// RoomOf sets how a body of this kind names the room it is for. The default
// reads the field "room" of a JSON object, a string or a number; a body that
// names none means room 1 for a join, and the room the session is in otherwise.
func (k Kind) RoomOf(f func(s protocol.Serializer, body []byte) (string, error)) Kind {
	k.selector = f
	return k
}

// Text sets how pushes of one route are written for members on JSON text
// endpoints; f appends one text message for all of vs to dst, or nothing when there
// is no such push in text. Without it such members get no pushes of this kind.
func (k Kind) Text(f func(dst []byte, route string, vs []any) ([]byte, error)) Kind {
	k.text = f
	return k
}

// OnPanic sets what becomes of a room whose behaviour panicked.
func (k Kind) OnPanic(p PanicPolicy) Kind {
	k.onPanic = p
	return k
}

// firstRoom is where a join goes that names no room.
const firstRoom = "1"

// roomField is the default selector. What is no JSON object names no room, so
// that clients that send null or an empty array where no arguments are due are
// served like those that send an empty object.
func roomField(_ protocol.Serializer, body []byte) (string, error) {
	var named struct {
		Room json.RawMessage `json:"room"`
	}
	ok := json.Unmarshal(body, &named) == nil
	if !ok || len(named.Room) == 0 || string(named.Room) == "null" {
		return "", nil
	}
	if named.Room[0] != '"' {
		if named.Room[0] == '{' || named.Room[0] == '[' {
			return "", protocol.Errorf(protocol.CodeBadRequest, "room must be a string or a number")
		}
		return string(named.Room), nil
	}
	var id string
	if err := protocol.JSON.Unmarshal(named.Room, &id); err != nil {
		return "", err
	}
	return id, nil
}
