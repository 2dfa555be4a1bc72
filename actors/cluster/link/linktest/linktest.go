// Package linktest is a network of links in memory, which loses, delays and cuts
// as a test wants it. Inside a synctest bubble its delays are fake time.
package linktest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// Net connects links by address. Its methods are usable from any goroutine.
type Net struct {
	// Delay is the time from any node to any other; set it before the first Add.
	Delay time.Duration

	state chan *netState // holds the state; whoever takes it owns it until it is put back
	lost  atomic.Int64
}

type netState struct {
	nodes   map[string]*station // by address
	rand    *rand.Rand
	trouble Trouble
	cut     map[[2]string]bool // pairs of addresses
}

// Trouble is what a network does to messages: the share of those that vanish, of
// those that arrive twice, and of those that arrive late, by up to By more than the
// others, and so behind messages that were sent after them.
type Trouble struct {
	Lost, Doubled, Late float64
	By                  time.Duration
}

// station is one address and the process that listens there.
type station struct {
	link  *link.Link
	id    string
	pipes map[string]chan delivery // by the sender's address: one way each, in order
	done  chan struct{}
}

type delivery struct {
	due  time.Time
	from link.Peer
	to   string // the boot it is for
	e    *wire.Envelope
}

// New returns a network without nodes. Seed decides what happens to messages.
func New(seed uint64) *Net {
	n := &Net{Delay: time.Millisecond, state: make(chan *netState, 1)}
	n.state <- &netState{
		nodes: make(map[string]*station), cut: make(map[[2]string]bool),
		rand: rand.New(rand.NewPCG(seed, 1)),
	}
	return n
}

func (n *Net) with(f func(s *netState)) {
	s := <-n.state
	defer func() { n.state <- s }()
	f(s)
}

// Add makes the link of a new process at an address. The caller registers what it
// receives, starts it and closes it.
func (n *Net) Add(id, addr string, configure func(*link.Config)) *link.Link {
	self := link.Peer{ID: id, Addr: addr}
	cfg := link.Config{Self: self, Carrier: carrier{n, self}}
	if configure != nil {
		configure(&cfg)
	}
	l := link.New(cfg)
	n.with(func(s *netState) {
		s.nodes[addr] = &station{link: l, id: id, pipes: make(map[string]chan delivery), done: make(chan struct{})}
	})
	return l
}

// Remove ends a process as kill -9 does: its address refuses connections, and
// whoever had one notices.
func (n *Net) Remove(addr string) {
	var rest []*link.Link
	n.with(func(s *netState) {
		close(s.nodes[addr].done)
		delete(s.nodes, addr)
		for a, st := range s.nodes {
			if !s.cut[pair(a, addr)] {
				rest = append(rest, st.link)
			}
		}
	})
	for _, l := range rest {
		l.Broken(addr)
	}
}

// Close ends all processes and waits for nothing; the links are closed by whoever
// made them.
func (n *Net) Close() {
	n.with(func(s *netState) {
		for addr, st := range s.nodes {
			close(st.done)
			delete(s.nodes, addr)
		}
	})
}

// Lose sets the share of messages that vanish without a word.
func (n *Net) Lose(share float64) { n.with(func(s *netState) { s.trouble.Lost = share }) }

// Trouble sets what happens to messages from now on.
func (n *Net) Trouble(t Trouble) { n.with(func(s *netState) { s.trouble = t }) }

// Lost returns how many have vanished.
func (n *Net) Lost() int64 { return n.lost.Load() }

// Cut swallows all between two addresses, silently, as a partition does.
func (n *Net) Cut(a, b string) { n.with(func(s *netState) { s.cut[pair(a, b)] = true }) }

// Join ends a cut.
func (n *Net) Join(a, b string) { n.with(func(s *netState) { delete(s.cut, pair(a, b)) }) }

// Break breaks the connection between two addresses: both sides notice, and what
// was on the way is lost.
func (n *Net) Break(a, b string) {
	var la, lb *link.Link
	n.with(func(s *netState) {
		if sa, sb := s.nodes[a], s.nodes[b]; sa != nil && sb != nil {
			la, lb = sa.link, sb.link
			n.drain(sa.pipes[b])
			n.drain(sb.pipes[a])
		}
	})
	if la != nil {
		la.Broken(b)
		lb.Broken(a)
	}
}

func (n *Net) drain(pipe chan delivery) {
	for {
		select {
		case <-pipe:
			n.lost.Add(1)
		default:
			return
		}
	}
}

func pair(a, b string) [2]string {
	if b < a {
		a, b = b, a
	}
	return [2]string{a, b}
}

type carrier struct {
	net  *Net
	self link.Peer
}

// Send implements link.Carrier. The envelope is copied as a real wire does, so
// that the race detector sees who changes it afterwards.
func (c carrier) Send(to link.Peer, e *wire.Envelope) {
	c.net.with(func(s *netState) {
		st, ok := s.nodes[to.Addr]
		if !ok || s.cut[pair(c.self.Addr, to.Addr)] || s.rand.Float64() < s.trouble.Lost {
			c.net.lost.Add(1)
			return
		}
		copies := 1
		if s.rand.Float64() < s.trouble.Doubled {
			copies = 2
		}
		for range copies {
			d := delivery{time.Now().Add(c.net.Delay), c.self, to.ID, proto.Clone(e).(*wire.Envelope)}
			if s.rand.Float64() < s.trouble.Late {
				d.due = d.due.Add(time.Duration(s.rand.Float64() * float64(s.trouble.By)))
				go c.net.deliver(st, d)
				continue
			}
			c.net.queue(st, c.self.Addr, d)
		}
	})
}

// queue adds to what is on the way from one address to a station.
func (n *Net) queue(st *station, from string, d delivery) {
	pipe, ok := st.pipes[from]
	if !ok {
		pipe = make(chan delivery, 1<<16)
		st.pipes[from] = pipe
		go n.carry(st, pipe)
	}
	select {
	case pipe <- d:
	default:
		panic("linktest: a link sent more than any window allows")
	}
}

// carry delivers what one peer sends to one station, in order.
func (n *Net) carry(st *station, pipe chan delivery) {
	for {
		select {
		case <-st.done:
			return
		case d := <-pipe:
			n.deliver(st, d)
		}
	}
}

// deliver hands a message over when it is due.
func (n *Net) deliver(st *station, d delivery) {
	if wait := time.Until(d.due); wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-st.done:
			return
		case <-t.C:
		}
	}
	if d.to != st.id {
		n.lost.Add(1) // for an earlier process at this address
		return
	}
	st.link.Receive(d.from, d.e)
}

// Forget implements link.Carrier: nothing is kept.
func (carrier) Forget(link.Peer) {}

// Probe implements link.Carrier.
func (c carrier) Probe(ctx context.Context, addr string) (err error) {
	cut := false
	c.net.with(func(s *netState) {
		if _, ok := s.nodes[addr]; !ok {
			err = fmt.Errorf("linktest: %s: %w", addr, syscall.ECONNREFUSED)
		}
		cut = s.cut[pair(c.self.Addr, addr)]
	})
	if cut {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// Dial is Probe for whoever is no link, seen from an address.
func (n *Net) Dial(from string) func(ctx context.Context, addr string) error {
	return carrier{n, link.Peer{Addr: from}}.Probe
}
