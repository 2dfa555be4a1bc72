package app

import (
	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// audience lets actors, which know only the Wire they declare, use the fan-out
// port of the transport, which knows only its own connections. This server opens
// every session on a *transport.Conn, so the assertions cannot fail.
type audience struct{ port *transport.Audience }

func (a audience) Join(w actors.Wire)                   { a.port.Join(w.(*transport.Conn)) }
func (a audience) Leave(w actors.Wire)                  { a.port.Leave(w.(*transport.Conn)) }
func (a audience) Send(w actors.Wire, f protocol.Frame) { a.port.Send(w.(*transport.Conn), f) }
func (a audience) Reply(w actors.Wire, v any)           { a.port.Reply(w.(*transport.Conn), v) }
func (a audience) SetMerge(m actors.Merge)              { a.port.SetMerge(transport.Merge(m)) }
func (a audience) Close()                               { a.port.Close() }
func (a audience) Broadcast(f protocol.Frame, except actors.Wire, done func(sent, dropped int)) {
	c, _ := except.(*transport.Conn) // nil: to all
	a.port.Broadcast(f, c, done)
}

func (a audience) Multicast(ws []actors.Wire, f protocol.Frame, done func(sent, dropped int)) {
	cs := make([]*transport.Conn, len(ws))
	for i, w := range ws {
		cs[i] = w.(*transport.Conn)
	}
	a.port.Multicast(cs, f, done)
}
