package crowd

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// line is one connection of a caller. It is the transport's receiver: what happens
// goes into the caller's inbox. Its other methods are the caller's.
type line struct {
	gate string
	in   *inbox
	conn *transport.Conn

	// Owned by the caller.
	next        uint64 // request ids
	join, final uint64 // those of these requests
}

type lineWhat uint8

const (
	lineOpen lineWhat = iota
	lineMessage
	lineClosed
	toldToEnd
)

// lineEvent is something that happened to a line.
type lineEvent struct {
	line *line
	what lineWhat
	m    protocol.Message
	last bool // of toldToEnd
}

// newLine begins a connection, nil when the address makes no sense.
func newLine(client *transport.Client, gate, addr string, in *inbox) *line {
	l := &line{gate: gate, in: in}
	ready := &opening{line: l, up: make(chan struct{})}
	conn, err := client.Dial("ws://"+addr+"/nano", transport.DialOptions{}, ready)
	if err != nil {
		return nil
	}
	l.conn = conn
	close(ready.up)
	return l
}

// opening is a line as its connection sees it: the loop may call before Dial has
// returned what it calls for.
type opening struct {
	*line
	up chan struct{}
}

func (o *opening) Opened(time.Time) {
	<-o.up
	o.packet(protocol.Handshake, []byte(`{"sys":{"type":"chaos","version":"1"}}`))
}

func (l *line) Connected(time.Time) {}
func (l *line) Batch()              {}
func (l *line) Tick(time.Time)      {}
func (l *line) Reply(any)           {}

func (l *line) Closed(protocol.Reason, error) { l.in.put(lineEvent{line: l, what: lineClosed}) }

// Packet implements transport.Receiver.
func (l *line) Packet(p protocol.Packet, c *protocol.Chunk) {
	switch p.Type {
	case protocol.Handshake:
		l.packet(protocol.HandshakeAck, nil)
		l.in.put(lineEvent{line: l, what: lineOpen})
	case protocol.Heartbeat:
		l.packet(protocol.Heartbeat, nil)
	case protocol.Data:
		if m, err := protocol.ParseMessage(p.Body, nil); err == nil {
			m.Body = append([]byte(nil), m.Body...)
			l.in.put(lineEvent{line: l, what: lineMessage, m: m})
		}
	}
	if c != nil {
		c.Release()
	}
}

func (l *line) packet(typ protocol.PacketType, body []byte) {
	l.conn.Write(protocol.AppendPacket(protocol.AppendHeadroom(nil), typ, body))
}

// request sends a request and returns its id.
func (l *line) request(route string, body any) uint64 {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // numbers and strings
	}
	l.next++
	p, mark := protocol.BeginPacket(protocol.AppendHeadroom(nil), protocol.Data)
	p, err = protocol.AppendMessage(p, protocol.Message{Type: protocol.Request, ID: l.next, Route: route, Body: b})
	if err != nil {
		panic(err) // a short route
	}
	l.conn.Write(protocol.EndPacket(p, mark))
	return l.next
}

func (l *line) close() { l.conn.Close(protocol.ReasonClientGone) }

// inbox is what a caller has not taken in yet. It has no bound: a caller that does
// not keep up shows in its latencies.
type inbox struct {
	wake chan struct{}

	mu  sync.Mutex
	all []lineEvent
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (in *inbox) put(e lineEvent) {
	in.mu.Lock()
	in.all = append(in.all, e)
	in.mu.Unlock()
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

func (in *inbox) take() []lineEvent {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := in.all
	in.all = nil
	return all
}
