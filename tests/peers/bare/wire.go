package main

import (
	"encoding/binary"
	"errors"

	"github.com/gobwas/ws"
)

// The pomelo wire, as much of it as the routes need. A package is
// type u8 | length u24 | body; a message is flag u8 | [id varint] | [route] | body.
const (
	packHandshake = 1
	packAck       = 2
	packHeartbeat = 3
	packData      = 4
	packHead      = 4

	flagNotify   = 1 << 1
	flagResponse = 2 << 1
	flagPush     = 3 << 1
)

var (
	errShort   = errors.New("input ends inside a unit")
	errForeign = errors.New("input is not what the yardstick speaks")
)

// message is one decoded request or notify; route and body alias the input.
type message struct {
	request bool
	id      uint64
	route   []byte
	body    []byte
}

// cutFrame takes one unfragmented, masked WebSocket frame from b and unmasks its
// payload in place.
func cutFrame(b []byte) (op ws.OpCode, payload, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, nil, errShort
	}
	if b[0]&0xF0 != 0x80 || b[1]&0x80 == 0 {
		return 0, nil, nil, errForeign
	}
	n, head := int(b[1]&0x7F), 2
	switch {
	case n == 127:
		return 0, nil, nil, errForeign
	case n == 126 && len(b) < 4:
		return 0, nil, nil, errShort
	case n == 126:
		n, head = int(binary.BigEndian.Uint16(b[2:])), 4
	}
	if len(b) < head+4+n {
		return 0, nil, nil, errShort
	}
	payload, rest = b[head+4:head+4+n], b[head+4+n:]
	ws.Cipher(payload, [4]byte(b[head:]), 0)
	return ws.OpCode(b[0] & 0x0F), payload, rest, nil
}

// cutPackage takes one package from a WebSocket message, which holds whole ones.
func cutPackage(b []byte) (typ byte, body, rest []byte, err error) {
	if len(b) < packHead {
		return 0, nil, nil, errForeign
	}
	end := packHead + int(b[1])<<16 + int(b[2])<<8 + int(b[3])
	if len(b) < end {
		return 0, nil, nil, errForeign
	}
	return b[0], b[packHead:end], b[end:], nil
}

// parseMessage decodes the body of a data package.
func parseMessage(b []byte) (m message, err error) {
	if len(b) < 1 {
		return m, errForeign
	}
	flag, b := b[0], b[1:]
	switch flag {
	case 0:
		id, n := binary.Uvarint(b)
		if n <= 0 {
			return m, errForeign
		}
		m.request, m.id, b = true, id, b[n:]
	case flagNotify:
	default:
		return m, errForeign
	}
	if len(b) < 1 || len(b) < 1+int(b[0]) {
		return m, errForeign
	}
	m.route, m.body = b[1:1+b[0]], b[1+b[0]:]
	return m, nil
}

// frame builds one WebSocket message with one package in it. Its buffer is
// reused: bytes are good until the next begin.
type frame struct {
	buf []byte
}

// room for the longest unmasked WebSocket header
const frameHead = 10

func (f *frame) begin(typ byte) {
	f.buf = append(f.buf[:0], make([]byte, frameHead)...)
	f.buf = append(f.buf, typ, 0, 0, 0)
}

func (f *frame) beginPush(route string) {
	f.begin(packData)
	f.buf = append(f.buf, flagPush, byte(len(route)))
	f.buf = append(f.buf, route...)
}

func (f *frame) beginResponse(id uint64) {
	f.begin(packData)
	f.buf = append(f.buf, flagResponse)
	f.buf = binary.AppendUvarint(f.buf, id)
}

// end writes both lengths and returns the finished WebSocket message.
func (f *frame) end() []byte {
	n := len(f.buf) - frameHead
	body := n - packHead
	f.buf[frameHead+1], f.buf[frameHead+2], f.buf[frameHead+3] = byte(body>>16), byte(body>>8), byte(body)
	switch {
	case n < 126:
		b := f.buf[frameHead-2:]
		b[0], b[1] = 0x82, byte(n)
		return b
	case n < 1<<16:
		b := f.buf[frameHead-4:]
		b[0], b[1] = 0x82, 126
		binary.BigEndian.PutUint16(b[2:], uint16(n))
		return b
	default:
		b := f.buf
		b[0], b[1] = 0x82, 127
		binary.BigEndian.PutUint64(b[2:], uint64(n))
		return b
	}
}
