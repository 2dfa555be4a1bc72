package rooms

import (
	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
)

// simOutlet is the outlet of a Sim: what the room says is kept with the players.
type simOutlet Sim

func (o *simOutlet) join(m *Member)  { o.players[m.id].seated = true }
func (o *simOutlet) leave(m *Member) { o.players[m.id].seated = false }
func (*simOutlet) close()            {}
func (*simOutlet) setMerge(Merge)    {}

func (o *simOutlet) answer(m *Member, a actors.Answer) {
	if a.Token != (actors.Token{}) { // others only tell a session that it has left
		o.players[m.id].answer = &a
	}
}

func (o *simOutlet) send(m *Member, f protocol.Frame) {
	p := o.players[m.id]
	if !p.seated {
		return
	}
	for rest := f.Payload(); len(rest) > 0; {
		pkt, after, err := protocol.CutPacket(rest, protocol.MaxPacketBody)
		if err != nil {
			panic("rooms: a frame of ours is no package: " + err.Error())
		}
		msg, err := protocol.ParseMessage(pkt.Body, nil)
		if err != nil {
			panic("rooms: a frame of ours is no message: " + err.Error())
		}
		p.pushes = append(p.pushes, SimPush{msg.Route, string(msg.Body)})
		rest = after
	}
}

func (o *simOutlet) multicast(ms []*Member, f protocol.Frame) {
	for _, m := range ms {
		o.send(m, f)
	}
}

func (*simOutlet) pending() (messages, bytes int) { return 0, 0 }

func (o *simOutlet) broadcast(f protocol.Frame, _ int, except *Member) {
	for _, m := range o.st.members {
		if m != except {
			o.send(m, f)
		}
	}
}
