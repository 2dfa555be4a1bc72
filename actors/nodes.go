package actors

import "errors"

// Nodes is how an application reaches those of the other nodes of its cluster.
// Package cluster/apps makes one; a node alone has none. Its methods are safe from
// any goroutine and do not block.
type Nodes interface {
	// Post hands a message to the application of a node, whose App.Posted gets it.
	// The messages of one goroutine to one node arrive in the order of the calls, each
	// once, unless App.NodeGone tells that the node has left. With an error nothing
	// was sent.
	Post(node string, body []byte) error
	// Others lists the other nodes that take messages. The slice is the callee's.
	Others() []OtherNode
}

// OtherNode is another node of the cluster.
type OtherNode struct {
	ID     string // of its process, another with every start
	Name   string // the operator's
	Prefix uint64 // of the ids of its sessions, App.Prefix there
	Gate   bool   // it takes players
}

// ErrNoNode says that the node of a session is not in the cluster, or that this is
// a node alone.
var ErrNoNode = errors.New("no node has this session")

// Spread makes the application one of several: references reach sessions of other
// nodes, and groups have members there. It is for the time before Start.
func (a *App) Spread(n Nodes) {
	a.nodes = n
	a.far = a.startFar()
}

// Prefix returns what the ids of this application's sessions begin with: by it other
// nodes know where a session is.
func (a *App) Prefix() uint64 { return a.prefix }

// others lists the other nodes, none for a node alone.
func (a *App) others() []OtherNode {
	if a.nodes == nil {
		return nil
	}
	return a.nodes.Others()
}

// gates lists the other nodes that have players.
func (a *App) gates() []OtherNode {
	var gates []OtherNode
	for _, n := range a.others() {
		if n.Gate {
			gates = append(gates, n)
		}
	}
	return gates
}

// nodeOf returns the other node that a session is on.
func (a *App) nodeOf(session uint64) (OtherNode, bool) {
	for _, n := range a.others() {
		if n.Prefix == session>>serialBits {
			return n, true
		}
	}
	return OtherNode{}, false
}

// Find returns the reference to a session of any node; false when no node of the
// cluster can have it. Of a session elsewhere the reference knows neither user nor
// attributes before Ref.Refresh, and a session that has ended may be found: what is
// sent to it is counted there.
func (a *App) Find(id uint64) (*Ref, bool) {
	if id>>serialBits == a.prefix {
		return a.Session(id)
	}
	if _, ok := a.nodeOf(id); !ok {
		return nil, false
	}
	return &Ref{id: id, app: a}, true
}

// post sends a message to another node, and counts it when that is not possible.
func (a *App) post(node string, body []byte) error {
	err := ErrNoNode
	if a.nodes != nil {
		err = a.nodes.Post(node, body)
	}
	if err != nil {
		a.stats.FarRefused.Add(1)
		a.cfg.Logger.Debug("message to another node refused", "node", node, "error", err)
		return err
	}
	a.stats.FarSent.Add(1)
	return nil
}
