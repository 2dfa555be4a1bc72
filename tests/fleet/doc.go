// Package fleet runs clusters of real processes on one machine, for tests and for
// the programs that try what a cluster survives: etcd, and nodes that can be
// killed, stopped in their tracks, asked to leave and started again. Where the
// machine allows it each of them has a network of its own behind a cable, so that
// one can be cut off from some or from all others, see Network.
//
// Everything ends with the process that started it, however that one dies.
package fleet
