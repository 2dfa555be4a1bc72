package actors

import (
	"context"
	"fmt"

	"github.com/shaddock-game/shaddock/protocol"
)

// Serial makes the component an actor: its handlers run one at a time, whichever
// session calls, so that they may use the component's fields as they like. A
// session waits for its call, as in Ctx.Await. A handler that takes its time makes
// all callers wait; past 4,096 waiting calls the answer is 503.
//
// App.Scheduler of the component's name is that actor: what it calls never runs at
// the same time as a handler either.
//
// Hooks run on the goroutine of Start and Finish: Init and AfterInit before the
// first handler, Shutdown after the last one.
func Serial(c *component) { c.serial = true }

// desk is where a Serial component's calls are handled: a scheduler.
type desk struct {
	app  *App
	name string
	at   *Scheduler // set at the start
}

// serve is a RouteOption: the handler runs on the desk.
func (d *desk) serve(r *route) {
	f := r.handle
	r.serial = true
	r.handle = func(c *Ctx, in Inbound) {
		parted, in := c.part(in)
		d.at.send(&visit{parted, f, in})
	}
}

// visit is one call of a Serial component.
type visit struct {
	c  *Ctx
	f  RouteFunc
	in Inbound
}

// Refused implements Refusable.
func (v *visit) Refused(err error) {
	v.c.run(func(c *Ctx, _ Inbound) {
		c.ReplyError(protocol.Errorf(protocol.CodeUnavailable, "%s: %v", v.c.route.owner, err))
	}, v.in)
}

// perform implements errand.
func (v *visit) perform() { v.c.run(v.f, v.in) }

// open starts the desk, and close ends it behind the calls that wait.
func (d *desk) open() { d.at = d.app.Scheduler(d.name) }

func (d *desk) close(ctx context.Context) error {
	if d.at == nil || !d.app.schedulers.CompareAndDelete(d.name, d.at) {
		return nil
	}
	d.app.system.Root.Poison(d.at.pid)
	select {
	case <-d.at.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("component %s: waiting for its last handler: %w", d.name, ctx.Err())
	}
}
