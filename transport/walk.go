package transport

import "github.com/gobwas/ws"

// fanState is what a loop knows of shards that have something to deliver.
type fanState struct {
	last    *shard   // of a ring of those that walk, nil when none does; its next is first
	due     dueHeap  // those whose window is open
	scratch []byte   // for what one member gets apart
	warmth  connKind // keeps the compiler from leaving warmUp out
}

// quantum is the cost of a shard's turn in the ring: small rooms do not wait for
// the thousands of a big one.
const quantum = 32

// chunkCost is how many bytes of a write cost as much as the call itself.
const chunkCost = 8 << 10

// walk is a delivery under way: the same bytes for all members of a kind.
type walk struct {
	list    []broadcast
	at      int // members[:at] are still to be visited
	warm    int // members[warm:at] are in the cache
	replace uint64

	// By connKind.
	built         [3]bool
	wires         [3][]byte
	messages      [3]int32 // in each of wires
	sent, dropped [3]int   // members
}

// activate puts s into the ring, behind the others.
func (s *shard) activate() {
	if s.next != nil {
		return
	}
	s.expected.Store(true)
	if f := &s.loop.fan; f.last == nil {
		s.next, f.last = s, s
	} else {
		s.next, f.last.next = f.last.next, s
		f.last = s
	}
}

// abandon reports what will not be done because the loop has ended.
func (f *fanState) abandon() {
	for f.last != nil {
		s := f.last.next
		s.abandon()
		if s == f.last {
			f.last = nil
		} else {
			f.last.next = s.next
		}
	}
	for _, s := range f.due {
		s.abandon()
	}
}

// walk lets the shards write, in turn, up to budget, and returns how much they
// did. What is left is for the next turn, after sockets have been read.
func (l *loop) walk(budget int) (work int) {
	l.fan.due.expire(l.now)
	for l.fan.last != nil && work < budget {
		s := l.fan.last.next
		work += s.step(min(quantum, budget-work))
		if s.walk.at > 0 {
			l.fan.last = s // to the end of the ring
			continue
		}
		if s.endWalk(); s == l.fan.last {
			l.fan.last = nil
		} else {
			l.fan.last.next = s.next
		}
		s.next = nil
		s.settleWindow()
	}
	return work
}

// settleWindow begins the next walk or waits for its time.
func (s *shard) settleWindow() {
	now := s.loop.now
	switch {
	case s.next != nil: // walks: asked again at the end
	case len(s.queue) > 0 && s.window.allows(now, len(s.queue), s.waiting):
		s.activate()
	case now < s.window.opens:
		s.loop.fan.due.set(s, s.window.opens)
		s.expected.Store(true)
	default:
		s.expected.Store(false)
	}
}

// windowEnded is called by the heap.
func (s *shard) windowEnded(int64) { s.settleWindow() }

// enqueue takes a broadcast; in the window of another it waits.
func (s *shard) enqueue(b broadcast) {
	s.seq++
	b.seq, b.text, b.binary = s.seq, len(b.frame.Text) > 0, len(b.frame.Payload()) > 0
	if b.frame.Replace != 0 {
		s.supersede(&b)
		s.latest++
	}
	s.waiting += len(b.frame.Packages)
	s.queue = append(s.queue, b)
	s.settleWindow()
}

// supersede drops an older value of b that waits for the same members.
func (s *shard) supersede(b *broadcast) {
	if s.latest == 0 {
		return
	}
	for i := len(s.queue) - 1; i >= 0; i-- {
		old := &s.queue[i]
		if old.frame.Replace == b.frame.Replace && old.except == b.except && old.fits(kindText) == b.text {
			s.latest--
			s.waiting -= len(old.frame.Packages)
			s.begunBytes.Add(int64(len(old.frame.Packages)))
			s.pending.Add(-old.supersede())
			return
		}
	}
}

// step goes on with the walk, or begins one, for about that much work.
func (s *shard) step(budget int) (work int) {
	if len(s.walk.list) == 0 {
		if len(s.queue) == 0 {
			return 0
		}
		work = s.begin()
	}
	w := &s.walk
	oldest, newest := w.list[0].seq, w.list[len(w.list)-1].seq
	p := parcel{replace: w.replace, shared: true, lossy: s.window.Lossy}
	for w.at > 0 && work < budget {
		if w.at <= w.warm {
			s.warmUp()
		}
		w.at--
		m := &s.members[w.at]
		if m.got >= newest {
			continue
		}
		work++
		if m.got >= oldest { // came in between
			s.deliver(m, w.list)
			m.got = newest
			continue
		}
		kind := m.conn.kind
		m.got = newest
		if !w.built[kind] {
			s.build(kind)
		}
		if p.wire, p.messages = w.wires[kind], w.messages[kind]; len(p.wire) == 0 {
			w.sent[kind]++ // of nothing
		} else if m.conn.fromAudience(&p) {
			w.sent[kind]++
			work += len(p.wire) / chunkCost
		} else {
			w.dropped[kind]++
		}
	}
	return work
}

// warmGroup is how many members are loaded at once.
const warmGroup = 16

