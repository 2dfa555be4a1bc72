package rooms

import "github.com/shaddock-game/shaddock/protocol"

// closedRoute is what members are pushed when their room closes.
const closedRoute = "onRoomClosed"

// Closed is the push onRoomClosed, the last thing that a room says to those in
// it. It is JSON whatever the kind's serializer is, like the body of a kick.
type Closed struct {
	Kind   string `json:"kind"`
	Room   string `json:"room"`
	Code   int    `json:"code"`   // of the protocol.Reason
	Reason string `json:"reason"` // for the player: the text of CloseWith, or of the reason
}

// farewell tells the members that the room closes.
func (st *state) farewell() {
	k := *st.kind
	k.serializer, k.text = protocol.JSON, nil
	text := st.text
	if text == "" {
		text = st.why.Text()
	}
	f, err := encode(&k, closedRoute, &Closed{Kind: k.name, Room: st.id, Code: st.why.Code(), Reason: text})
	if err != nil {
		st.unwritable(closedRoute, err)
		return
	}
	st.out.broadcast(f, 1, nil)
}
