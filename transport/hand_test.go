package transport

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shaddock-game/shaddock/protocol"
)

// hand is a loop without a goroutine: a test turns it by hand and sets its clock,
// so that everything about walks happens in an order that the test chose.
type hand struct {
	t testing.TB
	*loop
	audience *Audience
}

func newHand(t testing.TB, set settings) *hand {
	t.Helper()
	if set.walkLimit == 0 {
		set.walkLimit = 8 << 20
	}
	if set.outLimit == 0 {
		set.outLimit = 256 << 10
	}
	e := &engine{settings: set, born: time.Now()}
	e.loops = []*loop{newLoop(e, 0, newChanPoller())}
	h := &hand{t: t, loop: e.loops[0]}
	h.now = 1
	h.audience = newAudience(e)
	return h
}

// turn does one turn's work for the audience, with that many writes at most.
func (h *hand) turn(budget int) int {
	for h.runOps() > 0 {
	}
	n := h.walk(budget)
	h.clockOut()
	return n
}

// at moves the clock to the given millisecond and does all that is to be done.
func (h *hand) at(ms int) {
	h.t.Helper()
	h.now = int64(ms)*1e6 + 1
	for i := 0; h.turn(turnWrites) > 0; i++ {
		if i > 1e5 {
			h.t.Fatal("the loop never comes to rest")
		}
	}
}

// open makes an open connection whose peer is the returned memory.
func (h *hand) open(kind connKind) (*Conn, *memory) {
	mem := &memory{kind: kind}
	c := newConn(h.loop, mem, noAddr)
	h.enter(c)
	c.kind, c.phase, c.recv = kind, phaseOpen, newProbe()
	h.load.Add(1)
	return c, mem
}

// crowd is n members of the audience.
func (h *hand) crowd(n int, kind connKind) (cs []*Conn, mems []*memory) {
	for range n {
		c, mem := h.open(kind)
		h.audience.Join(c)
		cs, mems = append(cs, c), append(mems, mem)
	}
	for h.runOps() > 0 {
	}
	return cs, mems
}

// say broadcasts a text to all but one.
func (h *hand) say(text string, except *Conn) {
	h.audience.Broadcast(saying(text), except, nil)
}

func saying(text string) protocol.Frame {
	return protocol.Frame{Packages: protocol.AppendPacket(protocol.AppendHeadroom(nil), protocol.Data, []byte(text)), Text: []byte(text)}
}

// memory is a socket that remembers what was written, message by message.
type memory struct {
	kind    connKind
	full    bool     // takes nothing
	dead    bool     // fails, as a socket whose peer has gone
	room    int      // when positive, how many bytes it still takes before it is full
	writes  int      // calls
	heard   []string // bodies of packages, or texts
	sizes   []int    // payload bytes of WebSocket messages
	pending []byte   // of a message that has not arrived whole
}

func (m *memory) attach(*Conn) error       { return nil }
func (m *memory) read([]byte) (int, error) { return 0, errAgain }
func (m *memory) watch(bool, bool)         {}
func (m *memory) shutdown()                {}
func (m *memory) close(bool)               {}

func (m *memory) write(b []byte) (int, error) {
	if m.dead {
		return 0, syscall.EPIPE
	}
	if m.full {
		return 0, errAgain
	}
	m.writes++
	n := len(b)
	if m.room > 0 {
		n = min(n, m.room)
		m.room -= n
		m.full = m.room == 0
	}
	m.pending = append(m.pending, b[:n]...)
	m.parse()
	if n < len(b) {
		return n, errAgain
	}
	return n, nil
}

func (m *memory) flush(entries []outEntry) (sum int, err error) {
	for i := range entries {
		n, err := m.write(entries[i].b)
		if sum += n; err != nil {
			return sum, err
		}
	}
	return sum, nil
}

func (m *memory) parse() {
	if m.kind == kindStream {
		m.pending = m.packages(m.pending)
		return
	}
	for {
		r := strings.NewReader(string(m.pending))
		head, err := ws.ReadHeader(r)
		if err != nil || int64(r.Len()) < head.Length {
			return
		}
		rest := m.pending[len(m.pending)-r.Len():]
		payload := rest[:head.Length]
		m.pending = rest[head.Length:]
		m.sizes = append(m.sizes, len(payload))
		switch {
		case head.OpCode == ws.OpText:
			m.heard = append(m.heard, string(payload))
		case head.OpCode == ws.OpBinary && len(m.packages(payload)) > 0:
			panic("a message ends inside a package")
		}
	}
}

// packages takes the whole packages off b.
func (m *memory) packages(b []byte) []byte {
	for len(b) > 0 {
		p, rest, err := protocol.CutPacket(b, protocol.MaxPacketBody)
		if err != nil {
			return b
		}
		m.heard = append(m.heard, string(p.Body))
		b = rest
	}
	return b
}

// wantHeard compares what one member heard with what it should have.
func wantHeard(t testing.TB, what string, m *memory, want ...string) {
	t.Helper()
	if !slices.Equal(m.heard, want) {
		t.Errorf("%s: heard %q, want %q", what, m.heard, want)
	}
}

// count returns "0" to "n-1".
func count(n int) (s []string) {
	for i := range n {
		s = append(s, fmt.Sprint(i))
	}
	return s
}
