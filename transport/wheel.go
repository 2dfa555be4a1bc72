package transport

import "math/bits"

const (
	// wheelTick is the precision of timers, in nanoseconds: a game's heartbeat
	// need not be more punctual than a network.
	wheelTick = 20e6
	// wheelSlots ticks make one turn of about 41 s, longer than the usual
	// heartbeat: few timers are looked at twice.
	wheelSlots = 2048
)

// wheel is a hashed timing wheel (Varghese and Lauck, scheme 6) of connections:
// adding and removing cost the same for one timer as for a million. A slot is a
// list through the connections themselves. It has one owner, takes the time as
// an argument, and the zero value is ready.
type wheel struct {
	done  int64 // every tick up to this one has been dealt with
	count int
	slots [wheelSlots]*Conn
	used  [wheelSlots / 64]uint64 // one bit per slot that is not empty
}

// wheelNode is a connection's place in the wheel.
type wheelNode struct {
	next, prev *Conn
	tick       int64 // 0: not in the wheel
}

// tickOf returns the first tick at or after now, in nanoseconds, so that no
// timer fires early.
func tickOf(now int64) int64 { return (now + wheelTick - 1) / wheelTick }

// add puts c, which is not in the wheel, where it is due at tick; a tick that has
// passed becomes the next one.
func (w *wheel) add(c *Conn, tick int64) {
	tick = max(tick, w.done+1)
	i := tick % wheelSlots
	head := w.slots[i]
	c.timer = wheelNode{next: head, tick: tick}
	if head != nil {
		head.timer.prev = c
	}
	w.slots[i] = c
	w.used[i/64] |= 1 << (i % 64)
	w.count++
}

// remove takes c out; it need not be in.
func (w *wheel) remove(c *Conn) {
	n := c.timer
	if n.tick == 0 {
		return
	}
	if n.next != nil {
		n.next.timer.prev = n.prev
	}
	if i := n.tick % wheelSlots; n.prev != nil {
		n.prev.timer.next = n.next
	} else if w.slots[i] = n.next; n.next == nil {
		w.used[i/64] &^= 1 << (i % 64)
	}
	c.timer = wheelNode{}
	w.count--
}

// advance calls fire for every connection that is due at now, in nanoseconds,
// having taken it out. fire may put it back, and touches no other.
func (w *wheel) advance(now int64, fire func(*Conn)) {
	tick := now / wheelTick
	if tick-w.done >= wheelSlots { // one turn passes every slot
		w.done = tick - wheelSlots
	}
	for w.done < tick {
		if w.count == 0 {
			w.done = tick
			return
		}
		w.done++
		w.expire(w.done%wheelSlots, tick, fire)
	}
}

// expire fires what is due in one slot.
func (w *wheel) expire(i, tick int64, fire func(*Conn)) {
	for c := w.slots[i]; c != nil; {
		next := c.timer.next
		if c.timer.tick <= tick { // else of a later turn
			w.remove(c)
			fire(c)
		}
		c = next
	}
}

// next returns the time of the next tick with something in its slot, in
// nanoseconds; what is there may belong to a later turn.
func (w *wheel) next() (now int64, ok bool) {
	if w.count == 0 {
		return 0, false
	}
	start := (w.done + 1) % wheelSlots
	word := start / 64
	b := w.used[word] & (^uint64(0) << (start % 64))
	for n := int64(0); ; n++ {
		if b != 0 {
			i := (word+n)%int64(len(w.used))*64 + int64(bits.TrailingZeros64(b))
			ahead := (i - start + wheelSlots) % wheelSlots
			return (w.done + 1 + ahead) * wheelTick, true
		}
		b = w.used[(word+n+1)%int64(len(w.used))]
	}
}
