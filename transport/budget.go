package transport

// budget is what a receiver may have on hand before its socket is no longer
// read; 0 is no limit. Half of it must be free again before reading resumes, so
// that a connection at its limit does not change its mind with every packet.
type budget struct{ packets, bytes int32 }

func (b budget) unlimited() bool { return b.packets == 0 && b.bytes == 0 }

// exceeded reports whether more than the budget is on hand.
func (b budget) exceeded(packets, bytes int32) bool {
	return b.packets > 0 && packets > b.packets || b.bytes > 0 && bytes > b.bytes
}

// relieved reports whether at most half of the budget is on hand.
func (b budget) relieved(packets, bytes int32) bool {
	return (b.packets == 0 || packets <= b.packets/2) && (b.bytes == 0 || bytes <= b.bytes/2)
}

// charge notes a packet that goes to the receiver.
func (c *Conn) charge(bytes int) {
	if !c.loop.budget.unlimited() {
		c.inPackets.Add(1)
		c.inBytes.Add(int32(bytes))
	}
}

// Done reports that the receiver has finished that many packets with that many
// body bytes in all. Reading resumes when half of the budget is free.
func (c *Conn) Done(packets, bytes int) {
	if c.loop.budget.unlimited() {
		return
	}
	p, b := c.inPackets.Add(-int32(packets)), c.inBytes.Add(-int32(bytes))
	if c.paused.Load() && c.loop.budget.relieved(p, b) {
		c.resumeReading()
	}
}

// pauseIfFull stops reading when too much is on hand. The flag is set before
// the numbers are looked at again: a Done in between sees one or is seen.
func (c *Conn) pauseIfFull() {
	limit := &c.loop.budget
	if limit.unlimited() || c.paused.Load() || !limit.exceeded(c.inPackets.Load(), c.inBytes.Load()) {
		return
	}
	c.loop.tally.paused++
	c.mu.Lock()
	c.paused.Store(true)
	c.watch()
	c.mu.Unlock()
	if limit.relieved(c.inPackets.Load(), c.inBytes.Load()) {
		c.resumeReading()
	}
}

// resumeReading undoes pauseIfFull, from any goroutine.
func (c *Conn) resumeReading() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused.CompareAndSwap(true, false) {
		c.watch()
	}
}

// watch tells the socket what to report. Under mu.
func (c *Conn) watch() {
	if !c.closed {
		c.sock.watch(!c.paused.Load(), c.armed)
	}
}
