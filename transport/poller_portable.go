package transport

import "time"

// chanPoller is the poller of loops whose connections are all net.Conns: their
// goroutines post what they read, so there is nothing to poll.
type chanPoller struct {
	woken chan struct{}
	timer *time.Timer
	until time.Time
}

func newChanPoller() *chanPoller {
	p := &chanPoller{woken: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	p.timer.Stop()
	return p
}

func (p *chanPoller) poll(*loop) {}

func (p *chanPoller) arm(until time.Time) {
	if until.Equal(p.until) {
		return
	}
	p.until = until
	if until.IsZero() {
		p.timer.Stop()
	} else {
		p.timer.Reset(time.Until(until))
	}
}

func (p *chanPoller) park() (waited bool) {
	select {
	case <-p.woken:
	case <-p.timer.C:
		p.until = time.Time{}
	}
	return true
}

func (p *chanPoller) wake() {
	select {
	case p.woken <- struct{}{}:
	default: // one is enough
	}
}

func (p *chanPoller) close() { p.timer.Stop() }
