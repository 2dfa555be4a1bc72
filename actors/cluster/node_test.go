package cluster_test

import (
	"context"
	"sync"
	"testing"

	"github.com/shaddock-game/shaddock/actors/cluster"
	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/link/linktest"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// Whoever shows a node's figures need not know whether it has started, or ended.
func TestStatsAtAnyTime(t *testing.T) {
	s, net := store.NewMemory(), linktest.New(1)
	defer func() { _ = s.Close() }()
	defer net.Close()
	for range 20 {
		n, err := cluster.Open(cluster.Config{Store: s, Connect: func(boot string) (*link.Link, func(context.Context, string) error) {
			return net.Add(boot, "host:a", nil), net.Dial("host:a")
		}})
		if err != nil {
			t.Fatal(err)
		}
		var looks sync.WaitGroup
		ended, looked := make(chan struct{}), make(chan struct{})
		looks.Go(func() {
			for first := true; ; first = false {
				n.Stats()
				n.Members().Members()
				if d := n.Directory(); d != nil {
					d.Unhosted()
				}
				if first {
					close(looked)
				}
				select {
				case <-ended:
					return
				default:
				}
			}
		})
		<-looked
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := n.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		close(ended)
		looks.Wait()
		net.Remove("host:a")
	}
}
