package rooms_test

import (
	"fmt"
	"strconv"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/rooms"
)

// Home is a room of one user.
type Home struct{}

// Door answers home.join.
type Door struct {
	Room string `json:"room"`
}

// Join implements the join of a home.
func (*Home) Join(c *rooms.Ctx, _ *rooms.Member, _ *rooms.Anything) (*Door, error) {
	return &Door{c.ID()}, nil
}

// homeKind sends each user home: a join that names no room is for the user's own.
func homeKind() rooms.Kind {
	return rooms.KindOf("home", rooms.OnJoin((*Home).Join)).RoomBy(func(c *actors.Ctx) (string, error) {
		if c.UID() == "" {
			return "", protocol.Errorf(protocol.CodeUnauthenticated, "log in first")
		}
		return c.UID(), nil
	})
}

// byUser spreads homes over the nodes by the number of their user.
func byUser(home rooms.Key, nodes []rooms.Node) string {
	uid, err := strconv.Atoi(home.ID)
	if err != nil {
		return "" // a guest: wherever there is least to do
	}
	return nodes[uid%len(nodes)].ID
}

// Users to nodes by uid, the custom route of a game: RoomBy gives each user a room
// of its own, Place a node to each room. Nothing else decides where a user's game
// runs, and any gate gets there.
func ExampleKind_Place() {
	_ = homeKind().Place(byUser) // for Config.Rooms

	nodes := []rooms.Node{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	for _, uid := range []string{"41", "42", "43", "44"} {
		fmt.Println(uid, byUser(rooms.Key{Kind: "home", ID: uid}, nodes))
	}
	// Output:
	// 41 c
	// 42 a
	// 43 b
	// 44 c
}
