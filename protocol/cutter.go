package protocol

import (
	"errors"
	"slices"
)

// Cutter cuts packages out of a byte stream that arrives in pieces of any size.
// The zero value is ready. It has one owner and no locks.
//
// Packages that lie whole inside one piece are handed out in place, without a
// copy and without an allocation. Only a package that spans pieces is put
// together in a buffer of its own, which grows with what has really arrived: to
// announce a long body and send nothing costs us nothing.
type Cutter struct {
	head [HeadLen]byte // of the unfinished package
	have int           // bytes of head present, 0: no package is unfinished
	body []byte        // what has arrived of its body
	own  bool          // the package returned last was put together in body
}

// Cut returns the next package of the stream whose next piece is in, and what is
// left of in behind it. limit is the longest body accepted, in bytes. ErrShort
// means that all of in has been taken and the next piece is needed; a
// *DecodeError means that the stream is lost: close it, and drop the Cutter.
//
// p.Body aliases in, unless Spanned says otherwise. Call Cut until ErrShort:
//
//	for {
//		p, in, err = c.Cut(in, limit)
//		if err != nil {
//			break // ErrShort: read on
//		}
//		…
//	}
func (c *Cutter) Cut(in []byte, limit int) (p Packet, rest []byte, err error) {
	c.own = false
	if c.have == 0 {
		p, rest, err = CutPacket(in, limit)
		if err == nil || !errors.Is(err, ErrShort) {
			return p, rest, err
		}
	}
	return c.join(in, limit)
}

// Spanned reports whether the package that Cut returned last came in several
// pieces: its Body is then a copy that belongs to the caller and aliases no input.
func (c *Cutter) Spanned() bool { return c.own }

// Buffered returns how many bytes of an unfinished package are held.
func (c *Cutter) Buffered() int { return c.have + len(c.body) }

// join adds in to the unfinished package.
func (c *Cutter) join(in []byte, limit int) (Packet, []byte, error) {
	n := copy(c.head[c.have:], in)
	c.have += n
	in = in[n:]
	if c.have < HeadLen {
		return Packet{}, nil, ErrShort // CutPacket has seen the type
	}
	size, err := parseHead(c.head, limit)
	if err != nil {
		return Packet{}, in, err
	}
	take := min(size-len(c.body), len(in))
	c.grow(len(c.body)+take, size)
	c.body = append(c.body, in[:take]...)
	if len(c.body) < size {
		return Packet{}, nil, ErrShort
	}
	p := Packet{Type: PacketType(c.head[0]), Body: c.body[:size:size]}
	c.have, c.body, c.own = 0, nil, true
	return p, in[take:], nil
}

// trusted is how much of an announced body is allocated before it has arrived.
const trusted = 1 << 10

// grow makes room for need bytes of a body of size bytes: all of it when it is
// small, else twice what is there, so that the copies stay linear.
func (c *Cutter) grow(need, size int) {
	if need > cap(c.body) {
		c.body = slices.Grow(c.body, min(size, max(2*need, trusted))-len(c.body))
	}
}
