// Package cluster makes a process one node of a cluster. Its parts stand by
// themselves and know nothing of each other's insides:
//
//	store      the small consistent store, on etcd or in memory
//	roster     who is there, and whether we still are
//	carrier    envelopes over the actor runtime's remote
//	link       envelopes and calls, bounded and counted
//	directory  which node runs which room
//	flow       a lossy direction of a conversation, repaired
//	talk       a conversation of two such directions
//	post       messages from node to node, by flows
//	apps       sessions and groups of other nodes, by the post
//
// Node puts them together and starts and stops them in the one order that works.
// It knows no rooms: package rooms brings what runs them (Serve) and what they say
// to each other (Direct).
package cluster