// warmUp loads what the next deliveries will look at. A system call leaves
// little of ours in the cache, and misses that overlap cost hardly more than one:
// over TCP a delivery in a room of 5,000 went from 1.07 to 1.04 of a bare call,
// in one of 1,000 from 1.05 to 1.03.
func (s *shard) warmUp() {
	w := &s.walk
	w.warm = max(0, w.at-warmGroup)
	for i := range s.members[w.warm:w.at] {
		s.loop.fan.warmth += s.members[w.warm+i].conn.kind
	}
}

// begin takes what waits and can leave together, and serves those apart who must
// not get all of it. It returns what that cost.
func (s *shard) begin() (work int) {
	w := &s.walk
	n := s.together()
	w.list, s.queue = append(w.list[:0], s.queue[:n]...), s.queue[n:]
	if len(s.queue) == 0 {
		s.queue = nil
		s.window.begin(s.loop.now)
	} // else the rest has waited for its window already
	bytes := 0
	for i := range w.list {
		b := &w.list[i]
		bytes += len(b.frame.Packages)
		if b.frame.Replace != 0 {
			s.latest--
		}
	}
	s.waiting -= bytes
	s.begun.Add(int64(n))
	s.begunBytes.Add(int64(bytes))
	w.at, w.warm, w.replace = len(s.members), len(s.members), 0
	if n == 1 {
		w.replace = w.list[0].frame.Replace
	}
	s.loop.tally.walks++
	newest := w.list[n-1].seq
	for i := range w.list {
		if m := s.exception(&w.list[i]); m != nil && m.got < newest {
			s.deliver(m, w.list)
			m.got = newest
			work++
		}
	}
	return work
}

// exception returns the member that must not get b, nil when there is none.
func (s *shard) exception(b *broadcast) *member {
	if b.except == nil || b.except.loop != s.loop {
		return nil
	}
	return s.member(b.except)
}

// together is how many broadcasts the next walk takes.
func (s *shard) together() (n int) {
	limit := walkBytes
	if out := s.loop.outLimit; out > 0 {
		limit = min(limit, out/2) // a member that holds nothing can take it
	}
	size, exceptions := 0, 0
	for ; n < len(s.queue); n++ {
		b := &s.queue[n]
		if n > 0 && (s.alone(b) || s.alone(&s.queue[n-1])) {
			break
		}
		if b.except != nil {
			exceptions++
		}
		if size += max(len(b.frame.Packages), len(b.frame.Text)); n > 0 && (size > limit || exceptions > walkExceptions) {
			break
		}
	}
	return n
}

// alone reports whether b must stay a message of its own, so that it can be
// replaced in the queue of a member that is slow. A window replaces what comes
// within it, and merges the rest.
func (s *shard) alone(b *broadcast) bool {
	return b.frame.Replace != 0 && !b.stale && s.window.Every == 0
}

// endWalk reports what became of the walk's broadcasts, if there is one.
func (s *shard) endWalk() {
	w := &s.walk
	if len(w.list) == 0 {
		return
	}
	t := &s.loop.tally
	for i := range w.list {
		b := &w.list[i]
		for k := range kindText + 1 {
			met := w.sent[k] + w.dropped[k]
			switch {
			case !b.fits(k):
				t.skipped += uint64(met)
				continue
			case b.stale:
				b.dropped += met
				t.droppedStale += uint64(met)
			default:
				b.sent += w.sent[k]
				b.dropped += w.dropped[k]
			}
			t.messagesOut += uint64(met)
		}
	}
	s.settle(w.list)
	clear(w.list)
	*w = walk{list: w.list[:0]}
}

// build makes what members of a kind get: whole packages for raw TCP, as few
// messages as possible for WebSockets, a message each for text.
func (s *shard) build(k connKind) {
	w := &s.walk
	w.built[k] = true
	for i := range w.list {
		if b := &w.list[i]; b.fits(k) && !b.stale {
			w.messages[k]++
		}
	}
	if len(w.list) == 1 {
		w.wires[k] = wireOf(&w.list[0].frame, k)
		return
	}
	var buf []byte
	switch k {
	case kindStream:
		for i := range w.list {
			buf = append(buf, w.list[i].frame.Payload()...)
		}
	case kindSocket:
		for list := w.list; len(list) > 0; {
			n, size := fill(list)
			buf = appendWSHeader(buf, ws.OpBinary, true, size, nil)
			for i := range list[:n] {
				buf = append(buf, list[i].frame.Payload()...)
			}
			list = list[n:]
		}
	case kindText:
		for i := range w.list {
			if text := w.list[i].frame.Text; len(text) > 0 {
				buf = appendWSMessage(buf, ws.OpText, text, false)
			}
		}
	}
	w.wires[k] = buf
}

// fill returns how many broadcasts fit into one message, and their size.
func fill(list []broadcast) (n, size int) {
	for ; n < len(list); n++ {
		more := len(list[n].frame.Payload())
		if n > 0 && size+more > messageBytes {
			break
		}
		size += more
	}
	return n, size
}
