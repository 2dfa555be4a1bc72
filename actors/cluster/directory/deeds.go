package directory

import (
	"errors"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// deeds are the rooms that this process owns, or is about to, as a value. Every
// method takes in one thing that happened and leaves in out what is to be done
// about it, in order.
type deeds struct {
	self  string // boot id
	runs  func(kind string) bool
	rooms map[Key]*deed
	out   []effect

	held     bool
	lease    store.Lease
	draining bool
	width    int // how many rooms a drain stops at a time
	leaving  int // rooms of a drain that have been told to stop and still are here
}

// drainWidth is what width is but in tests. The others answer as ever meanwhile: were all told at once, each would be away until the store has saved and
// released all of them.
const drainWidth = 64

type phase uint8

const (
	claiming   phase = iota // the key is being created
	active                  // ours, and running
	suspended               // running, and perhaps not ours any more
	reclaiming              // running, and the key is being created anew
	stopping                // told to stop
	releasing               // stopped, and the key is being deleted
)

func (p phase) String() string {
	return [...]string{"claiming", "active", "suspended", "reclaiming", "stopping", "releasing"}[p]
}

// deed is one room.
type deed struct {
	phase phase
	epoch uint64
	lease store.Lease // that the key was written with
	lost  bool        // it is another's by now: nothing to release
	ended bool        // stopped while its key was being created anew
	leave bool        // counted in deeds.leaving
	asks  []ask       // that wait for this phase to end
}

// ask is somebody's wish to have a room running; the shell knows who.
type ask any

// effect is something for the shell to do.
type effect struct {
	do    task
	key   Key
	epoch uint64
	next  uint64      // of resume: the epoch from now on
	lease store.Lease // of create
	why   Why         // of stop
	ask   ask         // of answer
	reply reply       // of answer
	again bool        // of create and delete: failed before, pause first
}

type task uint8

const (
	create task = iota + 1
	remove
	start
	suspend
	resume
	stop
	answer
	drained
)

func (t task) String() string {
	return [...]string{"", "create", "remove", "start", "suspend", "resume", "stop", "answer", "drained"}[t]
}

// Why says why a room is told to stop.
type Why uint8

// Reasons to stop.
const (
	Idle  Why = iota + 1 // its host asked for it: nobody is there. The host may call Stayed
	Drain                // this node takes its leave: save, and go on elsewhere
	Lost                 // it runs elsewhere: save nothing
)

// reply is what becomes of an ask. Exactly one of its parts is set.
type reply struct {
	epoch     uint64 // it runs here
	elsewhere Place  // it runs there
	refusal   refusal
}

type refusal uint8

const (
	notHeld  refusal = iota + 1 // this node cannot own rooms at the moment
	leaving                     // this node drains
	unknown                     // this node does not run the kind
	overload                    // too many ask
)

func newDeeds(self string, runs func(kind string) bool) *deeds {
	return &deeds{self: self, runs: runs, width: drainWidth, rooms: make(map[Key]*deed)}
}

func (d *deeds) do(e effect) { d.out = append(d.out, e) }

// want is an ask for a room.
func (d *deeds) want(key Key, a ask) {
	r, ok := d.rooms[key]
	if !ok {
		switch {
		case !d.runs(key.Kind):
			d.refuse(a, unknown)
		case d.draining:
			d.refuse(a, leaving)
		case !d.held:
			d.refuse(a, notHeld)
		default:
			d.rooms[key] = &deed{phase: claiming, asks: []ask{a}}
			d.do(effect{do: create, key: key, lease: d.lease})
		}
		return
	}
	switch r.phase {
	case active:
		d.do(effect{do: answer, ask: a, reply: reply{epoch: r.epoch}})
	case suspended:
		d.refuse(a, notHeld)
	default:
		r.asks = append(r.asks, a)
	}
}

func (d *deeds) refuse(a ask, why refusal) {
	d.do(effect{do: answer, ask: a, reply: reply{refusal: why}})
}

// answerAll answers what waits for r.
func (d *deeds) answerAll(r *deed, rep reply) {
	for _, a := range r.asks {
		d.do(effect{do: answer, ask: a, reply: rep})
	}
	r.asks = nil
}

// created takes in what became of a create that was sent with a lease.
func (d *deeds) created(key Key, lease store.Lease, rec store.Record, err error) {
	r, ok := d.rooms[key]
	if !ok || r.phase != claiming && r.phase != reclaiming {
		return
	}
	if !d.held || lease != d.lease || errors.Is(err, store.ErrNoLease) {
		d.unclaimed(key, r)
		return
	}
	if err != nil {
		d.do(effect{do: create, key: key, lease: d.lease, again: true})
		return
	}
	owner, err := placeOf(rec)
	switch {
	case err != nil || owner.Node == d.self && rec.Lease != d.lease:
		// Unreadable, or of a lease of ours that is about to end.
		d.do(effect{do: create, key: key, lease: d.lease, again: true})
	case owner.Node == d.self:
		d.granted(key, r, rec)
	default:
		d.taken(key, r, owner)
	}
}

// unclaimed is the end of a claim that can no longer succeed. The key may be
// there; it goes with its lease, or is recognised as ours by the next claim.
func (d *deeds) unclaimed(key Key, r *deed) {
	d.answerAll(r, reply{refusal: notHeld})
	switch {
	case r.phase == claiming || r.ended:
		d.drop(key, r)
		d.drainMore()
	default:
		r.phase, r.lease = suspended, 0
		if d.held { // by another lease already
			d.reclaim(key, r)
			return
		}
		d.drainMore() // it can be told to stop now
	}
}

func (d *deeds) granted(key Key, r *deed, rec store.Record) {
	was := r.epoch
	again := r.phase == reclaiming
	r.epoch, r.lease = rec.Epoch, rec.Lease
	switch {
	case r.ended || d.draining && !again:
		r.phase = releasing
		d.do(effect{do: remove, key: key, epoch: r.epoch})
		return
	case again:
		d.do(effect{do: resume, key: key, epoch: was, next: r.epoch})
	default:
		d.do(effect{do: start, key: key, epoch: r.epoch})
	}
	r.phase = active
	d.answerAll(r, reply{epoch: r.epoch})
	d.drainMore()
}

// taken is a claim that another's was before.
func (d *deeds) taken(key Key, r *deed, owner Place) {
	d.answerAll(r, reply{elsewhere: owner})
	if r.phase == claiming || r.ended {
		d.drop(key, r)
		d.drainMore()
		return
	}
	r.lost = true
	d.stop(key, r, Lost)
}

func (d *deeds) stop(key Key, r *deed, why Why) {
	r.phase = stopping
	if d.draining && !r.leave {
		r.leave = true
		d.leaving++
	}
	d.do(effect{do: stop, key: key, epoch: r.epoch, why: why})
}

// standing takes in what this node knows of its lease.
func (d *deeds) standing(held bool, lease store.Lease) {
	if d.held && (!held || lease != d.lease) {
		d.held = false
		for key, r := range d.rooms {
			d.suspend(key, r)
		}
	}
	if d.held || !held {
		return
	}
	d.held, d.lease = true, lease
	for key, r := range d.rooms {
		switch {
		case r.lost || r.phase != suspended && r.phase != stopping:
		case r.lease == lease:
			if r.phase == suspended {
				r.phase = active
			}
			d.do(effect{do: resume, key: key, epoch: r.epoch, next: r.epoch})
		case r.phase == suspended:
			d.reclaim(key, r)
		}
	}
}

// suspend pauses a room whose lease is not sure. One that is stopping answers
// until it has stopped, so it is paused as well; it stays so if the lease has
// ended, since what it could save would be refused.
func (d *deeds) suspend(key Key, r *deed) {
	switch {
	case r.phase == active:
		r.phase = suspended
	case r.phase != stopping || r.lost:
		return
	}
	d.do(effect{do: suspend, key: key, epoch: r.epoch})
}

func (d *deeds) reclaim(key Key, r *deed) {
	r.phase = reclaiming
	d.do(effect{do: create, key: key, lease: d.lease})
}

// retire is the host's word that a room could be put away.
func (d *deeds) retire(key Key, epoch uint64) {
	if r, ok := d.rooms[key]; ok && r.phase == active && r.epoch == epoch {
		d.stop(key, r, Idle)
	}
}

// stayed is the host's word that a room which was told to stop for being idle is
// not, after all.
func (d *deeds) stayed(key Key, epoch uint64) {
	r, ok := d.rooms[key]
	if !ok || r.phase != stopping || r.epoch != epoch || r.lost {
		return
	}
	if d.draining {
		d.stop(key, r, Drain)
		return
	}
	if d.held && r.lease == d.lease {
		r.phase = active
		d.answerAll(r, reply{epoch: epoch})
		return
	}
	r.phase = suspended
	d.answerAll(r, reply{refusal: notHeld})
	if d.held {
		d.reclaim(key, r)
	}
}

// stopped is the host's word that a room has ended, asked to or not. It returns true
// for one that is another's by now, so that no key of it is to be removed.
func (d *deeds) stopped(key Key, epoch uint64) (lost bool) {
	r, ok := d.rooms[key]
	if !ok || r.epoch != epoch {
		return false
	}
	switch r.phase {
	case reclaiming:
		r.ended = true
	case active, suspended, stopping:
		if r.lost {
			d.forget(key, r)
			return true
		}
		r.phase = releasing
		d.do(effect{do: remove, key: key, epoch: epoch})
	}
	return false
}

// removed takes in what became of the deletion of a key.
func (d *deeds) removed(key Key, epoch uint64, err error) {
	r, ok := d.rooms[key]
	if !ok || r.phase != releasing || r.epoch != epoch {
		return
	}
	if err != nil {
		d.do(effect{do: remove, key: key, epoch: epoch, again: true})
		return
	}
	d.forget(key, r)
}

// forget ends a deed; who waited for that asks anew.
func (d *deeds) forget(key Key, r *deed) {
	d.drop(key, r)
	for _, a := range r.asks {
		d.want(key, a)
	}
	d.drainMore()
}

// drop takes a deed out.
func (d *deeds) drop(key Key, r *deed) {
	delete(d.rooms, key)
	if r.leave {
		d.leaving--
	}
}

// drain gives up all rooms, so many at a time, and takes none.
func (d *deeds) drain() {
	d.draining = true
	d.drainMore()
}

// drainMore tells the next rooms of a drain to stop.
func (d *deeds) drainMore() {
	if !d.draining {
		return
	}
	if len(d.rooms) == 0 {
		d.do(effect{do: drained})
		return
	}
	for key, r := range d.rooms {
		if d.leaving >= d.width {
			return
		}
		if r.phase == active || r.phase == suspended {
			d.stop(key, r, Drain)
		}
	}
}
