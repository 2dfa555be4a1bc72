package flow

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Two ends over a wire that loses, doubles, delays and refuses, against the promise:
// each message once, in order, or counted as lost, and nothing is lost that the ring
// holds.
func TestFlowModel(t *testing.T) {
	schedules := 2000
	if testing.Short() {
		schedules = 500
	}
	first := rand.Uint64()
	var sum model
	for i := range uint64(schedules) {
		m := model{seed: first + i}
		if m.run(); m.wrong != "" {
			t.Fatalf("seed %d: %s", m.seed, m.wrong)
		}
		sum.holes += m.holes
		sum.next += m.next
		sum.late += m.late
	}
	t.Logf("%d schedules: %d messages taken or given up, %d of them lost past the ring, %d packets overtaken", schedules, sum.next, sum.holes, sum.late)
	if sum.holes == 0 || sum.late == 0 {
		t.Error("the wire was too good")
	}
}

type packet struct {
	kind  byte // 'm'essage, 'h'ead, 'g'ive up, 'a'sk, 'k' ack
	place uint64
	body  string
}

// model is one schedule.
type model struct {
	seed        uint64
	rng         *rand.Rand
	out         Out
	in          In
	now         time.Time
	there, back []packet
	bad         float64 // share of packets that are refused, lost or doubled
	jumps       float64 // share of deliveries that are out of order
	next        uint64  // what the receiver must take next
	holes, late uint64
	wrong       string
}

func (m *model) run() {
	m.rng = rand.New(rand.NewPCG(m.seed, 3))
	m.out.Limits = Limits{Messages: 16 + m.rng.IntN(200), Bytes: 100 + m.rng.IntN(4000)}
	m.now, m.next = start, 1
	m.bad, m.jumps = m.rng.Float64()*0.5, m.rng.Float64()*0.3
	for range 1500 {
		switch m.rng.IntN(5) {
		case 0:
			m.push()
		case 4:
			if m.rng.IntN(10) == 0 {
				m.tick()
			}
		default:
			m.deliver()
		}
	}
	m.bad, m.jumps = 0, 0
	for range 20_000 {
		if m.out.Waiting() == 0 && len(m.there)+len(m.back) == 0 {
			break
		}
		m.deliver()
		m.tick()
	}
	m.settle()
}

func (m *model) settle() {
	o, s := &m.out, m.in.Stats()
	switch {
	case m.wrong != "":
	case o.Waiting() != 0 || m.in.Have() != o.Last() || m.next != o.Last()+1:
		m.wrong = fmt.Sprintf("%d wait at rest; has %d of %d, next %d", o.Waiting(), m.in.Have(), o.Last(), m.next)
	case s.Taken+s.Lost != o.Last() || s.Lost != m.holes:
		m.wrong = fmt.Sprintf("%d taken and %d lost of %d", s.Taken, s.Lost, o.Last())
	case m.holes > 0 && o.Limits.Messages >= int(o.Last()) && o.Limits.Bytes >= 4*int(o.Last()):
		m.wrong = fmt.Sprintf("%d lost, though the ring held everything", m.holes)
	}
}

func (m *model) send(q *[]packet, p packet) bool {
	switch luck := m.rng.Float64(); {
	case luck < m.bad/3:
		return false // refused
	case luck < 2*m.bad/3:
		return true // lost
	case luck < m.bad:
		*q = append(*q, p)
	}
	*q = append(*q, p)
	return true
}

// pop takes the next packet, or one that overtakes it.
func (m *model) pop(q *[]packet) packet {
	i := 0
	if m.rng.Float64() < m.jumps {
		if i = m.rng.IntN(len(*q)); i > 0 {
			m.late++
		}
	}
	p := (*q)[i]
	*q = slices.Delete(*q, i, i+1)
	return p
}

func (m *model) push() {
	body := fmt.Append(nil, m.out.Last()+1)
	place, ok := m.out.Push(m.now, body)
	if ok && !m.send(&m.there, packet{'m', place, string(body)}) {
		m.out.Refused()
	}
}

func (m *model) deliver() {
	if len(m.there) > 0 {
		m.receive(m.pop(&m.there))
	}
	if len(m.back) == 0 {
		return
	}
	p := m.pop(&m.back)
	if p.kind == 'k' {
		m.out.Ack(m.now, p.place)
		return
	}
	first, messages, lost := m.out.Ask(m.now, p.place)
	if lost {
		m.send(&m.there, packet{kind: 'g', place: first})
	}
	for i, body := range messages {
		if !m.send(&m.there, packet{'m', first + uint64(i), string(body)}) {
			m.out.Refused()
			break
		}
	}
}

func (m *model) receive(p packet) {
	switch p.kind {
	case 'm':
		if !m.in.Take(p.place) {
			break
		}
		if p.place != m.next || p.body != fmt.Sprint(m.next) {
			m.wrong = fmt.Sprintf("took %d %q, want %d", p.place, p.body, m.next)
		}
		m.next = p.place + 1
	case 'h':
		m.in.Head(p.place)
	case 'g':
		if lost := m.in.GiveUp(p.place); lost > 0 {
			m.next, m.holes = p.place, m.holes+lost
		}
	}
	if _, urgent := m.in.owes(); urgent {
		m.send(&m.back, packet{kind: 'k', place: m.in.Ack()})
	}
}

func (m *model) tick() {
	m.now = m.now.Add(time.Duration(m.rng.IntN(100)) * time.Millisecond)
	if last, probe, _ := m.out.Probe(m.now); probe {
		m.send(&m.there, packet{kind: 'h', place: last})
	}
	if place, ask, _ := m.in.Ask(m.now); ask {
		m.send(&m.back, packet{kind: 'a', place: place})
	}
	if soon, _ := m.in.owes(); soon {
		m.send(&m.back, packet{kind: 'k', place: m.in.Ack()})
	}
}
