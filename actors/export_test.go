package actors

import "github.com/shaddock-game/shaddock/actors/cluster/directory"

// ShardKey is who keeps a user of a cluster.
func ShardKey(uid string) directory.Key { return shardKey(shardOf(uid)) }

// FirstLogin is the first batch of a node on which one session wants to log in.
func FirstLogin(uid string, session uint64) []byte {
	return putLogin([]byte{saysHello, saysBind}, uid, session, 1)
}
