package swarm

import (
	"fmt"
	"strconv"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// The metrics, by number in a sheet.
const (
	metricConnect = iota
	metricHandshake
	metricRequest
	metricPush
	numMetrics
)

var metricNames = [numMetrics]string{"connect", "handshake", "request", "push"}

// session is one connection. Its shard's loop owns it, but for write.
type session struct {
	// Set at birth, read-only afterwards.
	shard  *shard
	number uint32
	room   uint32
	conn   *transport.Conn

	// Owned by the loop.
	began  int64 // when the step under way began
	beat   time.Duration
	inbox  measure.Inbox
	ready  bool
	closed bool
}

// Connected implements transport.ClientReceiver.
func (s *session) Connected(time.Time) {}

// Opened implements transport.ClientReceiver.
func (s *session) Opened(now time.Time) {
	s.shard.dialing.Lock() // Dial may not have returned the connection yet
	conn := s.conn
	s.shard.dialing.Unlock()
	at := s.shard.swarm.clock.Of(now)
	s.shard.sheet.Metrics[metricConnect].Record(at - s.began)
	s.began = at
	b := protocol.AppendHeadroom(nil)
	b, mark := protocol.BeginPacket(b, protocol.Handshake)
	b = append(b, `{"sys":{"type":"shaddock-bot","version":"1"},"user":{}}`...)
	conn.Write(protocol.EndPacket(b, mark))
}

// Packet implements transport.Receiver.
func (s *session) Packet(p protocol.Packet, c *protocol.Chunk) {
	sh := s.shard
	sh.sheet.Add(measure.PackagesIn, 1)
	sh.sheet.Add(measure.BytesIn, len(p.Body))
	switch p.Type {
	case protocol.Handshake:
		s.welcome(p.Body)
	case protocol.Data:
		s.message(p.Body)
	}
	if c != nil {
		c.Release()
	}
}

// Batch implements transport.Receiver; packages are dealt with as they come.
func (s *session) Batch() {}

func (s *session) welcome(body []byte) {
	now := s.shard.swarm.clock.Now()
	res, err := protocol.ParseHandshakeResponse(body)
	if err != nil || res.Code != protocol.CodeOK {
		s.shard.sheet.Metrics[metricHandshake].Fail(fmt.Sprint(int(res.Code)))
		s.conn.Close(protocol.ReasonHandshakeRefused)
		return
	}
	s.shard.sheet.Metrics[metricHandshake].Record(now - s.began)
	s.shard.sheet.Add(measure.Opened, 1)
	s.began = now
	b := protocol.AppendPacket(protocol.AppendHeadroom(nil), protocol.HandshakeAck, nil)
	if s.shard.swarm.cfg.Scenario == "chat" {
		b = appendMessage(b, protocol.Message{Type: protocol.Request, ID: 1, Route: "room.join", Body: []byte(`{"room":"` + strconv.Itoa(int(s.room)) + `"}`)})
	} else {
		s.arrive()
	}
	s.conn.Write(b)
	if s.beat = res.Heartbeat; s.beat > 0 {
		s.conn.Timer(time.Now().Add(s.beat))
	}
}

// arrive counts a session that is where its scenario wants it.
func (s *session) arrive() {
	s.ready = true
	s.shard.swarm.ready.Add(1)
}

func (s *session) message(body []byte) {
	sh := s.shard
	m, err := protocol.ParseMessage(body, sh.swarm.routes)
	if err != nil {
		sh.sheet.Metrics[metricPush].Fail("malformed")
		return
	}
	switch {
	case m.Type == protocol.Response && !s.ready:
		s.joined(&m)
	case m.Type == protocol.Response:
		s.answered(&m)
	case m.Type == protocol.Push:
		sh.sheet.Add(measure.Pushes, 1)
		s.pushed(m.Body)
	}
}

func (s *session) joined(m *protocol.Message) {
	if m.Error {
		s.shard.sheet.Metrics[metricRequest].Fail("join")
		return
	}
	s.inbox.Join(s.shard.swarm.ledger, s.room, s.shard.swarm.clock.Now())
	s.arrive()
}

// answered is for echo: the body carries the moment at which it was planned.
func (s *session) answered(m *protocol.Message) {
	mark, _, ok := measure.CutMark(m.Body)
	if m.Error || !ok || mark.Sender != s.number {
		s.shard.sheet.Metrics[metricRequest].Fail("wrong answer")
		return
	}
	s.shard.arrived.Add(1)
	s.shard.sheet.Metrics[metricRequest].Record(s.shard.swarm.now() - mark.Planned)
}

// pushed accounts for one delivery. It runs for every message to every member.
func (s *session) pushed(body []byte) {
	mark, _, ok := measure.CutMark(body)
	if !ok {
		s.shard.noise.Add(1) // who came and who went
		return
	}
	sh := s.shard
	if mark.Run != sh.swarm.run || mark.Room != s.room || !s.inbox.Member() {
		sh.sheet.Add(measure.Strangers, 1)
		return
	}
	switch s.inbox.Receive(mark, 0) {
	case measure.Repeated:
		sh.sheet.Add(measure.Duplicated, 1)
		return // must not stand in for one that is still on its way
	case measure.Reordered:
		sh.sheet.Add(measure.OutOfOrder, 1)
	}
	sh.arrived.Add(1)
	sh.sheet.Add(measure.Delivered, 1)
	sh.sheet.Metrics[metricPush].Record(sh.swarm.now() - mark.Planned)
}

// Tick implements transport.Receiver: the heartbeat.
func (s *session) Tick(now time.Time) {
	s.conn.Write(protocol.AppendPacket(protocol.AppendHeadroom(nil), protocol.Heartbeat, nil))
	s.conn.Timer(now.Add(s.beat))
}

// Reply implements transport.Receiver; there are no audiences here.
func (s *session) Reply(any) {}

// Closed implements transport.Receiver.
func (s *session) Closed(r protocol.Reason, _ error) {
	s.closed = true
	if s.shard.swarm.ending.Load() {
		return
	}
	s.shard.sheet.Add(measure.Dropped, 1)
	s.shard.swarm.lost.Add(1)
	if !s.ready {
		s.shard.sheet.Metrics[metricConnect].Fail(r.Name())
	}
}

// appendMessage appends a data package; the messages of the bot always fit.
func appendMessage(b []byte, m protocol.Message) []byte {
	b, mark := protocol.BeginPacket(b, protocol.Data)
	b, err := protocol.AppendMessage(b, m)
	if err != nil {
		panic(err) // a route of ours that is too long
	}
	return protocol.EndPacket(b, mark)
}
