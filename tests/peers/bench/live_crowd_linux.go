package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// liveCrowd is the audience of one live room: sockets that count what they hear,
// check its order and, a few of them, its latency. It is written for millions of
// messages a second beside the server on the same two cores, so it knows only
// what a server here sends, and allocates nothing per message.
type liveCrowd struct {
	members []*member
	readers []*reader
	said    int64                // messages asked of the room
	count   [liveSpeakers]uint32 // the same, by speaker, from the start
	base    int64                // heard before the measurement
	since   atomic.Int64         // what was due before is not timed
	done    sync.WaitGroup
	quit    atomic.Bool
}

// member is one socket. Its reader owns it once the crowd listens.
type member struct {
	fd      int
	tail    []byte // what has come of a unit that is not whole
	payload int    // bytes of the WebSocket message that are still to come
	sample  bool
	stalled bool

	heard uint64               // messages
	order uint64               // hash of who said what, in the order heard
	next  [liveSpeakers]uint32 // what each speaker says next
	wrong uint64               // messages that were not next
}

// reader is a thread that reads its share of the crowd.
type reader struct {
	crowd   *liveCrowd
	epoll   int
	members []*member
	byFD    map[int32]*member
	buf     []byte
	at      int // where a speaker's mark begins in a body; 0: not known yet
	heard   atomic.Int64
	delays  histogram
	err     error
}

const (
	liveSpeakers = 4
	liveReaders  = 2
	liveBuffer   = 256 << 10
	// sampleEvery of the members time what they hear; all count it.
	sampleEvery = 64
)

// A mark is what a speaker puts into a message: itself, its count and the moment
// at which the message was due, in hexadecimal nanoseconds.
const (
	markText = "%x:%08x:%012x"
	markLen  = 1 + 1 + 8 + 1 + 12
)

var markBefore = []byte(`"content":"`)

// gather connects n members to url and seats them in a room.
func gather(ctx context.Context, url, room string, n, stalled int) (*liveCrowd, error) {
	c := &liveCrowd{}
	c.since.Store(math.MaxInt64) // until the room is at rest
	for range liveReaders {
		ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return c, fmt.Errorf("create epoll: %w", err)
		}
		c.readers = append(c.readers, &reader{crowd: c, epoll: ep, byFD: make(map[int32]*member), buf: make([]byte, liveBuffer)})
	}
	for i := range n {
		m, err := seat(ctx, url, room, i)
		if err != nil {
			return c, fmt.Errorf("member %d: %w", i, err)
		}
		m.sample, m.stalled = i%sampleEvery == 0, i >= n-stalled
		c.members = append(c.members, m)
		r := c.readers[i%liveReaders]
		r.members, r.byFD[int32(m.fd)] = append(r.members, m), m
		if m.stalled {
			continue
		}
		ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(m.fd)}
		if err := unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, m.fd, &ev); err != nil {
			return c, fmt.Errorf("watch member %d: %w", i, err)
		}
	}
	for _, r := range c.readers {
		c.done.Go(r.run)
	}
	return c, nil
}

// perLiveAddress is how many members share a source address: one has some 28,000
// ports.
const perLiveAddress = 20_000

// seat opens one connection, shakes hands and joins.
func seat(ctx context.Context, url, room string, i int) (*member, error) {
	local := &net.TCPAddr{IP: netip.AddrFrom4([4]byte{127, 0, 2, byte(1 + i/perLiveAddress)}).AsSlice()}
	dialer := ws.Dialer{NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: local}
		return d.DialContext(ctx, network, addr)
	}}
	conn, early, _, err := dialer.Dial(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close() // its descriptor is duplicated below
	if early != nil {
		return nil, errors.New("the server spoke before it was asked")
	}
	for _, text := range [][]byte{
		appendPackage(nil, packHandshake, []byte(`{"sys":{"type":"crowd","version":"1"},"user":{}}`)),
		append(appendPackage(nil, packAck, nil), appendPackage(nil, packData, appendRequest(nil, 1, "live.join", `{"room":"`+room+`"}`))...),
	} {
		if err := ws.WriteFrame(conn, ws.MaskFrameInPlace(ws.NewBinaryFrame(text))); err != nil {
			return nil, err
		}
	}
	if err := awaitJoin(conn); err != nil {
		return nil, err
	}
	fd, err := takeDescriptor(conn)
	return &member{fd: fd}, err
}

// awaitJoin reads up to the answer of the join.
func awaitJoin(conn net.Conn) error {
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second)) // a read tells
	for {
		f, err := ws.ReadFrame(conn)
		if err != nil {
			return err
		}
		if f.Header.OpCode == ws.OpClose {
			return fmt.Errorf("closed: %q", f.Payload)
		}
		for b := f.Payload; len(b) >= packHead; {
			size := packHead + packLen(b)
			if size > len(b) {
				return errors.New("a package is not whole")
			}
			if b[0] == packData && b[packHead]&0b1110 == flagResponse {
				if !bytes.Contains(b[:size], []byte(`success`)) {
					return fmt.Errorf("join was answered %q", b[packHead:size])
				}
				return nil
			}
			b = b[size:]
		}
	}
}

// takeDescriptor takes a socket out of the reach of Go's poller, which would be
// woken by every message as well.
func takeDescriptor(conn net.Conn) (int, error) {
	f, err := conn.(*net.TCPConn).File()
	if err != nil {
		return 0, fmt.Errorf("take a descriptor: %w", err)
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("take a descriptor: %w", err)
	}
	return fd, unix.SetNonblock(fd, true)
}

