package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A raw descriptor with bytes read from it becomes a connection of net, and is
// closed itself.
func TestFDConn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	fd := rawAccept(t, l)

	c, err := fdConn(fd, []byte("head "))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Errorf("the descriptor handed over: got %v, want EBADF", err)
	}
	if c.RemoteAddr().String() != client.LocalAddr().String() {
		t.Errorf("got peer %v, want %v", c.RemoteAddr(), client.LocalAddr())
	}
	_, _ = io.WriteString(client, "body")
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "head body" || err != nil {
		t.Errorf("got %q and error %v, want the prefix and the rest", got, err)
	}
	_, _ = io.WriteString(c, "answer")
	if err := c.(*prefixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); string(got) != "answer" || err != nil {
		t.Errorf("got %q and error %v, want the answer", got, err)
	}
}

// rawAccept is a connection of l as a bare non-blocking descriptor, the way the
// loops hold them.
func rawAccept(t *testing.T, l net.Listener) int {
	t.Helper()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	f, err := server.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	return fd
}

// What is no socket is refused, and closed as well.
func TestFDConnNotASocket(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fdConn(fd, nil); err == nil {
		t.Error("a file became a connection")
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Errorf("the descriptor: got %v, want EBADF", err)
	}
	if _, err := fdConn(-1, nil); err == nil {
		t.Error("-1 became a connection")
	}
}
