package swarm

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// WorkerCommand is the argument by which the program runs as one of several
// workers of a run: it must then call Work and nothing else.
const WorkerCommand = "__worker"

// crew is the workers of a run, in this process or in others. Its owner calls
// dismiss.
type crew struct {
	orders []chan order
	news   chan news
	stop   context.CancelFunc
	all    sync.WaitGroup
}

// muster starts a worker in this process, or several in processes of their own.
func muster(ctx context.Context, workers int) (*crew, error) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	c := &crew{news: make(chan news, 256), stop: stop}
	for i := range workers {
		orders := make(chan order, 4)
		c.orders = append(c.orders, orders)
		send := func(n news) {
			n.worker = i
			select {
			case c.news <- n:
			case <-ctx.Done():
			}
		}
		if workers == 1 {
			c.all.Go(func() { labour(ctx, orders, send) })
			break
		}
		if err := c.hire(ctx, i, orders, send); err != nil {
			c.dismiss()
			return nil, err
		}
	}
	return c, nil
}

// order gives all workers the same order.
func (c *crew) order(o order) {
	for _, to := range c.orders {
		to <- o
	}
}

// dismiss ends the workers that have not ended by themselves.
func (c *crew) dismiss() {
	for _, to := range c.orders {
		close(to)
	}
	c.stop()
	c.all.Wait()
}

// hire starts a worker in a process of its own, which talks JSON over its
// standard input and output.
func (c *crew) hire(ctx context.Context, i int, orders <-chan order, send func(news)) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self, WorkerCommand)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), workerEnv+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start worker %d: %w", i, err)
	}
	c.all.Go(func() {
		defer in.Close() // the worker then ends
		enc := json.NewEncoder(in)
		for {
			select {
			case o, ok := <-orders:
				if !ok || enc.Encode(o) != nil {
					return // that the worker has gone is told by its output
				}
			case <-ctx.Done():
				return
			}
		}
	})
	c.all.Go(func() {
		last := false
		dec := json.NewDecoder(bufio.NewReaderSize(out, 1<<20))
		for {
			var n news
			if err := dec.Decode(&n); err != nil {
				break
			}
			last = last || n.Final != nil || n.Err != ""
			send(n)
		}
		if err := cmd.Wait(); !last {
			send(news{Err: fmt.Sprintf("worker %d has ended: %v", i, err)})
		}
	})
	return nil
}

// workerEnv marks the environment of a worker process, so that a test binary
// knows what it was started for.
const workerEnv = "SHADDOCK_BOT_WORKER"

// IsWorker reports whether this process was started as a worker of a run.
func IsWorker() bool { return os.Getenv(workerEnv) != "" }

// Work is a worker process: orders come from in, news go to out. It returns when
// the run is over or in ends.
func Work(in io.Reader, out io.Writer) error {
	orders := make(chan order)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { // ends with the input, which ends with the process that started us
		defer close(orders)
		for dec := json.NewDecoder(bufio.NewReader(in)); ; {
			var o order
			if dec.Decode(&o) != nil {
				return
			}
			select {
			case orders <- o:
			case <-ctx.Done():
				return
			}
		}
	}()
	enc := json.NewEncoder(out)
	var failed error
	labour(ctx, orders, func(n news) {
		if n.Cut != nil {
			if n.Cut.Wire, failed = n.Cut.sheet.Wire(); failed != nil {
				stop()
				return
			}
		}
		if err := enc.Encode(n); err != nil {
			failed = fmt.Errorf("report to the run: %w", err)
			stop()
		}
	})
	return failed
}
