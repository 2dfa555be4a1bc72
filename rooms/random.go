package rooms

import "math/rand/v2"

// newRand returns the random source of one room.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)) }
