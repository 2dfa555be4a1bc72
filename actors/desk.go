package actors

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/shaddock-game/shaddock/protocol"
)

// Serial makes the component an actor: its handlers run one at a time, whichever
// session calls, so that they may use the component's fields as they like. A
// session waits for its call, as in Ctx.Await. A handler that takes its time makes
// all callers wait; past 4,096 waiting calls the answer is 503.
//
// Hooks run on the goroutine of Start and Finish: Init and AfterInit before the
// first handler, Shutdown after the last one.
func Serial(c *component) { c.serial = true }

// deskLimit is how many calls may wait for a Serial component.
const deskLimit = 4096

// desk is the actor of a Serial component.
type desk struct {
	app  *App
	name string
	pid  *actor.PID // set at the start
}

// serve is a RouteOption: the handler runs on the desk.
func (d *desk) serve(r *route) {
	f := r.handle
	r.serial = true
	r.handle = func(c *Ctx, in Inbound) {
		parted, in := c.part(in)
		d.app.system.Root.Send(d.pid, &visit{parted, f, in})
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

// Receive implements actor.Actor.
func (d *desk) Receive(c actor.Context) {
	if v, is := c.Message().(*visit); is {
		v.c.run(v.f, v.in)
	}
}

// open starts the desk, and close ends it behind the calls that wait.
func (d *desk) open() error {
	props := actor.PropsFromProducer(func() actor.Actor { return d }, actor.WithMailbox(d.app.Mailbox(deskLimit)))
	pid, err := d.app.system.Root.SpawnNamed(props, "component/"+d.name)
	if err != nil {
		return fmt.Errorf("component %s: %w: give it another name with actors.Named", d.name, err)
	}
	d.pid = pid
	return nil
}

func (d *desk) close(ctx context.Context) error {
	if d.pid == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- d.app.system.Root.PoisonFuture(d.pid).Wait() }() // bounded by the future's own time-out
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("component %s: waiting for its last handler: %w", d.name, ctx.Err())
	}
}
