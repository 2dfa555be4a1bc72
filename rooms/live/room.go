package live

import (
	"encoding/json"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// The routes of the pushes.
const (
	OnMessage = "onMessage"
	OnCount   = "onCount"
)

// Room is one live room.
type Room struct {
	live    *Live
	out     outbox
	history history
	counted time.Time // when the count was pushed last
	count   *rooms.Timer
}

// JoinRequest asks to enter the room that the field "room" of the body names.
type JoinRequest struct {
	History int `json:"history"` // how many of the last messages to return
}

// JoinReply tells the newcomer that it is in. Whatever is pushed afterwards is
// not in History, and nothing lies between the two.
type JoinReply struct {
	Code    int               `json:"code"`
	Result  string            `json:"result"`
	Room    string            `json:"room"`
	Count   int               `json:"count"` // members, the newcomer included
	History []json.RawMessage `json:"history"`
}

// Message is what a member sends, and what all get.
type Message struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// Count tells how many members there are.
type Count struct {
	Count int `json:"count"`
}

func (r *Room) init(l *Live) error {
	r.live, r.out = l, newOutbox(&l.cfg, &l.stats.Waiting)
	r.history.limit = l.cfg.History
	r.out.history = &r.history
	l.stats.Rooms.Add(1)
	return nil
}

func (r *Room) close(c *rooms.Ctx, _ protocol.Reason) {
	r.out.drain(c)
	r.live.stats.Rooms.Add(-1)
}

// Join lets everybody in.
func (r *Room) Join(c *rooms.Ctx, _ *rooms.Member, req *JoinRequest) (*JoinReply, error) {
	r.changed(c)
	return &JoinReply{Result: "success", Room: c.ID(), Count: c.Count() + 1, History: r.history.last(req.History)}, nil
}

// Leave only changes the count.
func (r *Room) Leave(c *rooms.Ctx, _ *rooms.Member, _ protocol.Reason) { r.changed(c) }

// Send passes a member's message on to all, the sender included.
func (r *Room) Send(c *rooms.Ctx, m *rooms.Member, msg *Message) (*rooms.Empty, error) {
	cfg := &r.live.cfg
	if len(msg.Content)+len(msg.Name) > cfg.Content && cfg.Content > 0 {
		return nil, protocol.Errorf(protocol.CodeBadRequest, "a message may have %d bytes", cfg.Content)
	}
	if !r.mayTalk(c, m) {
		r.live.stats.Limited.Add(1)
		return nil, protocol.Errorf(protocol.CodeLimited, "%d messages a second are enough", cfg.Rate)
	}
	body, err := protocol.JSON.Append(nil, msg)
	if err != nil {
		return nil, err
	}
	if err := r.out.push(c, words{OnMessage, [][]byte{body}, 0}); err != nil {
		r.live.stats.Refused.Add(1)
		return nil, err
	}
	r.live.stats.Sent.Add(1)
	return nil, nil
}

// talk is the attribute that holds a member's allowance.
const talk = "talk"

func (r *Room) mayTalk(c *rooms.Ctx, m *rooms.Member) bool {
	rate := float64(r.live.cfg.Rate)
	if rate <= 0 {
		return true
	}
	b, ok := rooms.Attr[*allowance](m, talk)
	if !ok {
		b = &allowance{left: 2 * rate, at: c.Now()}
		m.Set(talk, b)
	}
	return b.take(c.Now(), rate)
}

var errOverload = protocol.Errorf(protocol.CodeUnavailable, "too many messages are on their way already")

// changed has the count pushed, soon but not more often than once a second.
func (r *Room) changed(c *rooms.Ctx) {
	every := r.live.cfg.Counting
	if r.count != nil || every <= 0 {
		return
	}
	r.count = c.After(r.counted.Add(every).Sub(c.Now()), func(c *rooms.Ctx) {
		r.count, r.counted = nil, c.Now()
		c.Broadcast(OnCount, Count{c.Count()}, rooms.Latest(countKey))
	})
}

// countKey makes a newer count take the place of an older one that still waits.
const countKey = 1
