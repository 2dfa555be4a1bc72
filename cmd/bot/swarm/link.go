package swarm

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/measure"
	"github.com/shaddock-game/shaddock/cmd/bot/scenario"
	"github.com/shaddock-game/shaddock/protocol"
	"github.com/shaddock-game/shaddock/transport"
)

// reasonDone is said to servers when we hang up.
const reasonDone = protocol.ReasonClientGone

// linkPhase is how far a connection has come.
type linkPhase uint8

const (
	linkDialing linkPhase = iota
	linkUpgrading
	linkShaking
	linkOpen
)

// link is one connection of a session, guarded by the session's lock. Calls for
// a link that is not the session's any more are late and mean nothing.
type link struct {
	session *session
	conn    *transport.Conn
	began   int64 // of the phase; of the first one, as planned
	phase   linkPhase
	bare    bool            // without a handshake
	stalled bool            // what arrives is not reported as done
	held    [2]int          // packages and bytes not reported
	kicked  protocol.Reason // what the server said before it closed
	leaveAt int64           // when to leave a server that stops; 0: it does not
	next    string          // where it sends us
}

// metric is what the phase is timed by.
func (l *link) metric() int {
	switch l.phase {
	case linkDialing:
		return scenario.MetricConnect
	case linkUpgrading:
		return scenario.MetricUpgrade
	case linkShaking:
		return scenario.MetricHandshake
	}
	return scenario.MetricDrop
}

// lock takes the session and the loop's hand; false: the link is not the
// session's any more, and nothing is held.
func (l *link) lock() (h *hand, ok bool) {
	s := l.session
	s.mu.Lock()
	if s.link != l {
		s.mu.Unlock()
		return nil, false
	}
	h = s.shard.hand
	h.mu.Lock()
	return h, true
}

func (l *link) unlock(h *hand) {
	h.mu.Unlock()
	l.session.mu.Unlock()
}

// pass ends a phase that went well.
func (l *link) pass(h *hand, now int64, next linkPhase) {
	l.session.record(h, l.metric(), l.began, now)
	l.phase, l.began = next, now
}

// Connected implements transport.ClientReceiver.
func (l *link) Connected(time.Time) {
	h, ok := l.lock()
	if !ok {
		return
	}
	defer l.unlock(h)
	next := linkUpgrading
	if !strings.HasPrefix(l.session.url, "ws") {
		next = linkShaking
	}
	l.pass(h, h.worker.clock.Now(), next)
}

// Opened implements transport.ClientReceiver.
func (l *link) Opened(time.Time) {
	h, ok := l.lock()
	if !ok {
		return
	}
	defer l.unlock(h)
	s, now := l.session, h.worker.clock.Now()
	if l.phase == linkUpgrading {
		l.pass(h, now, linkShaking)
	}
	if l.bare || h.worker.scen.Text {
		s.open(h, now, textPulse)
		return
	}
	h.packet(s, protocol.Handshake, s.hello(h, now))
}

// hello writes the handshake into the hand's second buffer.
func (s *session) hello(h *hand, now int64) []byte {
	req := protocol.HandshakeRequest{Type: "shaddock-bot", Version: "1"}
	user := h.worker.user
	if user == nil {
		user = s.kind.User
	}
	if user != nil {
		h.speak(s, now)
		req.User = user.Append(nil, &h.env)
	}
	h.body = protocol.AppendHandshake(h.body[:0], &req)
	return h.body
}

// open is reached when messages may flow.
func (s *session) open(h *hand, now int64, beat time.Duration) {
	s.link.phase = linkOpen
	h.sums.open++
	h.sheet.Add(measure.Opened, 1)
	if s.opened {
		h.sheet.Add(measure.Reconnects, 1)
	}
	s.opened = true
	if !s.link.bare {
		s.pulse.begin(beat, now)
	}
	s.resume(h, now)
}

// welcome takes the server's answer to the handshake.
func (s *session) welcome(h *hand, body []byte, now int64) {
	if s.link.phase != linkShaking {
		return
	}
	res, err := protocol.ParseHandshakeResponse(body)
	if err != nil || res.Code != protocol.CodeOK {
		h.worker.report("handshake refused: " + string(body))
		s.fault(h, scenario.MetricHandshake, strconv.Itoa(int(res.Code)))
		s.hangUp(h)
		s.abort(h, now)
		return
	}
	s.link.pass(h, now, linkOpen)
	h.worker.learn(res.Routes)
	h.packet(s, protocol.HandshakeAck, nil)
	s.open(h, now, res.Heartbeat)
}

