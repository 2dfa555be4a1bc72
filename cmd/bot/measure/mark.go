package measure

import (
	"bytes"
	"encoding/binary"
)

// Mark is what a publication carries through the server: enough to recognise
// it among all others, and the moment at which it was planned.
//
// On the wire it is 39 ASCII bytes that JSON and protobuf strings carry as they
// are, lower-case hexadecimal between two tildes:
//
//	~b | run 3 | worker 2 | room 5 | sender 6 | seq 8 | planned 12 | ~
type Mark struct {
	Run     uint16 // 12 bits: tells this run's messages from an earlier run's
	Worker  uint8  // the process that published: with Room it names the stream
	Room    uint32 // 20 bits
	Sender  uint32 // 24 bits: the publishing session, unique in the run
	Seq     uint32 // position in the stream
	Planned int64  // 48 bits: nanoseconds since the run's epoch
}

// MarkLen is the size of a mark on the wire.
const MarkLen = 39

// The widths above, as limits a run is checked against before it begins.
const (
	MaxRooms   = 1 << 20
	MaxSenders = 1 << 24
	MaxWorkers = 1 << 8
	maxPlanned = 1 << 48
)

// AppendMark appends m to dst. Fields wider than their column lose their high
// bits; the limits are checked when a run is set up.
func AppendMark(dst []byte, m Mark) []byte {
	dst = append(dst, '~', 'b')
	dst = appendHex(dst, uint64(m.Run), 3)
	dst = appendHex(dst, uint64(m.Worker), 2)
	dst = appendHex(dst, uint64(m.Room), 5)
	dst = appendHex(dst, uint64(m.Sender), 6)
	dst = appendHex(dst, uint64(m.Seq), 8)
	dst = appendHex(dst, uint64(m.Planned), 12)
	return append(dst, '~')
}

func appendHex(dst []byte, v uint64, digits int) []byte {
	const hex = "0123456789abcdef"
	for shift := (digits - 1) * 4; shift >= 0; shift -= 4 {
		dst = append(dst, hex[v>>shift&15])
	}
	return dst
}

// CutMark finds the first mark in b. rest is what follows it, for bodies that
// carry several. It allocates nothing and looks at no byte that cannot belong
// to a mark: this runs once per received push.
func CutMark(b []byte) (m Mark, rest []byte, ok bool) {
	for {
		i := bytes.IndexByte(b, '~')
		if i < 0 || len(b)-i < MarkLen {
			return Mark{}, nil, false
		}
		if b[i+1] == 'b' && b[i+MarkLen-1] == '~' && parseMark(b[i+2:i+MarkLen-1], &m) {
			return m, b[i+MarkLen:], true
		}
		b = b[i+1:]
	}
}

// parseMark reads the 36 digits of a mark as five overlapping words of eight.
func parseMark(d []byte, m *Mark) bool {
	_ = d[35]
	a, ok0 := hex8(d[0:8])
	b, ok1 := hex8(d[8:16])
	c, ok2 := hex8(d[16:24])
	e, ok3 := hex8(d[24:32])
	f, ok4 := hex8(d[28:36])
	m.Run = uint16(a >> 20)
	m.Worker = uint8(a >> 12)
	m.Room = a&0xfff<<8 | b>>24
	m.Sender = b & 0xffffff
	m.Seq = c
	m.Planned = int64(e)<<16 | int64(f&0xffff)
	return ok0 && ok1 && ok2 && ok3 && ok4
}

// hex8 reads eight lower-case hexadecimal digits at once: the bytes of a word
// are handled side by side, since a loop per digit would be the largest part of
// the cost of a received push.
func hex8(d []byte) (uint32, bool) {
	const ones = 0x0101010101010101
	w := binary.BigEndian.Uint64(d)
	letter := w >> 6 & ones // 1 for 'a'..'f', 0 for '0'..'9'
	digit := w&(0x0f*ones) + letter*9
	ok := digit&(0xf0*ones) == 0 && w == digitsOf(digit)
	// Fold pairs of nibbles into bytes, bytes into the word.
	digit = (digit>>4 | digit) & 0x00ff00ff00ff00ff
	v := digit>>48&0xff<<24 | digit>>32&0xff<<16 | digit>>16&0xff<<8 | digit&0xff
	return uint32(v), ok
}

// digitsOf writes eight nibbles (one per byte) as digits: the inverse that
// tells whether the input was made of digits at all.
func digitsOf(n uint64) uint64 {
	const ones = 0x0101010101010101
	letter := (n + 6*ones) >> 4 & ones // 1 for 10..15
	return n + '0'*ones + letter*('a'-'0'-10)
}
