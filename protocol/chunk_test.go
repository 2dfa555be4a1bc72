package protocol

import (
	"sync"
	"testing"
)

// A chunk is shared by the messages cut from it; whoever is last recycles it, and
// until then nobody else gets it.
func TestChunkSharedByGoroutines(t *testing.T) {
	const readers = 8
	var wg sync.WaitGroup
	for round := range 100 {
		c := NewChunk()
		fill := byte(round)
		for i := range c.Bytes() {
			c.Bytes()[i] = fill
		}
		for range readers {
			c.Retain()
			wg.Go(func() {
				defer c.Release()
				for i, b := range c.Bytes() {
					if b != fill {
						t.Errorf("round %d: byte %d is %d: the chunk was recycled under a reader", round, i, b)
						return
					}
				}
			})
		}
		c.Release()
	}
	wg.Wait()
}

func TestChunkCountsItsReferences(t *testing.T) {
	c := NewChunk()
	if len(c.Bytes()) != ChunkSize {
		t.Errorf("%d bytes, want %d", len(c.Bytes()), ChunkSize)
	}
	c.Retain()
	c.Release()
	if panics(c.Release) {
		t.Error("the last Release panics")
	}
	// Not from the pool: there somebody may have it already.
	spent := &Chunk{buf: new([ChunkSize]byte)}
	if !panics(spent.Release) {
		t.Error("one Release too many does not panic")
	}
	spent = &Chunk{buf: new([ChunkSize]byte)}
	if !panics(spent.Retain) {
		t.Error("Retain of a released chunk does not panic")
	}
}