// record times something that was planned for from.
func (s *session) record(h *hand, metric int, from, now int64) {
	if s.kind.Outlaw {
		return
	}
	if s.stage == inSetup || from >= h.worker.measureFrom.Load() {
		h.sheet.Metrics[metric].Record(now - from)
	}
}

// Packet implements transport.Receiver.
func (l *link) Packet(p protocol.Packet, c *protocol.Chunk) {
	if h, ok := l.lock(); ok {
		h.sheet.Add(measure.PackagesIn, 1)
		h.sheet.Add(measure.BytesIn, len(p.Body))
		l.session.packet(h, p)
		l.unlock(h)
	}
	if c != nil {
		c.Release()
	}
	if l.session.shard.worker.scen.Stops {
		l.done(len(p.Body))
	}
}

// packet deals with one package.
func (s *session) packet(h *hand, p protocol.Packet) {
	now := h.worker.clock.Now()
	switch {
	case h.worker.scen.Text:
		s.text(h, p.Body, now)
	case p.Type == protocol.Data:
		s.message(h, p.Body, now)
	case p.Type == protocol.Heartbeat:
		s.pulse.heard(h, now)
	case p.Type == protocol.Handshake:
		s.welcome(h, p.Body, now)
	case p.Type == protocol.Kick:
		var kick struct{ Code uint8 }
		_ = json.Unmarshal(p.Body, &kick) // other servers have no code: 0 is "none"
		s.link.kicked = protocol.Reason(kick.Code)
	}
}

// done reports a package as dealt with, unless the session stalls.
func (l *link) done(bytes int) {
	l.session.mu.Lock()
	defer l.session.mu.Unlock()
	if l.stalled {
		l.held[0]++
		l.held[1] += bytes
		return
	}
	l.conn.Done(1, bytes)
}

// read ends a stall.
func (l *link) read() {
	l.stalled = false
	l.conn.Done(l.held[0], l.held[1])
	l.held = [2]int{}
}

// Batch implements transport.Receiver; packages are dealt with as they come.
func (l *link) Batch() {}

// Tick implements transport.Receiver; the bot has timers of its own.
func (l *link) Tick(time.Time) {}

// Reply implements transport.Receiver; there are no audiences here.
func (l *link) Reply(any) {}

// Closed implements transport.Receiver.
func (l *link) Closed(r protocol.Reason, cause error) {
	h, ok := l.lock()
	if !ok {
		return
	}
	defer l.unlock(h)
	if h.worker.ending.Load() {
		return
	}
	s, now := l.session, h.worker.clock.Now()
	awaited := s.wait == forEnd
	for i := range s.asked {
		s.fault(h, s.asked[i].op.Metric, "closed")
	}
	metric, phase := l.metric(), l.phase
	s.unlink(h)
	if awaited {
		op := &s.ops[s.pc-1]
		s.record(h, op.Metric, s.due, now)
		s.inbox.Leave()
		s.resume(h, now)
		return
	}
	code := closeCode(l.kicked, r, cause)
	s.fault(h, metric, code)
	if !s.kind.Outlaw {
		if phase == linkOpen {
			h.sheet.Add(measure.Dropped, 1)
		}
		h.worker.report(metricWord[phase] + " " + s.url + ": " + code)
	}
	s.dropped(h, now)
}

var metricWord = [...]string{linkDialing: "connect to", linkUpgrading: "upgrade of", linkShaking: "handshake with", linkOpen: "dropped by"}

// dropped goes on without the connection.
func (s *session) dropped(h *hand, now int64) {
	if s.stage == atRest && h.worker.Reconnect {
		s.retry(h, now)
		return
	}
	if s.stage == atRest || s.stage == over {
		return
	}
	if s.wait == forTime || s.wait == forHTTP {
		return // the next step finds out
	}
	s.abort(h, now)
}

// closeCode says in a word why a connection ended.
func closeCode(kicked, r protocol.Reason, cause error) string {
	var upgrade *transport.UpgradeError
	var timeout net.Error
	switch {
	case kicked != protocol.ReasonNone:
		return kicked.Name()
	case errors.As(cause, &upgrade):
		return "http " + strconv.Itoa(upgrade.Status)
	case errors.Is(cause, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(cause, syscall.ECONNRESET), errors.Is(cause, syscall.EPIPE):
		return "reset"
	case errors.Is(cause, syscall.EADDRNOTAVAIL):
		return "no port left"
	case errors.Is(cause, context.DeadlineExceeded), errors.As(cause, &timeout) && timeout.Timeout(), r == protocol.ReasonHandshakeTimeout:
		return "timeout"
	case r == protocol.ReasonClientGone:
		return "closed"
	}
	return r.Name()
}
