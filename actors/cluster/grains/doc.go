// Package grains lets programs that are written for protoactor's own cluster module
// be placed by our roster and directory: it is a ClusterProvider and an
// IdentityLookup for it.
//
//	p := grains.New(grains.Config{Open: func() (store.Store, error) { return etcd.Open(…) }})
//	c := cluster.New(system, p.Configure("town", remote.Configure(host, port), cluster.WithKinds(kind)))
//	c.StartMember()
//	…
//	err := p.Leave(ctx) // in place of c.Shutdown
//
// Each grain is active once: its owner is whoever created its key in the store. It
// is sticky, and the name of its actor ends with its epoch, the fencing token for
// whatever it writes (Epoch). A grain that stops, by itself or by passivation, gives
// its key up; who asks meanwhile waits for the next activation. Without Open the
// same directory is in memory, for a node alone.
//
// A node that is not sure of its lease has its grains answer nothing: requests fail
// at once with actor.ErrDeadLetter. If the lease lives on they go on as they were. If
// it has ended, the node is out for good, since protoactor's other members block an
// id that was ever absent: its grains are stopped, Config.Fenced is called, and the
// process has to be started anew.
//
// Gossip is parked by Configure: nothing here needs it, and it would block members
// that are well. PubSub and consensus checks, which are built on it, are not
// available.
package grains
