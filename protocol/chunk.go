package protocol

import (
	"sync"
	"sync/atomic"
)

// ChunkSize is the length of every chunk, in bytes.
const ChunkSize = 64 << 10

// Chunk is a reference-counted read buffer from a pool. Messages cut from it
// alias it, and each of them holds a reference until it has been handled.
// Retain and Release may be called from any goroutine; the bytes have no lock:
// whoever fills them does so before handing on what aliases them.
type Chunk struct {
	refs atomic.Int32
	// An array of its own: inside the struct it would push the allocation into
	// the next size class and waste a page.
	buf *[ChunkSize]byte
}

var chunkPool = sync.Pool{New: func() any { return &Chunk{buf: new([ChunkSize]byte)} }}

// NewChunk returns a chunk with one reference, the caller's. Its bytes are
// whatever the last user left there.
func NewChunk() *Chunk {
	c := chunkPool.Get().(*Chunk)
	c.refs.Store(1)
	return c
}

// Bytes returns all ChunkSize bytes, valid while the caller holds a reference.
func (c *Chunk) Bytes() []byte { return c.buf[:] }

// Sole reports whether the caller's reference is the only one, so that the bytes
// may be filled anew from the start.
func (c *Chunk) Sole() bool { return c.refs.Load() == 1 }

// Retain takes one more reference. The caller must hold one already.
func (c *Chunk) Retain() {
	if c.refs.Add(1) <= 1 {
		panic("protocol: Retain of a released chunk")
	}
}

// Release gives one reference back; the last one returns the chunk to the pool.
// It panics when there was none: somebody else would be reading the bytes.
func (c *Chunk) Release() {
	switch n := c.refs.Add(-1); {
	case n == 0:
		chunkPool.Put(c)
	case n < 0:
		panic("protocol: Release of a released chunk")
	}
}
