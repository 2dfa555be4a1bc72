package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/tests/chaos/proof"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

// stage carries out the steps of a plan, each on a goroutine of its own.
type stage struct {
	world *world
	say   func(format string, args ...any)

	nodes map[string]*sync.Mutex // whose process something is done to

	mu      sync.Mutex
	outages []proof.Outage
	faults  []string
}

func newStage(w *world, say func(format string, args ...any)) *stage {
	s := &stage{world: w, say: say, nodes: make(map[string]*sync.Mutex)}
	for _, n := range w.Nodes() {
		s.nodes[n.Name] = new(sync.Mutex)
	}
	return s
}

// play returns when all steps have been undone, or ctx has ended.
func (s *stage) play(ctx context.Context, steps []step) {
	began := time.Now()
	var work sync.WaitGroup
	for _, st := range steps {
		work.Go(func() {
			if !wait(ctx, time.Until(began.Add(st.at))) {
				return
			}
			s.say("%v", st)
			if err := s.act(ctx, st, steps); err != nil {
				s.fault("%v: %v", st, err)
			}
		})
	}
	work.Wait()
}

func (s *stage) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

func (s *stage) act(ctx context.Context, st step, all []step) error {
	w := s.world
	switch st.do {
	case stopEtcd:
		w.Etcd.Kill()
		wait(ctx, st.lasts)
		return w.Etcd.Restart()
	case freezeEtcd:
		return during(ctx, st.lasts, w.Etcd.Pause, w.Etcd.Resume)
	}
	n := w.node(st.nodes[0])
	if st.takesDown() {
		s.nodes[n.Name].Lock() // it may take longer to be back than the plan has for it
		defer s.nodes[n.Name].Unlock()
		defer s.outage(n)()
	}
	switch st.do {
	case kill:
		n.Kill()
		wait(ctx, st.lasts)
		return n.Start()
	case freeze:
		return during(ctx, st.lasts, n.Pause, n.Resume)
	case drain:
		// Without etcd a node cannot say that it leaves, and says so.
		if err := n.Stop(); err != nil && (n.Running() || !withoutEtcd(st, all)) {
			return err
		}
		wait(ctx, st.lasts)
		return n.Start()
	case vanish:
		return during(ctx, st.lasts, func() error { return w.network.Leave(n.Name) }, func() error { return w.network.Join(n.Name) })
	case cutEtcd:
		return s.cut(ctx, st.lasts, [2]string{n.Name, fleet.EtcdName}, [2]string{fleet.EtcdName, n.Name})
	case cutPeer:
		return s.cut(ctx, st.lasts, [2]string{st.nodes[0], st.nodes[1]}, [2]string{st.nodes[1], st.nodes[0]})
	case deafPeer:
		return s.cut(ctx, st.lasts, [2]string{st.nodes[0], st.nodes[1]})
	}
	return fmt.Errorf("nobody knows how to %s", st.do)
}

// outage notes that callers may lose their connections to a node, until the returned
// function is called.
func (s *stage) outage(n *fleet.Node) (over func()) {
	from := proof.Now()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.outages = append(s.outages, proof.Outage{Gate: n.Name, From: from, To: proof.Now()})
	}
}

func (s *stage) cut(ctx context.Context, d time.Duration, ways ...[2]string) error {
	for _, w := range ways {
		if err := s.world.network.Cut(w[0], w[1]); err != nil {
			return err
		}
	}
	wait(ctx, d)
	for _, w := range ways {
		if err := s.world.network.Mend(w[0], w[1]); err != nil {
			return err
		}
	}
	return nil
}

// during does something for a while.
func during(ctx context.Context, d time.Duration, begin, end func() error) error {
	if err := begin(); err != nil {
		return err
	}
	wait(ctx, d)
	return end()
}

// wait returns whether ctx outlived the time.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// withoutEtcd says whether etcd could not be reached at some time of a step.
func withoutEtcd(st step, all []step) bool {
	for _, o := range all {
		if _, _, is := o.noEtcd(); is && overlap(o, st) {
			return true
		}
	}
	return false
}
