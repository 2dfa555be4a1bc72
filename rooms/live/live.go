// Package live is a room for a large audience: everyone sees what anyone says, as
// messages that fly over a video do. Members join, leave and send; a push API tells
// rooms what comes from elsewhere.
//
//	live.join  {"room":"r","history":20}   → {"code":0,"result":"success","room":"r","count":3,"history":[…]}
//	live.send  {"name":"ann","content":"hi"}   request or notify; to all: push onMessage, the same two fields
//	live.leave {}
//	push onMessage   one message, as it was sent or posted
//	push onCount     {"count":3}, members of the room, at most once a second
//
// Whoever is in a live room is also in the one room of kind everyone, which carries
// what is posted to all; everyone.join enters that alone.
//
// The same rooms serve JSON text endpoints, see Codec.
//
// # Limits
//
// A member may send Config.Rate messages a second: more are refused with 429. A room
// says no more than Config.Pace bytes a second, because a burst would look to good
// readers' connections as if they were slow ones, and takes messages only while fewer
// than Config.Budget bytes of them wait or are on their way: more are refused with 503, so that overload shows at the sender and not
// as memory. What a room has taken reaches each member or is counted as dropped.
package live

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// The kinds of rooms of this package.
const (
	RoomKind     = "live"
	EveryoneKind = "everyone"
)

// Everyone is the room whose members are all who watch anything.
var Everyone = rooms.Key{Kind: EveryoneKind, ID: "1"}

// Config says how live rooms behave. The zero value works; zero is the default
// and negative is off.
type Config struct {
	Window   time.Duration // in which messages are merged, 50 ms; the first after silence leaves at once
	Batch    int           // messages that end a window early, 1000
	Bytes    int           // bytes that end a window early, 48 KiB, which is also the most there may be
	Rate     int           // messages a second and member, 5; twice as many at once
	Content  int           // bytes of a member's message and name together, 1024
	History  int           // messages that a room remembers for those who come later, 50
	PerUser  int           // rooms that one session may be in, 5
	Budget   int           // bytes on their way to the members of one room, 6 MiB
	Pace     int           // bytes a second that a room says to each member, 2 MiB; what is more waits, within the budget
	Burst    int           // bytes that it may say at once after a pause, 128 KiB: half of what a connection may hold
	Lossy    bool          // drop the oldest messages for a member that is too slow, instead of closing it
	Counting time.Duration // between two pushes of onCount, 1 s
}

// maxMerge is how long a merged message may get: JavaScript clients break on much
// longer ones.
const maxMerge = 48 << 10

func (c *Config) setDefaults() {
	or(&c.Window, 50*time.Millisecond)
	or(&c.Batch, 1000)
	or(&c.Bytes, maxMerge)
	c.Bytes = min(c.Bytes, maxMerge)
	or(&c.Rate, 5)
	or(&c.Content, 1024)
	or(&c.History, 50)
	or(&c.PerUser, 5)
	or(&c.Budget, 6<<20)
	or(&c.Pace, 2<<20)
	or(&c.Burst, 128<<10)
	c.Burst = max(c.Burst, atOnce)
	or(&c.Counting, time.Second)
}

// or resolves a setting: zero is the default, negative is off, which is 0.
func or[T int | time.Duration](field *T, value T) {
	switch {
	case *field == 0:
		*field = value
	case *field < 0:
		*field = 0
	}
}

// Live is the live rooms of one server: their kinds and what they count.
type Live struct {
	cfg   Config
	kinds []rooms.Kind
	stats counters
}

// New returns the live rooms for Kinds to be installed.
func New(cfg Config) *Live {
	cfg.setDefaults()
	l := &Live{cfg: cfg}
	l.kinds = l.makeKinds()
	return l
}

// Kinds returns what has to be installed: live rooms, and the room of everyone.
func (l *Live) Kinds() []rooms.Kind { return slices.Clone(l.kinds) }

// joinMailbox is how many calls may wait for a room: an audience comes all at once.
const joinMailbox = 1 << 16

func (l *Live) makeKinds() []rooms.Kind {
	merge := rooms.Merge{Every: l.cfg.Window, Count: l.cfg.Batch, Bytes: l.cfg.Bytes, Lossy: l.cfg.Lossy}
	live := rooms.KindOf(RoomKind,
		rooms.OnInit(func(r *Room, _ *rooms.Ctx) error { return r.init(l) }),
		rooms.OnJoin((*Room).Join),
		rooms.OnRequest("send", (*Room).Send),
		rooms.OnLeave((*Room).Leave),
		rooms.OnTold((*Room).Post),
		rooms.OnClose((*Room).close),
	)
	everyone := rooms.KindOf(EveryoneKind,
		rooms.OnInit(func(r *everyone, _ *rooms.Ctx) error { return r.init(l) }),
		rooms.OnJoin((*everyone).join),
		rooms.OnTold((*everyone).post),
		rooms.OnClose((*everyone).close),
	).RoomOf(func(protocol.Serializer, []byte) (string, error) { return Everyone.ID, nil })
	kinds := []rooms.Kind{live.PerSession(l.cfg.PerUser).Also(Everyone), everyone}
	for i, k := range kinds {
		kinds[i] = k.Serializer(protocol.JSON).Text(pushText).Mailbox(joinMailbox).OnPanic(rooms.PanicContinue).Merge(merge)
	}
	return kinds
}

// counters are what live rooms count, over all of them.
type counters struct {
	Rooms, Waiting         atomic.Int64
	Sent, Limited, Refused atomic.Int64
	Room, RoomFail         atomic.Int64
	All, AllFail           atomic.Int64
}

// Stats is a snapshot of what live rooms count. A message is one item, whatever
// the size of the audience.
type Stats struct {
	Rooms      int64 // active now, but for the one of everyone
	Waiting    int64 // messages that were taken and are not said yet
	Sent       int64 // messages of members that were taken
	Limited    int64 // messages of members over their rate
	Overloaded int64 // messages of members that an overloaded room refused
	Room, All  int64 // posted messages that rooms, and the room of everyone, have taken
	RoomFailed int64 // posted messages that a room refused
	AllFailed  int64 // posted messages that the room of everyone refused
}

// Stats returns the counters as they are now.
func (l *Live) Stats() Stats {
	c := &l.stats
	return Stats{
		Rooms: c.Rooms.Load(), Waiting: c.Waiting.Load(), Sent: c.Sent.Load(), Limited: c.Limited.Load(), Overloaded: c.Refused.Load(),
		Room: c.Room.Load(), All: c.All.Load(), RoomFailed: c.RoomFail.Load(), AllFailed: c.AllFail.Load(),
	}
}
