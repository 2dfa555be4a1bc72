package directory

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

var modelSeed = flag.Uint64("model.seed", 0, "seed of the only run of the model test; 0: many")

// world is a few nodes' deeds around one store, driven by chance: questions to the
// store arrive late, fail, or succeed without an answer; leases lapse, live on or
// end; rooms end, are retired, stay. A host runs what it is told to run.
type world struct {
	t     *testing.T
	rand  *rand.Rand
	nodes []*worldNode
	keys  map[Key]store.Record
	next  uint64 // revision and lease
	log   []string
}

type worldNode struct {
	*deeds
	name    string
	lease   store.Lease // that the store knows; 0: ended
	pending []effect    // questions on their way
	running map[Key]*worldRoom
	asked   int
	replied int
}

type worldRoom struct {
	epoch     uint64
	suspended bool
	stopping  bool
}

func newWorld(t *testing.T, seed uint64, nodes int) *world {
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 2)), keys: make(map[Key]store.Record), next: 1}
	for i := range nodes {
		n := &worldNode{name: string(rune('a' + i)), running: make(map[Key]*worldRoom)}
		n.deeds = newDeeds(n.name, func(string) bool { return true })
		n.width = 2
		w.grant(n)
		w.nodes = append(w.nodes, n)
	}
	return w
}

func (w *world) logf(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, l := range w.log[max(0, len(w.log)-60):] {
		w.t.Log(l)
	}
	w.t.Fatalf(format, args...)
}

func (w *world) grant(n *worldNode) {
	w.next++
	n.lease = store.Lease(w.next)
	n.standing(true, n.lease)
}

func (w *world) step() {
	n := w.nodes[w.rand.IntN(len(w.nodes))]
	key := Key{"room", fmt.Sprint(w.rand.IntN(4))}
	room := n.running[key]
	switch what := w.rand.IntN(20); {
	case what < 5:
		n.asked++
		n.want(key, n.asked)
		w.logf("%s: want %s", n.name, key)
	case what < 12 && len(n.pending) > 0:
		w.deliver(n, w.rand.IntN(10))
	case what == 12 && n.held:
		w.logf("%s: not sure of its lease", n.name)
		n.standing(false, n.lease)
	case what == 13 && !n.held && n.lease != 0:
		w.logf("%s: its lease ends", n.name)
		w.expire(n)
	case what <= 15 && !n.held:
		if n.lease == 0 {
			w.grant(n)
		} else {
			n.standing(true, n.lease)
		}
		w.logf("%s: sure of lease %d", n.name, n.lease)
	case what == 16 && room != nil:
		w.logf("%s: %s ended by itself", n.name, key)
		w.end(n, key)
	case what == 17 && room != nil:
		n.retire(key, room.epoch)
	case what == 18 && room != nil && room.stopping:
		if r := n.rooms[key]; r != nil && !r.lost && !n.draining && w.rand.IntN(2) == 0 {
			room.stopping = false
			w.logf("%s: %s stays", n.name, key)
			n.stayed(key, room.epoch)
		} else {
			w.end(n, key)
		}
	}
	w.perform(n)
	w.check()
}

func (w *world) end(n *worldNode, key Key) {
	epoch := n.running[key].epoch
	delete(n.running, key)
	n.stopped(key, epoch)
}

// expire ends a lease in the store, which the node's hold has outlived by design.
func (w *world) expire(n *worldNode) {
	for key, rec := range w.keys {
		if rec.Lease == n.lease {
			delete(w.keys, key)
		}
	}
	n.lease = 0
}

// deliver carries one question to the store, and its answer back; luck below 2
// loses the answer, 2 the question.
func (w *world) deliver(n *worldNode, luck int) {
	i := w.rand.IntN(len(n.pending))
	e := n.pending[i]
	n.pending = slices.Delete(n.pending, i, i+1)
	err := errStore
	var rec store.Record
	if luck != 2 {
		rec, err = w.ask(n, e)
	}
	if luck < 2 {
		rec, err = store.Record{}, errStore
	}
	w.logf("%s: %v: @%d %v", n.name, e, rec.Epoch, err)
	if e.do == create {
		n.created(e.key, e.lease, rec, err)
	} else {
		n.removed(e.key, e.epoch, err)
	}
}

