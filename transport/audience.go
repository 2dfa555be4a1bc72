package transport

import "github.com/shaddock-game/shaddock/protocol"

// Audience is the fan-out port of one room on this gate: its members, grouped
// by the loops they live on. All methods are called by one goroutine at a time
// and never block; each costs at most one wake-up per loop.
//
// What one audience sends to one connection arrives in the order of the calls.
// A connection that ends leaves by itself; leaving twice or joining twice is
// harmless. The zero value is not usable; see Server.NewAudience.
type Audience struct{}

// Join makes c a member: it gets every broadcast called from now on, and none
// called before, however many of those are still being written.
func (a *Audience) Join(c *Conn) {}

// Leave ends c's membership. Broadcasts called before still reach it.
func (a *Audience) Leave(c *Conn) {}

// Send writes f to c alone, member or not.
func (a *Audience) Send(c *Conn, f protocol.Frame) {}

// Reply hands v to c's receiver, after everything that was sent to c before,
// and holds back what audiences send to c afterwards until Conn.Resume.
func (a *Audience) Reply(c *Conn, v any) {}

// Multicast writes f to the given members. cs belongs to the audience from now
// on. done, if not nil, is called once on some loop, as with Broadcast; a
// connection that is not a member counts as dropped.
func (a *Audience) Multicast(cs []*Conn, f protocol.Frame, done func(sent, dropped int)) {}

// Broadcast writes f to every member but except (nil: to all). done, if not
// nil, is called once on some loop and must not block: sent members have f in
// their socket or queue, dropped ones had ended. Text members for which f has
// no text are in neither count.
func (a *Audience) Broadcast(f protocol.Frame, except *Conn, done func(sent, dropped int)) {}

// Close makes everyone leave, after what was sent before. An audience that is
// closed does nothing.
func (a *Audience) Close() {}