// run reads until the crowd is told to quit.
func (r *reader) run() {
	events := make([]unix.EpollEvent, 256)
	for !r.crowd.quit.Load() {
		n, err := unix.EpollWait(r.epoll, events, 100)
		if err != nil && !errors.Is(err, unix.EINTR) {
			r.err = fmt.Errorf("wait for messages: %w", err)
			return
		}
		for i := range max(n, 0) {
			m := r.byFD[events[i].Fd]
			if err := r.read(m); err != nil {
				r.err = err
				_ = unix.EpollCtl(r.epoll, unix.EPOLL_CTL_DEL, m.fd, nil)
			}
		}
	}
}

func (r *reader) read(m *member) error {
	n, _, err := unix.Recvfrom(m.fd, r.buf[copy(r.buf, m.tail):], 0)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return fmt.Errorf("read: %w", err)
	case n == 0:
		return errors.New("read: the server closed")
	}
	before := m.heard
	rest, err := r.parse(m, r.buf[:len(m.tail)+n], time.Since(liveEpoch))
	m.tail = append(m.tail[:0], rest...)
	r.heard.Add(int64(m.heard - before))
	return err
}

// liveEpoch is what the moments in marks count from.
var liveEpoch = time.Now()

// parse takes whole units off b and returns the rest.
func (r *reader) parse(m *member, b []byte, now time.Duration) ([]byte, error) {
	for {
		if m.payload == 0 {
			op, n, head := cutHeader(b)
			if head == 0 {
				return b, nil
			}
			if op == ws.OpClose {
				return nil, fmt.Errorf("read: closed: %q", b[head:])
			}
			m.payload, b = n, b[head:]
			continue
		}
		if len(b) < packHead {
			return b, nil
		}
		size := packHead + packLen(b)
		if size > m.payload {
			return nil, errors.New("read: a message ends inside a package")
		}
		if size > len(b) {
			return b, nil
		}
		if b[0] == packData {
			r.hear(m, b[packHead:size], now)
		}
		m.payload -= size
		b = b[size:]
	}
}

// cutHeader reads the header of an unmasked frame; head is 0 when it is not whole.
func cutHeader(b []byte) (op ws.OpCode, n, head int) {
	if len(b) < 2 {
		return 0, 0, 0
	}
	op, n, head = ws.OpCode(b[0]&0x0F), int(b[1]&0x7F), 2
	switch {
	case n == 126:
		if head = 4; len(b) >= head {
			n = int(binary.BigEndian.Uint16(b[2:]))
		}
	case n == 127:
		if head = 10; len(b) >= head {
			n = int(binary.BigEndian.Uint64(b[2:]))
		}
	}
	if len(b) < head {
		return 0, 0, 0
	}
	return op, n, head
}

// hear accounts for one message. All bodies of a run have their mark at the same
// place, so it is searched once.
func (r *reader) hear(m *member, body []byte, now time.Duration) {
	if r.at == 0 || len(body) < r.at+markLen || body[r.at+1] != ':' || body[r.at+10] != ':' {
		i := bytes.Index(body, markBefore)
		if i < 0 {
			return // a count of members
		}
		r.at = i + len(markBefore)
	}
	mark := body[r.at:]
	if len(mark) < markLen {
		m.wrong++
		return
	}
	who, n := nibble[mark[0]]%liveSpeakers, uint32(hexOf(mark[2:10]))
	if n != m.next[who] {
		m.wrong++
	}
	m.next[who] = n + 1
	m.heard++
	m.order = (m.order ^ uint64(who)<<32 ^ uint64(n)) * 0x100000001b3
	if m.sample {
		if due := int64(hexOf(mark[11:markLen])); due >= r.crowd.since.Load() {
			r.delays.add(now - time.Duration(due))
		}
	}
}

// nibble is the value of a hexadecimal digit.
var nibble = func() (t [256]byte) {
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	return t
}()

func hexOf(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<4 | uint64(nibble[c])
	}
	return n
}

// heard is the number of messages that all members heard.
func (c *liveCrowd) heard() (n int64) {
	for _, r := range c.readers {
		n += r.heard.Load()
	}
	return n
}

// leave ends the readers and closes the sockets; then the members are the caller's.
func (c *liveCrowd) leave() error {
	c.quit.Store(true)
	c.done.Wait()
	var errs []error
	for _, r := range c.readers {
		errs = append(errs, r.err)
		unix.Close(r.epoll)
	}
	for _, m := range c.members {
		unix.Close(m.fd)
	}
	return errors.Join(errs...)
}

// appendPackage appends one pomelo package: type, length in 24 bits, body.
func appendPackage(dst []byte, typ byte, body []byte) []byte {
	n := len(body)
	return append(append(dst, typ, byte(n>>16), byte(n>>8), byte(n)), body...)
}

func packLen(b []byte) int { return int(b[1])<<16 | int(b[2])<<8 | int(b[3]) }

// appendRequest appends a request, or for id 0 a notify.
func appendRequest(dst []byte, id byte, route, body string) []byte {
	if id == 0 {
		dst = append(dst, flagNotify)
	} else {
		dst = append(dst, flagRequest, id)
	}
	dst = append(dst, byte(len(route)))
	return append(append(dst, route...), body...)
}

// The parts of pomelo's wire that the crowd speaks.
const (
	packHandshake = 1
	packAck       = 2
	packData      = 4
	packHead      = 4

	flagRequest  = 0 << 1
	flagNotify   = 1 << 1
	flagResponse = 2 << 1
)