func (w *world) ask(n *worldNode, e effect) (store.Record, error) {
	have, there := w.keys[e.key]
	if e.do == remove {
		if there && have.Epoch == e.epoch {
			delete(w.keys, e.key)
		}
		return store.Record{}, nil
	}
	if there {
		return have, nil
	}
	if e.lease != n.lease {
		return store.Record{}, store.ErrNoLease
	}
	w.next++
	w.keys[e.key] = store.Record{Key: e.key.String(), Value: claim(n.name, n.name), Lease: e.lease, Epoch: w.next, Revision: w.next}
	return w.keys[e.key], nil
}

// perform is the host and the shell.
func (w *world) perform(n *worldNode) {
	for _, e := range n.out {
		room := n.running[e.key]
		if e.do != create && e.do != remove && e.do != answer {
			w.logf("%s: %v", n.name, e)
		}
		switch e.do {
		case create, remove:
			n.pending = append(n.pending, e)
		case start:
			if room != nil {
				w.fail("%s: %v while it runs @%d", n.name, e, room.epoch)
			}
			n.running[e.key] = &worldRoom{epoch: e.epoch}
		case suspend, resume, stop:
			if room == nil {
				continue // ended in this very moment
			}
			if room.epoch != e.epoch {
				w.fail("%s: %v, but it runs @%d", n.name, e, room.epoch)
			}
			switch e.do {
			case suspend:
				room.suspended = true
			case resume:
				room.suspended, room.epoch = false, e.next
			case stop:
				room.stopping = true
			}
		case answer:
			n.replied++
		}
	}
	n.out = n.out[:0]
}

// check is the promise: of the rooms with one key that answer, there is one at
// most, and it runs under the epoch that the store shows.
func (w *world) check() {
	answering := map[Key]string{}
	for _, n := range w.nodes {
		for key, room := range n.running {
			if room.suspended || !n.held {
				continue
			}
			if r := n.rooms[key]; r != nil && r.lost {
				continue // told to stop, and answers nothing: another has it
			}
			if other, twice := answering[key]; twice {
				w.fail("%s answers on %s and on %s", key, other, n.name)
			}
			answering[key] = n.name
			if have := w.keys[key]; have.Epoch != room.epoch {
				w.fail("%s answers on %s @%d, the store has @%d", key, n.name, room.epoch, have.Epoch)
			}
		}
	}
}

// settle lets all that is under way arrive, without any more bad luck.
func (w *world) settle() {
	for range 10_000 {
		busy := false
		for _, n := range w.nodes {
			if !n.held {
				if n.lease == 0 {
					w.grant(n)
				} else {
					n.standing(true, n.lease)
				}
			}
			for _, key := range []Key{{"room", "0"}, {"room", "1"}, {"room", "2"}, {"room", "3"}} {
				if room := n.running[key]; room != nil && room.stopping {
					w.end(n, key)
				}
			}
			w.perform(n)
			if len(n.pending) > 0 {
				busy = true
				w.deliver(n, 9)
				w.perform(n)
			}
			w.check()
		}
		if !busy {
			return
		}
	}
	w.fail("never comes to rest")
}

func TestDeedsModel(t *testing.T) {
	seeds := []uint64{*modelSeed}
	if *modelSeed == 0 {
		seeds = seeds[:0]
		for range 300 {
			seeds = append(seeds, rand.Uint64()) // printed when it matters
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			w := newWorld(t, seed, 3)
			for range 2000 {
				w.step()
			}
			w.settle()
			for _, n := range w.nodes {
				if n.asked != n.replied {
					w.fail("%s: %d asks, %d answers", n.name, n.asked, n.replied)
				}
				for key, r := range n.rooms {
					if r.phase != active || n.running[key] == nil {
						w.fail("%s: %s is %v at rest, running: %v", n.name, key, r.phase, n.running[key])
					}
				}
				if len(n.rooms) != len(n.running) {
					w.fail("%s: %d deeds, %d rooms", n.name, len(n.rooms), len(n.running))
				}
			}
			for _, n := range w.nodes {
				n.drain()
				w.perform(n)
			}
			for range w.rand.IntN(200) {
				w.step()
			}
			w.settle()
			for _, n := range w.nodes {
				if len(n.rooms)+len(n.running) > 0 {
					w.fail("%s has drained, and has %v, runs %v", n.name, n.rooms, n.running)
				}
				w.expire(n) // with which go the keys of claims that it gave up
			}
			if len(w.keys) > 0 {
				w.fail("keys after all have drained: %v", w.keys)
			}
		})
	}
}
