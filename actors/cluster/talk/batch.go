package talk

import (
	"encoding/binary"
	"errors"

	"github.com/shaddock-game/shaddock/protocol"
)

// PutUint appends a number, as uvarint.
func PutUint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

// PutBytes appends bytes with their length in front.
func PutBytes[T ~string | ~[]byte](b []byte, v T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// PutBool appends a number, 1 for true.
func PutBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// PutFrame appends a frame without its headroom.
func PutFrame(b []byte, f protocol.Frame) []byte {
	b = PutUint(b, f.Replace)
	b = PutBytes(b, f.Payload())
	if f.Text == nil {
		return append(b, 0)
	}
	return PutBytes(append(b, 1), f.Text)
}

// Reader reads a batch, which is Rest at first. After the first thing that cannot
// be read everything is zero, and Err says so.
type Reader struct {
	Rest []byte
	Err  error
}

var errBatch = errors.New("batch cannot be read")

// Next returns the code of the next operation; not ok: there is none.
func (o *Reader) Next() (code byte, ok bool) {
	if o.Err != nil || len(o.Rest) == 0 {
		return 0, false
	}
	code, o.Rest = o.Rest[0], o.Rest[1:]
	return code, true
}

// Uint reads a number.
func (o *Reader) Uint() uint64 {
	n, size := binary.Uvarint(o.Rest)
	if size <= 0 {
		o.Fail()
		return 0
	}
	o.Rest = o.Rest[size:]
	return n
}

// Bytes reads bytes; they alias the batch.
func (o *Reader) Bytes() []byte {
	n := o.Uint()
	if n > uint64(len(o.Rest)) {
		o.Fail()
		return nil
	}
	b := o.Rest[:n:n]
	o.Rest = o.Rest[n:]
	return b
}

// String reads a string.
func (o *Reader) String() string { return string(o.Bytes()) }

// Frame makes a frame of this process's own, since the transport writes into its
// headroom.
func (o *Reader) Frame() (f protocol.Frame) {
	f.Replace = o.Uint()
	payload := o.Bytes()
	f.Packages = append(protocol.AppendHeadroom(make([]byte, 0, protocol.Headroom+len(payload))), payload...)
	if o.Uint() == 1 {
		f.Text = o.Bytes()
	}
	return f
}

// Fail says that the batch makes no sense to whoever reads it.
func (o *Reader) Fail() { o.Rest, o.Err = nil, errBatch }
