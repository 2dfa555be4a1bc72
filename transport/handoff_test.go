package transport

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// net/http serves a connection whose head was read by somebody else, as if
// nothing had happened, and goes on with the next request.
func TestHandoffToHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newHandoffListener(pipeAddr{})
		served := make(chan error)
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, r.URL.Path+string(body))
		})}
		go func() { served <- srv.Serve(l) }()

		client, server := Pipe()
		head := []byte("POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo")
		if !l.hand(newPrefixConn(server, head)) {
			t.Fatal("the listener refused a connection")
		}
		clear(head) // the loop's buffer is used again
		in := bufio.NewReader(client)
		_, _ = io.WriteString(client, "dy")
		wantAnswer(t, in, "/firstbody")
		_, _ = io.WriteString(client, "GET /second HTTP/1.1\r\nHost: a\r\n\r\n")
		wantAnswer(t, in, "/second")

		client.Close()
		srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: got %v", err)
		}
	})
}

func wantAnswer(t *testing.T, in *bufio.Reader, want string) {
	t.Helper()
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if string(body) != want || err != nil {
		t.Errorf("got %q and error %v, want %q", body, err, want)
	}
}

func TestHandoffListener(t *testing.T) {
	l := newHandoffListener(pipeAddr{})
	var clients []*PipeConn
	for i := range handoffQueue + 1 {
		client, server := Pipe()
		if got, want := l.hand(server), i < handoffQueue; got != want {
			t.Fatalf("connection %d: accepted is %t, want %t", i, got, want)
		}
		clients = append(clients, client)
	}
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	if l.Addr() != (pipeAddr{}) || l.Close() != nil || l.Close() != nil {
		t.Error("address or second close is wrong")
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: got %v, want net.ErrClosed", err)
	}
	// Those that waited were closed, the one that was accepted was not.
	if _, err := clients[1].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a connection nobody accepted: got %v, want EOF", err)
	}
	if _, err := clients[0].Write([]byte("x")); err != nil {
		t.Errorf("the accepted connection: %v", err)
	}
	_, server := Pipe()
	if l.hand(server) {
		t.Error("a closed listener took a connection")
	}
}

// hand and Close race for every connection; none may be lost in between.
func TestHandoffRace(t *testing.T) {
	for range 200 {
		l := newHandoffListener(pipeAddr{})
		client, server := Pipe()
		done := make(chan struct{})
		go func() {
			if !l.hand(server) {
				server.Close()
			}
			close(done)
		}()
		l.Close()
		<-done
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatalf("got %v, want the connection closed by somebody", err)
		}
	}
}

func TestPrefixConn(t *testing.T) {
	client, server := Pipe()
	c := newPrefixConn(server, []byte("abc"))
	_, _ = io.WriteString(client, "def")
	client.Close()
	var got strings.Builder
	buf := make([]byte, 2)
	for {
		n, err := c.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if got.String() != "abcdef" {
		t.Errorf("got %q, want abcdef", got.String())
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := c.Write([]byte("x")); err == nil {
		t.Error("a half-closed connection was written to")
	}
}
