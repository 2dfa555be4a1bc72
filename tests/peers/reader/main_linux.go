// Command reader is the yardstick for load generators: the least that a program on
// Linux can spend on receiving pushes. It joins the rooms of the benchmark routes
// with many connections, publishes at a rate, and reads: one thread, one epoll
// instance, read(2) for what is ready, a walk over the heads of the frames to count
// them. It measures no latency, keeps no account and has no timers.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3261", "host:port of the server; the path is /nano")
	sessions := flag.Int("sessions", 10_000, "connections")
	rooms := flag.Int("rooms", 10, "rooms, filled evenly")
	rate := flag.Int("rate", 30, "messages a second into all rooms")
	duration := flag.Duration("duration", 5*time.Second, "how long to measure")
	flag.Parse()
	debug.SetGCPercent(-1) // only connecting allocates
	runtime.LockOSThread()
	if err := run(*addr, *sessions, *rooms, *rate, *duration); err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(1)
	}
}

// reader is the connections and what they have received.
type reader struct {
	fds    []int
	epoll  int
	buf    []byte
	pushes int64
}

func run(addr string, sessions, rooms, rate int, duration time.Duration) error {
	r := &reader{buf: make([]byte, 64<<10)}
	var err error
	if r.epoll, err = unix.EpollCreate1(0); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for i := range sessions {
		fd, err := join(addr, i, i%rooms)
		if err != nil {
			return fmt.Errorf("session %d: %w", i, err)
		}
		r.fds = append(r.fds, fd)
		ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
		if err := unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
	}
	r.until(time.Now().Add(time.Second)) // what joining still brings
	r.pushes = 0
	before := used()
	if err := r.measure(rate, duration); err != nil {
		return err
	}
	cpu := used() - before
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"pushes": r.pushes, "cpu_seconds": cpu.Seconds(), "cpu_us_per_push": cpu.Seconds() * 1e6 / float64(r.pushes),
	})
}

// measure publishes at the rate and reads until all has come.
func (r *reader) measure(rate int, duration time.Duration) error {
	start := time.Now()
	n := int(duration.Seconds() * float64(rate))
	for i := range n {
		r.until(start.Add(time.Duration(i) * time.Second / time.Duration(rate)))
		frame := masked(packet(4, message(0, "room.message", fmt.Sprintf(`{"name":"player %d","content":"~b%036d~"}`, i, i))))
		if _, err := unix.Write(r.fds[i%len(r.fds)], frame); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	r.until(time.Now().Add(500 * time.Millisecond))
	return nil
}

// until reads until the given moment.
func (r *reader) until(end time.Time) {
	events := make([]unix.EpollEvent, 512)
	for {
		wait := time.Until(end)
		if wait <= 0 {
			return
		}
		n, _ := unix.EpollWait(r.epoll, events, int((wait+time.Millisecond-1)/time.Millisecond)) // interrupted: again
		for i := range max(n, 0) {
			got, err := unix.Read(int(events[i].Fd), r.buf)
			if err == nil {
				r.pushes += frames(r.buf[:got])
			}
		}
	}
}

// frames counts the unmasked WebSocket frames in b, which begins with one.
func frames(b []byte) (n int64) {
	for len(b) >= 2 {
		size, head := int(b[1]&0x7f), 2
		if size == 126 && len(b) >= 4 {
			size, head = int(binary.BigEndian.Uint16(b[2:])), 4
		}
		n++
		b = b[min(len(b), head+size):]
	}
	return n
}

// used is the processor time of this process.
func used() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // does not fail for this process
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// join opens one connection and enters its room. The descriptor is blocking and
// the caller's.
func join(addr string, i, room int) (int, error) {
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 2, byte(1+i/4000))} // an address has 28,000 ports
	nc, err := (&net.Dialer{LocalAddr: from}).Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	in := bufio.NewReader(nc)
	fmt.Fprintf(nc, "GET /nano HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", addr)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		return 0, fmt.Errorf("upgrade: %w", err)
	}
	body := fmt.Sprintf(`{"room":"room-%d"}`, room)
	for _, step := range []struct {
		send []byte
		want string
	}{
		{packet(1, []byte(`{"sys":{},"user":{}}`)), `"code":200`},
		{append(packet(2, nil), packet(4, message(1, "room.join", body))...), `"success"`},
	} {
		if _, err := nc.Write(masked(step.send)); err != nil {
			return 0, err
		}
		if err := await(in, step.want); err != nil {
			return 0, err
		}
	}
	return detach(nc.(*net.TCPConn))
}

// await reads frames until one holds text.
func await(in *bufio.Reader, text string) error {
	for {
		head, err := in.Peek(2)
		if err != nil {
			return err
		}
		size := 2 + int(head[1]&0x7f)
		if size == 2+126 { // who is there already can be a long list
			if head, err = in.Peek(4); err != nil {
				return err
			}
			size = 4 + int(binary.BigEndian.Uint16(head[2:]))
		}
		frame := make([]byte, size)
		if _, err := io.ReadFull(in, frame); err != nil {
			return err
		}
		if bytes.Contains(frame, []byte(text)) {
			return nil
		}
	}
}

// detach returns a blocking descriptor of its own for the connection.
func detach(nc *net.TCPConn) (fd int, err error) {
	f, err := nc.File()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if fd, err = unix.Dup(int(f.Fd())); err != nil {
		return 0, err
	}
	return fd, unix.SetNonblock(fd, false)
}

// packet is one package of the wire.
func packet(typ byte, body []byte) []byte {
	return append([]byte{typ, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

// message is a request, or a notify when id is 0.
func message(id byte, route, body string) []byte {
	out := []byte{1 << 1}
	if id != 0 {
		out = []byte{0, id}
	}
	out = append(out, byte(len(route)))
	return append(append(out, route...), body...)
}

// masked is a client's frame; a mask of zeros leaves the bytes as they are.
func masked(payload []byte) []byte {
	if len(payload) > 125 {
		return append([]byte{0x82, 0x80 | 126, byte(len(payload) >> 8), byte(len(payload)), 0, 0, 0, 0}, payload...)
	}
	return append([]byte{0x82, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}
