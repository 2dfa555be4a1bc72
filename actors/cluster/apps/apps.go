// Package apps makes the applications of a cluster's nodes one: references reach
// sessions of other nodes, groups have members on all of them.
package apps

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/shaddock-game/shaddock/actors"
	"github.com/shaddock-game/shaddock/actors/cluster/post"
	"github.com/shaddock-game/shaddock/actors/cluster/roster"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// Apps is one application's way to the others. Its methods are usable from any
// goroutine.
type Apps struct {
	office *post.Office
	app    *actors.App
	self   string
	lease  store.Lease                        // of this node's record, once seen; the office's loop's
	others atomic.Pointer[[]actors.OtherNode] // written by the office's loop
}

// Join spreads an application over a mesh, before both start. The node's record has
// to say App.Prefix, see cluster.Config.Sessions. Close it behind the node.
func Join(app *actors.App, m post.Mesh, log *slog.Logger) *Apps {
	a := &Apps{app: app, self: m.Self().ID}
	a.others.Store(new([]actors.OtherNode))
	app.Spread(a)
	a.office = post.Open(post.Config{
		Mesh: m, Posted: app.Posted, Changed: a.changed, Logger: log,
		Gone: func(node string, _ int) { app.NodeGone(node) },
	})
	return a
}

// Post implements actors.Nodes.
func (a *Apps) Post(node string, body []byte) error {
	err := a.office.Post(node, body)
	if errors.Is(err, post.ErrNoNode) {
		return fmt.Errorf("node %s: %w", node, actors.ErrNoNode)
	}
	return err
}

// Others implements actors.Nodes.
func (a *Apps) Others() []actors.OtherNode { return *a.others.Load() }

// changed keeps the list for those who ask often, and notices when this node comes
// back: its record has another lease then.
func (a *Apps) changed(v *roster.View) {
	if m, there := v.Get(a.self); there && m.Lease != a.lease {
		if a.lease != 0 {
			a.app.NodeBack()
		}
		a.lease = m.Lease
	}
	var next []actors.OtherNode
	for _, m := range v.Members() {
		if m.ID != a.self && m.Sessions != 0 {
			next = append(next, actors.OtherNode{ID: m.ID, Name: m.Name, Prefix: m.Sessions, Gate: m.Has(roster.Gate)})
		}
	}
	if !slices.Equal(next, *a.others.Load()) {
		a.others.Store(&next)
	}
}

// Stats returns the counters of the way there and back.
func (a *Apps) Stats() post.Stats { return a.office.Stats() }

// Close ends it.
func (a *Apps) Close() { a.office.Close() }
