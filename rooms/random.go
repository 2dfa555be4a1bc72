package rooms

import (
	"math/rand/v2"
	"strconv"
)

// newRand returns the random source of one room.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)) }

// newRoomPrefix begins the names of rooms that one host makes up, so that no two
// hosts make up the same.
func newRoomPrefix() string { return strconv.FormatUint(rand.Uint64N(1<<48), 36) + "-" }
