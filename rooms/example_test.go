package rooms_test

import (
	"fmt"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// Nim is one table: two players take one to three stones of a pile in turn, and
// whoever takes the last one loses.
type Nim struct {
	stones int
	next   *rooms.Member // whose turn it is; nil until both are here
}

// Seat answers nim.join.
type Seat struct {
	Table string `json:"table"`
}

// Take is the body of nim.take.
type Take struct {
	Stones int `json:"stones"`
}

// Turn is the push onTurn.
type Turn struct {
	Stones int    `json:"stones"` // left
	Next   string `json:"next"`   // who is to take some, within 30 s
}

// Join seats m. The second player gets the game going, but not before being told
// that it is in: hence a timer, though one that is due at once.
func (n *Nim) Join(c *rooms.Ctx, m *rooms.Member, _ *rooms.Empty) (*Seat, error) {
	if c.Count() == 1 {
		n.stones = 9 + c.Rand().IntN(4)
		c.After(0, func(c *rooms.Ctx) { n.pass(c, c.Members()[0]) })
	}
	return &Seat{Table: c.ID()}, nil
}

// Take answers an error to whoever does not keep to the rules.
func (n *Nim) Take(c *rooms.Ctx, m *rooms.Member, t *Take) (*rooms.Empty, error) {
	switch {
	case m != n.next:
		return nil, protocol.Errorf(protocol.CodeConflict, "it is not your turn")
	case t.Stones < 1 || t.Stones > min(3, n.stones):
		return nil, protocol.Errorf(protocol.CodeBadRequest, "take one to three stones")
	}
	if n.stones -= t.Stones; n.stones == 0 {
		c.CloseWith(protocol.ReasonOver, m.UID()+" took the last stone")
		return nil, nil
	}
	for _, other := range c.Members() {
		if other != m {
			n.pass(c, other)
		}
	}
	return nil, nil
}

// pass gives the turn to m, who loses by letting its time run out.
func (n *Nim) pass(c *rooms.Ctx, m *rooms.Member) {
	n.next = m
	c.Broadcast("onTurn", Turn{n.stones, m.UID()})
	stones := n.stones
	c.After(30*time.Second, func(c *rooms.Ctx) {
		if n.stones == stones { // it has not moved: the pile only shrinks
			c.CloseWith(protocol.ReasonOver, m.UID()+" fell asleep")
		}
	})
}

// Leave ends a game that has begun.
func (n *Nim) Leave(c *rooms.Ctx, m *rooms.Member, _ protocol.Reason) {
	if n.next != nil {
		c.CloseWith(protocol.ReasonOver, m.UID()+" ran away")
	}
}

// NimKind serves nim.join, nim.take and nim.leave. A join finds a table where
// somebody waits, or opens one.
func NimKind() rooms.Kind {
	return rooms.KindOf("nim",
		rooms.OnJoin((*Nim).Join),
		rooms.OnRequest("take", (*Nim).Take),
		rooms.OnLeave((*Nim).Leave),
	).Seats(2).Match()
}

// Your first room: a game from end to end, and a test that plays it. To serve it:
//
//	app.Run(ctx, app.Config{Rooms: []rooms.Kind{nim.Kind()}, Out: os.Stdout})
func Example_yourFirstRoom() {
	table, err := rooms.NewSim(NimKind(), rooms.SimConfig{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	ann, bob := table.Connect("ann"), table.Connect("bob")
	fmt.Println(ann.Join(`{}`))
	fmt.Println(bob.Join(`{}`))
	table.Advance(0) // what is due at once

	fmt.Println(bob.Request("take", `{"stones":2}`))
	fmt.Println(ann.Request("take", `{"stones":7}`))
	fmt.Println(ann.Request("take", `{"stones":3}`))
	fmt.Println(ann.Pushes())

	table.Advance(time.Minute)
	fmt.Println(bob.Pushes())
	// Output:
	// {"table":"1"} <nil>
	// {"table":"1"} <nil>
	//  it is not your turn (code 409)
	//  take one to three stones (code 400)
	// {} <nil>
	// [onTurn {"stones":12,"next":"ann"} onTurn {"stones":9,"next":"bob"}]
	// [onTurn {"stones":12,"next":"ann"} onTurn {"stones":9,"next":"bob"} onRoomClosed {"kind":"nim","room":"1","code":17,"reason":"bob fell asleep"}]
}
