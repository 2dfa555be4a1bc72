package swarm

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/cmd/bot/pace"
)

// selfPID names this process to the usage.
var selfPID = os.Getpid()

// statusEvery is how often a worker tells how far it is.
const statusEvery = 50 * time.Millisecond

// labour carries out the orders of a run in one process, until the last one is
// done, orders is closed, or ctx ends. The first order sets it up.
func labour(ctx context.Context, orders <-chan order, send func(news)) {
	first, ok := <-orders
	if !ok {
		return
	}
	w, err := newWorker(first.Setup, send)
	if err != nil {
		send(news{Err: err.Error()})
		return
	}
	w.cuts.start(w.epoch)
	f := &foreman{worker: w, start: first.At}
	f.drive.Go(func() { w.driver.run(first.At) })
	f.loop(ctx, orders)
	f.end()
}

// foreman is the goroutine that takes a worker's orders and reports.
type foreman struct {
	worker *worker
	start  int64
	drive  sync.WaitGroup
	ended  bool
}

func (f *foreman) loop(ctx context.Context, orders <-chan order) {
	w := f.worker
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	cutAt := time.NewTimer(f.untilCut())
	defer cutAt.Stop()
	for {
		select {
		case o, ok := <-orders:
			if !ok || !f.obey(o) {
				return
			}
		case <-cutAt.C:
			for !f.ended && w.clock.Now() >= w.cuts.to {
				w.cut(w.cuts.to, w.phase((w.cuts.from+w.cuts.to)/2))
			}
		case <-tick.C:
			st := w.status()
			w.send(news{Status: &st})
			continue
		case <-ctx.Done():
			return
		}
		cutAt.Reset(f.untilCut())
	}
}

func (f *foreman) untilCut() time.Duration {
	if f.ended {
		return time.Hour
	}
	return time.Duration(f.worker.cuts.to - f.worker.clock.Now())
}

// obey carries out one order; false: it was the last.
func (f *foreman) obey(o order) bool {
	w := f.worker
	switch o.Kind {
	case orderBegin:
		all, warmUp := pace.Total(w.stages)
		w.measureFrom.Store(o.At + int64(warmUp))
		w.driver.end.Store(o.At + int64(all))
		w.beginAt.Store(o.At)
		w.cuts.add(o.At, o.At+int64(warmUp), o.At+int64(all))
		w.driver.order <- o.At
		debug.FreeOSMemory() // what connecting left behind is not what sessions need
	case orderHalt:
		select {
		case w.driver.halt <- struct{}{}:
		default: // told before
		}
	case orderEnd:
		now := w.clock.Now()
		w.ending.Store(true)
		w.cut(max(now, w.cuts.from), w.phase(now))
		f.end()
		done := new(ended)
		if w.layout.shared() {
			done.Log = w.ledger.Log()
		}
		w.send(news{Ended: done})
	case orderSettle:
		sum := w.settle(o.Logs)
		w.send(news{Final: &sum})
		return false
	default:
		w.send(news{Err: fmt.Sprintf("no such order: %s", o.Kind)})
		return false
	}
	return true
}

// end hangs up and waits for everything; afterwards all is the foreman's.
func (f *foreman) end() {
	if f.ended {
		return
	}
	f.ended = true
	w := f.worker
	w.ending.Store(true)
	close(w.driver.quit)
	f.drive.Wait()
	w.callers.stop()
	w.hangUp()
}

// hangUp closes every connection and ends the loops.
func (w *worker) hangUp() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, sh := range w.shards {
		all.Go(func() { _ = sh.client.Shutdown(ctx) }) // those who do not say goodbye are cut off
	}
	all.Wait()
}
