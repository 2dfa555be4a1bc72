package protocol

import (
	"bytes"
	"compress/zlib"
	"io"
	"slices"
	"sync"
)

// inflater is a zlib reader with its source, kept for reuse: a new one costs 40 KB.
type inflater struct {
	src bytes.Reader
	z   io.ReadCloser // nil until the first good header
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// Inflate appends the data of the zlib stream body to dst, as it stands behind
// the 0x10 bit of a message, and returns the longer slice. limit is how many
// bytes may be appended: a stream that holds more is refused as soon as it
// passes it, with ReasonTooBig, so that no body can make the server allocate
// much more than limit. Every error is a *DecodeError, with which dst comes
// back as it was. body is not kept.
func Inflate(dst, body []byte, limit int) ([]byte, error) {
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	f.src.Reset(body)
	defer f.src.Reset(nil)
	if err := f.reset(); err != nil {
		return dst, badZlib(err)
	}
	out := dst
	for {
		room := limit - (len(out) - len(dst)) // how much more is welcome
		out = slices.Grow(out, min(room, 512)+1)
		// One byte more than welcome, to notice what does not fit.
		n, err := f.z.Read(out[len(out):min(cap(out), len(out)+room+1)])
		out = out[:len(out)+n]
		switch {
		case n > room:
			return dst, &DecodeError{Layer: "body", Rule: "zlib data within the limit", Got: int64(limit), Reason: ReasonTooBig}
		case err == io.EOF && f.src.Len() > 0:
			return dst, &DecodeError{Layer: "body", Rule: "nothing behind the zlib data", Got: int64(f.src.Len()), Reason: ReasonProtocol}
		case err == io.EOF:
			return out, nil
		case err != nil:
			return dst, badZlib(err)
		}
	}
}

func (f *inflater) reset() (err error) {
	if f.z != nil {
		return f.z.(zlib.Resetter).Reset(&f.src, nil)
	}
	z, err := zlib.NewReader(&f.src)
	if err == nil {
		f.z = z
	}
	return err
}

func badZlib(err error) error {
	return &DecodeError{Layer: "body", Rule: "zlib data", Reason: ReasonProtocol, Err: err}
}

var deflaters = sync.Pool{New: func() any { return zlib.NewWriter(io.Discard) }}

// Deflate appends body to dst as a zlib stream and returns the longer slice. Send
// it, with Message.Deflated, only to clients that asked for it.
func Deflate(dst, body []byte) []byte {
	z := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(z)
	buf := bytes.NewBuffer(dst)
	z.Reset(buf)
	_, _ = z.Write(body) // a bytes.Buffer takes everything
	_ = z.Close()
	z.Reset(io.Discard) // the pool must not keep the caller's bytes
	return buf.Bytes()
}
