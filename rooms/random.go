package rooms

import (
	"math/rand/v2"
	"strconv"
	"sync/atomic"
)

// newRand returns the random source of one room.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)) }

// names makes up names of rooms. Any goroutine.
type names struct {
	prefix string // random, so that no two hosts make up the same
	made   atomic.Uint64
}

func (h *Host) newName() string { return h.names.prefix + strconv.FormatUint(h.names.made.Add(1), 36) }

func newRoomPrefix() string { return strconv.FormatUint(rand.Uint64N(1<<48), 36) + "-" }
