package transport

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPipeIsBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		var _, _ net.Conn = a, b
		if n, err := a.Write([]byte("no reader needed")); n != 16 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
		if b.Buffered() != 16 || a.Buffered() != 0 {
			t.Errorf("buffered: got %d and %d, want 16 and 0", b.Buffered(), a.Buffered())
		}
		buf := make([]byte, 3)
		if n, err := b.Read(buf); string(buf[:n]) != "no " || err != nil {
			t.Errorf("got %q, %v", buf[:n], err)
		}
		if n, err := b.Read(nil); n != 0 || err != nil {
			t.Errorf("empty read: got %d, %v", n, err)
		}
	})
}

// A full pipe makes the writer wait, in fake time too, until there is room.
func TestPipeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeConfig{Buffer: 4}.New()
		written := false
		go func() {
			if n, err := a.Write([]byte("123456789")); n != 9 || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
			written = true
		}()
		time.Sleep(time.Hour) // passes only because a waiting Write is durably blocked
		if synctest.Wait(); written || b.Buffered() != 4 {
			t.Fatalf("9 bytes fitted into 4: %d buffered", b.Buffered())
		}
		got := make([]byte, 9)
		if _, err := io.ReadFull(b, got); string(got) != "123456789" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if synctest.Wait(); !written {
			t.Error("the writer still waits")
		}
	})
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeConfig{Buffer: 2}.New()
		start := time.Now()
		must(t, a.SetDeadline(start.Add(3*time.Second)))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: got %v", err)
		}
		if n, err := a.Write([]byte("abc")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write after the deadline: got %d, %v", n, err)
		}
		var timeout net.Error
		if _, err := a.Read(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v, want a timeout of net", err)
		}
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("waited %v, want 3s", waited)
		}

		must(t, a.SetWriteDeadline(time.Now().Add(time.Second)))
		if n, err := a.Write([]byte("abc")); n != 2 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write into a full pipe: got %d, %v, want 2 and the deadline", n, err)
		}
		// A deadline in the past ends even what could go on; none lets it.
		must(t, b.SetReadDeadline(time.Now().Add(-time.Second)))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read with bytes there: got %v", err)
		}
		must(t, b.SetReadDeadline(time.Time{}))
		if n, err := b.Read(make([]byte, 9)); n != 2 || err != nil {
			t.Errorf("read without a deadline: got %d, %v", n, err)
		}
	})
}

// A deadline that is moved while a Read waits is the one that counts.
func TestPipeDeadlineMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := Pipe()
		start := time.Now()
		must(t, a.SetReadDeadline(start.Add(time.Second)))
		go func() { must(t, a.SetReadDeadline(start.Add(5*time.Second))) }()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("got %v after %v, want the deadline after 5s", err, time.Since(start))
		}
		must(t, a.SetReadDeadline(time.Time{}))
		go func() {
			time.Sleep(time.Second)
			must(t, a.SetReadDeadline(time.Now()))
		}()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want a deadline of now to wake the reader", err)
		}
	})
}

func TestPipeClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		_, _ = a.Write([]byte("last words"))
		must(t, a.Close())
		must(t, a.Close())
		if got, err := io.ReadAll(b); string(got) != "last words" || err != nil {
			t.Errorf("got %q, %v, want what was written before the close", got, err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("write to nobody: got %v", err)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read of a closed end: got %v", err)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write of a closed end: got %v", err)
		}
		if err := a.SetDeadline(time.Now().Add(time.Hour)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("deadline of a closed end: got %v", err)
		}
	})
}

// Close wakes everybody who waits, at both ends.
func TestPipeCloseWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeConfig{Buffer: 1}.New()
		errs := make(chan error, 4)
		for _, c := range []*PipeConn{a, b} {
			go func() { _, err := io.ReadFull(c, make([]byte, 2)); errs <- err }()
		}
		synctest.Wait()
		must(t, a.Close())
		for range 2 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) {
				t.Errorf("reader: got %v", err)
			}
		}
		a, b = PipeConfig{Buffer: 1}.New()
		for _, c := range []*PipeConn{a, b} {
			go func() { _, err := c.Write([]byte("xx")); errs <- err }()
		}
		synctest.Wait()
		must(t, a.Close())
		for range 2 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("writer: got %v", err)
			}
		}
		_ = b.Close()
	})
}

func TestPipeHalfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		_, _ = a.Write([]byte("question"))
		must(t, a.CloseWrite())
		if got, err := io.ReadAll(b); string(got) != "question" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("write after CloseWrite: got %v", err)
		}
		_, _ = b.Write([]byte("answer"))
		must(t, b.Close())
		if got, err := io.ReadAll(a); string(got) != "answer" || err != nil {
			t.Errorf("got %q, %v, want reading to go on", got, err)
		}
		must(t, a.Close())
	})
}

func TestPipeStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := PipeConfig{Buffer: 4}.New()
		client.Stall(true)
		_, _ = server.Write([]byte("abcd"))
		must(t, server.SetWriteDeadline(time.Now().Add(time.Minute)))
		read := make(chan string)
		go func() {
			got := make([]byte, 4)
			n, _ := client.Read(got)
			read <- string(got[:n])
		}()
		if _, err := server.Write([]byte("e")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write to a stalled client: got %v, want the deadline", err)
		}
		client.Stall(false)
		if got := <-read; got != "abcd" {
			t.Errorf("got %q after the stall, want abcd", got)
		}
		client.Stall(true)
		go func() { n, _ := client.Read(make([]byte, 1)); read <- strings.Repeat("x", n) }()
		synctest.Wait()
		must(t, client.Close())
		if got := <-read; got != "" {
			t.Error("a closed and stalled end read bytes")
		}
	})
}

func TestPipeAddrs(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1234}
	client, server := PipeConfig{ClientAddr: addr}.New()
	if client.LocalAddr() != net.Addr(addr) || server.RemoteAddr() != net.Addr(addr) {
		t.Errorf("got %v and %v, want %v", client.LocalAddr(), server.RemoteAddr(), addr)
	}
	if got := client.RemoteAddr(); got.Network() != "pipe" || got.String() != "pipe" || server.LocalAddr() != got {
		t.Errorf("got %v, want pipe", got)
	}
}

// Bytes arrive as they were written whatever the sizes, and the buffer never
// holds more than it may.
func TestPipeStream(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		const limit = 1000
		a, b := PipeConfig{Buffer: limit}.New()
		sent := make([]byte, 200_000)
		random := rand.New(rand.NewPCG(seed, 1))
		for i := range sent {
			sent[i] = byte(random.Uint32())
		}
		go func() {
			random := rand.New(rand.NewPCG(seed, 2))
			for rest := sent; len(rest) > 0; {
				n := min(len(rest), 1+random.IntN(3*limit))
				_, _ = a.Write(rest[:n])
				rest = rest[n:]
			}
			a.Close()
		}()
		var got bytes.Buffer
		buf := make([]byte, 2*limit)
		for {
			if n := b.Buffered(); n > limit {
				t.Fatalf("%d bytes are buffered, want at most %d", n, limit)
			}
			n, err := b.Read(buf[:1+random.IntN(2*limit)])
			got.Write(buf[:n])
			if err != nil {
				break
			}
		}
		if !bytes.Equal(got.Bytes(), sent) {
			t.Errorf("got %d bytes that differ from the %d sent", got.Len(), len(sent))
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
