package app

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
	"github.com/shaddock-game/shaddock/cmd/server/app/push"
)

// tallyTime is how long the other nodes may take to answer. One that is paused or cut
// off stays a member for as long as its lease; nobody's page waits for that.
const tallyTime = time.Second

// tallyFresh is how long an answer serves whoever asks: anybody may ask, from every
// page that shows the numbers, and must not have the nodes ask each other each time.
const tallyFresh = 500 * time.Millisecond

// crowd is the cluster as a tally needs it; *cluster.Node is one.
type crowd interface {
	Self() link.Peer
	Members() *roster.View
	ServeCall(op uint32, f func(*link.Call))
	Ask(ctx context.Context, to link.Peer, e *wire.Envelope) (*wire.Envelope, error)
}

// tally adds up the counters of all nodes. Any goroutine.
type tally struct {
	// Set before the start, read-only afterwards.
	name  string // of this node
	own   func() push.Stats
	nodes crowd // nil for a server alone

	last chan tallied // holds the last answer; who takes it asks, and the others wait
}

// tallied are the counters of a cluster: the sum, and the parts.
type tallied struct {
	push.Stats
	ByNode []nodeStats `json:"byNode"` // by name
	Missed []string    `json:"silent"` // names of members that did not answer

	at time.Time
}

type nodeStats struct {
	Node  string     `json:"node"`
	ID    string     `json:"id,omitempty"`
	Stats push.Stats `json:"stats"`
}

func newTally(name string, own func() push.Stats) *tally {
	t := &tally{name: name, own: own, last: make(chan tallied, 1)}
	t.last <- tallied{}
	return t
}

// spread makes it one of a cluster's, before that starts.
func (t *tally) spread(c crowd) {
	t.nodes = c
	c.ServeCall(wire.OpStats, func(c *link.Call) {
		body, err := json.Marshal(t.own())
		if err != nil {
			c.Fail(err)
			return
		}
		c.Answer(&wire.Envelope{Body: body})
	})
}

// ask returns the counters of all nodes that answer in time. The error is ctx's.
func (t *tally) ask(ctx context.Context) (tallied, error) {
	if t.nodes == nil {
		own := t.own()
		return tallied{Stats: own, ByNode: []nodeStats{{Node: t.name, Stats: own}}, Missed: []string{}}, ctx.Err()
	}
	select {
	case all := <-t.last:
		if time.Since(all.at) >= tallyFresh {
			all = t.poll()
		}
		t.last <- all
		return all, nil
	case <-ctx.Done():
		return tallied{}, ctx.Err()
	}
}

// poll asks every member at once. Its time is bounded by itself, not by who asks: the
// answer is for the next ones too.
func (t *tally) poll() tallied {
	ctx, cancel := context.WithTimeout(context.Background(), tallyTime)
	defer cancel()
	self, members := t.nodes.Self(), t.nodes.Members().Members()
	answers := make([]*push.Stats, len(members)) // nil: none
	var asked sync.WaitGroup
	for i, m := range members {
		if m.ID != self.ID {
			asked.Go(func() { answers[i] = t.askOne(ctx, link.Peer{ID: m.ID, Addr: m.Addr}) })
		}
	}
	asked.Wait()
	all := tallied{Stats: t.own(), Missed: []string{}}
	all.ByNode = append(all.ByNode, nodeStats{cmp.Or(t.name, self.Addr), self.ID, all.Stats})
	for i, m := range members {
		switch {
		case m.ID == self.ID:
		case answers[i] == nil:
			all.Missed = append(all.Missed, m.Name)
		default:
			all.Add(*answers[i])
			all.ByNode = append(all.ByNode, nodeStats{m.Name, m.ID, *answers[i]})
		}
	}
	all.Silent = len(all.Missed)
	slices.SortFunc(all.ByNode, func(a, b nodeStats) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.ID, b.ID)) })
	slices.Sort(all.Missed)
	all.at = time.Now()
	return all
}

// askOne returns nil when the node does not answer, or is of a version that cannot.
func (t *tally) askOne(ctx context.Context, to link.Peer) *push.Stats {
	e, err := t.nodes.Ask(ctx, to, &wire.Envelope{Op: wire.OpStats})
	if err != nil {
		return nil
	}
	var s push.Stats
	if json.Unmarshal(e.Body, &s) != nil {
		return nil
	}
	return &s
}

// serve answers operators: what the public /stats says, and each node's part of it.
func (t *tally) serve(w http.ResponseWriter, r *http.Request) {
	all, err := t.ask(r.Context())
	if err != nil {
		return // the caller has gone
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(all) // the reader has gone: nobody to tell
}
