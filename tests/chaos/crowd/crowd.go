// Package crowd is the callers of a chaos run: each is a client of the pomelo
// protocol in one room, sends it a numbered message at fixed moments, and writes down
// what it asked, got and heard. A caller tries a call once; it connects again when
// its connection ends or it is told to go, to its own gate if that takes players and
// to another if not.
package crowd

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shaddock-game/shaddock/tests/chaos/proof"
	"github.com/shaddock-game/shaddock/transport"
)

// Gate is a gate as callers know it. Addr is empty while it takes no players; it is
// called from any goroutine.
type Gate struct {
	Name string
	Addr func() string
}

// Config says who calls whom.
type Config struct {
	Kinds    []string      // of rooms; room i is of kind i modulo their number
	Rooms    int           // called
	Gates    []Gate        // each room has a caller, or several, at each gate
	PerGate  int           // callers of a room at each gate, 1 when zero
	Every    time.Duration // between a caller's messages
	Patience time.Duration // for an answer, 5 s when zero
}

// Crowd is all callers. Its methods are safe from any goroutine.
type Crowd struct {
	cfg     Config
	client  *transport.Client
	callers []*caller
	work    sync.WaitGroup
	stop    context.CancelFunc
	members atomic.Int64
	began   time.Time
}

// Start connects all callers; they come within a second.
func Start(cfg Config) (*Crowd, error) {
	cfg.PerGate = max(cfg.PerGate, 1)
	if cfg.Patience == 0 {
		cfg.Patience = 5 * time.Second
	}
	client, err := transport.NewClient(transport.ClientConfig{Loops: 1, Dial: 2 * time.Second})
	if err != nil {
		return nil, err
	}
	c := &Crowd{cfg: cfg, client: client}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	each := len(cfg.Gates) * cfg.PerGate
	c.began = time.Now()
	for room := range cfg.Rooms {
		for i := range each {
			x := newCaller(c, len(c.callers), cfg.Kinds[room%len(cfg.Kinds)], fmt.Sprint(room), i%len(cfg.Gates))
			// The callers of one room are spread over the period, and so are the rooms.
			part := (float64(i) + float64(room)/float64(cfg.Rooms)) / float64(each)
			x.nextCall = c.began.Add(time.Second + time.Duration(part*float64(cfg.Every)))
			c.callers = append(c.callers, x)
			c.work.Go(func() { x.run(ctx) })
		}
	}
	return c, nil
}

// Size returns how many callers there are.
func (c *Crowd) Size() int { return len(c.callers) }

// Round returns how long it is until the callers of the first gate begin to call the
// rooms, one after the other, as they do in each period; they take their share of it.
func (c *Crowd) Round() time.Duration {
	return c.cfg.Every - time.Since(c.began)%c.cfg.Every
}

// Members returns how many of them are in their rooms at the moment.
func (c *Crowd) Members() int { return int(c.members.Load()) }

// Silent lists the callers that have had no answer since a time of proof.Now.
func (c *Crowd) Silent(since int64) (who []string) {
	for _, x := range c.callers {
		if x.answered.Load() <= since {
			who = append(who, fmt.Sprintf("caller %d of %s/%s", x.id, x.kind, x.room))
		}
	}
	return who
}

// Finish stops asking, has one caller of each room ask for its final state, hangs up
// and returns what all have written down, each one's in its order. Those that have
// not come to an end when ctx has are left to it.
func (c *Crowd) Finish(ctx context.Context) []proof.Event {
	each := len(c.cfg.Gates) * c.cfg.PerGate
	for i, x := range c.callers {
		x.finish(i%each == 0)
	}
	defer context.AfterFunc(ctx, c.stop)()
	c.work.Wait()
	return c.Abandon(ctx)
}

// Abandon hangs up at once and returns what all have written down.
func (c *Crowd) Abandon(ctx context.Context) []proof.Event {
	c.stop()
	c.work.Wait()
	_ = c.client.Shutdown(ctx) // nobody waits for what is left to flush
	var all []proof.Event
	for _, x := range c.callers {
		all = append(all, x.events...)
	}
	return slices.Clip(all)
}
